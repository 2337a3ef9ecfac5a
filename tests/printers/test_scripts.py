"""Scripts around a job, rendered from templates."""

from __future__ import annotations

import msgspec
import pytest

from bedplate.config.schema import PrinterSettings, ScriptSettings
from bedplate.errors import ConflictError
from bedplate.printers.scripts import render


def settings(**scripts: str) -> PrinterSettings:
    return PrinterSettings(scripts=ScriptSettings(**scripts))


def test_by_default_cancelling_switches_everything_off() -> None:
    rendered = render(PrinterSettings(), "x.gcode")
    assert rendered.on_cancel == ["M104 T0 S0", "M140 S0", "M107"]
    assert rendered.before_print == rendered.after_print == []
    three = msgspec.structs.replace(PrinterSettings(), extruders=3, heated_bed=False)
    assert render(three, "x").on_cancel == ["M104 T0 S0", "M104 T1 S0", "M104 T2 S0", "M107"]


def test_comments_blanks_and_empty_lines_go() -> None:
    script = "\n  G28 ; home\n; a comment\n\n\tM117 x  \n"
    assert render(settings(before_print=script), "x").before_print == ["G28", "M117 x"]


def test_templates_know_the_file_and_the_printer() -> None:
    script = "M117 {{ name }} of {{ file }}\n{% if heated_chamber %}\nM141 S40\n{% endif %}"
    rendered = render(settings(before_print=script), "folder/x.gcode")
    assert rendered.before_print == ["M117 x.gcode of folder/x.gcode"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("G28\n{% if %}", "on_pause, line 2"),
        ("G28\n\n{{ nothing }}", "'nothing' is undefined"),
        ("{{ 1 / 0 }}", "on_pause"),
        ("{{ [1][5].x }}", "on_pause"),
        ("{{ 'a' + 1 }}", "on_pause"),
        ("{{ file.__class__.__mro__ }}", "on_pause"),
    ],
)
def test_a_mistake_is_named_with_its_script(script: str, words: str) -> None:
    with pytest.raises(ConflictError) as refused:
        render(settings(on_pause=script), "x.gcode")
    assert words in refused.value.message
    assert "Mend it in the settings" in refused.value.message


def test_a_files_name_can_not_smuggle_in_a_command() -> None:
    rendered = render(settings(before_print="M117 {{ name }}"), "x\nM112\n.gcode")
    assert not any(command.startswith("M112") for command in rendered.before_print)

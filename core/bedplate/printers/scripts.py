"""The scripts around a job: Jinja2 templates in the settings, rendered when the job begins."""

from __future__ import annotations

from pathlib import PurePosixPath

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bedplate.config.schema import PrinterSettings
from bedplate.errors import ConflictError
from bedplate.messages.commands import Scripts

MISTAKES = (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError)
"""What a template can come to: its own errors, and those of the expressions in it."""


def render(settings: PrinterSettings, path: str) -> Scripts:
    """The scripts of a printer for the file at `path`. Raises ConflictError, naming script and
    line."""
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    values = {
        "file": _one_line(path),
        "name": _one_line(PurePosixPath(path).name),
        "extruders": settings.extruders,
        "heated_bed": settings.heated_bed,
        "heated_chamber": settings.heated_chamber,
    }

    def lines(name: str) -> list[str]:
        try:
            text = environment.from_string(getattr(settings.scripts, name)).render(values)
        except MISTAKES as error:
            line = getattr(error, "lineno", None)
            where = f", line {line}" if line else ""
            raise ConflictError(
                f"The script {name}{where} can't be used: {error}. Mend it in the settings."
            ) from error
        commands = (line.partition(";")[0].strip() for line in text.splitlines())
        return [command for command in commands if command]

    return Scripts(**{name: lines(name) for name in Scripts.__struct_fields__})


def _one_line(text: str) -> str:
    """The name of a file can't bring commands of its own."""
    return "".join(character if character.isprintable() else " " for character in text)

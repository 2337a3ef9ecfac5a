"""The page's types come from the server's structs and are never stale."""

from __future__ import annotations

import enum

import msgspec
import pytest
from msgspec import inspect as shapes

from bedplate.devtools import typescript
from bedplate.messages.events import EVENTS
from bedplate.messages.printer import PrinterSnapshot


def test_the_generated_file_is_current() -> None:
    written = typescript.TARGET.read_text(encoding="utf-8")
    assert written == typescript.generate(), "run python -m bedplate.devtools.typescript"


def test_every_field_of_the_snapshot_and_every_event_is_there() -> None:
    text = typescript.generate()
    for field in msgspec.structs.fields(PrinterSnapshot):
        assert f"  readonly {field.encode_name}: " in text
    for event in EVENTS:
        assert f"export interface {event.__name__} {{" in text
        assert f"  readonly {event.__name__}: {event.__name__};" in text


class Colour(enum.Enum):
    RED = "red"


class Point(msgspec.Struct):
    x: float


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, "string"),
        (int | None, "number | null"),
        (bool, "boolean"),
        (list[Point], "ReadonlyArray<Point>"),
        (tuple[int, ...], "ReadonlyArray<number>"),
        (dict[str, Point], "Readonly<Record<string, Point>>"),
        (Colour, "Colour"),
    ],
)
def test_each_kind_of_type_has_its_counterpart(annotation: type, expected: str) -> None:
    assert typescript.type_text(shapes.type_info(annotation)) == expected


def test_a_type_without_a_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="no TypeScript type"):
        typescript.type_text(shapes.type_info(bytes))


def test_check_tells_a_stale_file_from_a_current_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    target = typescript.Path(str(tmp_path)) / "generated" / "messages.ts"
    monkeypatch.setattr(typescript, "TARGET", target)
    assert typescript.main(["--check"]) == 1
    assert "stale" in capsys.readouterr().err
    assert typescript.main([]) == 0
    assert typescript.main(["--check"]) == 0

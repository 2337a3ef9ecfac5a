"""The tables of what slicers write: every row reads its own example, and nothing else's."""

from __future__ import annotations

import pytest

from bedplate.gcode.slicers import (
    GENERATORS,
    LAYER_MARKS,
    NOTES,
    Generator,
    LayerMark,
    Note,
    duration,
    generator_of,
    recognise,
)


def text_of(line: str) -> str:
    assert line.startswith(";"), "an example is a line of a file"
    return line[1:].strip()


@pytest.mark.parametrize("row", GENERATORS, ids=lambda row: row.read[0])
def test_each_slicer_is_recognised_by_its_line(row: Generator) -> None:
    found = recognise(text_of(row.example))
    assert found is not None
    assert found[0] is row
    assert generator_of(row, found[1]) == row.read


@pytest.mark.parametrize("row", LAYER_MARKS, ids=lambda row: row.kind)
def test_each_layer_mark_is_recognised_with_its_height(row: LayerMark) -> None:
    found = recognise(text_of(row.example))
    assert found is not None
    assert found[0] is row
    assert (float(found[1][0]) if found[1][0] else None) == row.z


@pytest.mark.parametrize("row", NOTES, ids=lambda row: row.example)
def test_each_figure_is_read_from_its_line(row: Note) -> None:
    found = recognise(text_of(row.example))
    assert found is not None
    assert found[0] is row
    assert row.read(found[1][0] or "") == pytest.approx(row.value)


@pytest.mark.parametrize(
    "line",
    [
        ";TYPE:External perimeter",
        ";LAYER_COUNT:16",
        "; BEFORE_LAYER_CHANGE",
        ";TIME_ELAPSED:80.733194",
        "; estimated printing time (silent mode) = 47m 21s",
        "; min_layer_height = 0.07",
        "; max_layer_height = 0",
        "; total filament cost = 0.00",
        "; layer num/total_layer_count: 1/92",
        "; END_LAYER_OBJECT z=2.00",
        "; layer end",
        "; printing object bunny id:0 copy 0",
        ";WIDTH:0.45",
        ";HEIGHT:0.2",
        ";",
    ],
)
def test_lines_that_only_look_similar_say_nothing(line: str) -> None:
    assert recognise(text_of(line)) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45m 6s", 2706),
        ("1d 2h 3m 4s", 93784),
        ("10m 28s", 628),
        ("0 hours 34 minutes", 2040),
        ("1 hour 1 minute", 3660),
        ("72.45 minutes", 4347),
        ("2:11:47", 7907),
        ("1h:20m:36s", 4836),
        ("6666", 6666),
        ("3720.97", 3720.97),
        ("soon", None),
        ("", None),
    ],
)
def test_durations_in_every_form(text: str, seconds: float | None) -> None:
    assert duration(text) == pytest.approx(seconds)

"""Where layers begin, with and without the slicer's marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from bedplate.gcode.analysis import Analysis, analyse, layer_at, time_at


def analysed(tmp_path: Path, text: str) -> Analysis:
    path = tmp_path / "layers.gcode"
    path.write_bytes(text.encode())
    return analyse(path).analysis


def starts(analysis: Analysis) -> list[tuple[int, float]]:
    return [(layer.line, layer.z) for layer in analysis.layers]


BY_HEIGHT = {
    "each higher printing move begins one": (
        ["M83", "G1 Z.2", "G1 X1 E1", "G1 Z.4", "G1 X2 E1", "G1 X3 E1", "G1 Z.6", "G1 X4 E1"],
        [(2, 0.2), (4, 0.4), (7, 0.6)],
    ),
    "lifting over a gap begins none": (
        ["M83", "G1 Z.2", "G1 X1 E1", "G1 Z.8", "G1 X5", "G1 Z.2", "G1 X6 E1"],
        [(2, 0.2)],
    ),
    "a layer begins with the lift that leads to it": (
        ["M83", "G1 Z.2", "G1 X1 E1", "G1 E-1", "G1 Z.8", "G1 X5", "G1 Z.4", "G1 E1", "G1 X6 E1"],
        [(2, 0.2), (5, 0.4)],
    ),
    "heights at which nothing is printed are none": (
        ["M83", "G1 Z5", "G1 Z.2", "G1 X1 E1", "G1 Z50", "G1 X0 Y0"],
        [(2, 0.2)],
    ),
    "pushing filament in place is no printing": (
        ["M83", "G1 Z10", "G1 E5", "G1 Z.2", "G1 X1 E1"],
        [(2, 0.2)],
    ),
    "a line to prime the nozzle above the first layer is none": (
        ["M83", "G1 Z.4", "G1 X100 E9", "G1 Z2", "G1 Z.2", "G1 X1 E1", "G1 Z.4", "G1 X2 E1"],
        [(4, 0.2), (7, 0.4)],
    ),
    "the next object begins at the bottom again": (
        [
            *["M83", "G1 Z.2", "G1 X1 E1", "G1 Z.4", "G1 X2 E1", "G1 Z9", "G1 X50"],
            *["G1 Z.2", "G1 X51 E1", "G1 Z.4", "G1 X52 E1"],
        ],
        [(2, 0.2), (4, 0.4), (6, 0.2), (10, 0.4)],
    ),
    "a spiral has layers of the height before it": (
        ["M83", "G1 Z.2", "G1 X1 E1", "G1 Z.4", "G1 X2 E1"]
        + [f"G1 X{x % 9} Z{0.4 + x / 100:.2f} E1" for x in range(1, 41)],
        [(2, 0.2), (4, 0.4), (25, 0.6), (45, 0.8)],
    ),
    "relative moves": (
        ["G91", "G1 Z.2", "G1 X1 E1", "G1 Z.2", "G1 X1 E1"],
        [(2, 0.2), (4, 0.4)],
    ),
    "nothing printed": (["G1 Z.2", "G1 X1", "G1 Z.4", "G1 X2"], []),
}


@pytest.mark.parametrize(("lines", "expected"), BY_HEIGHT.values(), ids=BY_HEIGHT)
def test_layers_by_height(
    tmp_path: Path, lines: list[str], expected: list[tuple[int, float]]
) -> None:
    assert starts(analysed(tmp_path, "\n".join(lines))) == expected


PRINT = "G1 Z{z}\nG1 X1 E1\nG1 X2 E1\n"
MARKED = {
    "PrusaSlicer": ";LAYER_CHANGE\n;Z:{z}\n;HEIGHT:0.2\n",
    "BambuStudio": "; CHANGE_LAYER\n; Z_HEIGHT: {z}\n; LAYER_HEIGHT: 0.2\n",
    "Simplify3D": "; layer {n}, Z = {z}\n",
    "KISSlicer": "; BEGIN_LAYER_OBJECT z={z} z_thickness=0.2\n",
    "Cura": ";LAYER:{n}\n",
    "Cura's raft": ";LAYER:-{n}\n",
    "ideaMaker": ";LAYER:{n}\n;Z:{z}\n",
    "PrusaSlicer, and marks for another tool": ";LAYER_CHANGE\n;Z:{z}\n;LAYER:{n}\n",
}


@pytest.mark.parametrize("mark", MARKED.values(), ids=MARKED)
def test_layers_by_marks(tmp_path: Path, mark: str) -> None:
    head = "M83\nG1 Z.5\nG1 X100 E9\n"
    layers = [(mark + PRINT).format(n=n, z=f"{0.2 * n:.1f}") for n in range(1, 4)]
    analysis = analysed(tmp_path, head + "".join(layers))
    step = layers[0].count("\n")
    assert starts(analysis) == [(4, 0.2), (4 + step, 0.4), (4 + 2 * step, 0.6)]
    offsets = [len(head), len(head + layers[0]), len(head + layers[0] + layers[1])]
    assert [layer.offset for layer in analysis.layers] == offsets


def test_offsets_count_every_byte_of_the_file(tmp_path: Path) -> None:
    text = "\ufeff; héad\r\nM83\r\n\r\nG1 Z.2\r\nG1 X1 E1\r\n;ünd\r\nG1 Z.4\r\nG1 X2 E1"
    analysis = analysed(tmp_path, text)
    raw = text.encode()
    assert [layer.offset for layer in analysis.layers] == [
        raw.index(b"G1 Z.2"),
        raw.index(b"G1 Z.4"),
    ]
    assert analysis.size == len(raw)
    assert (analysis.lines, analysis.commands) == (8, 5)


def test_time_and_layer_at_an_offset(tmp_path: Path) -> None:
    text = "M83\nG4 S10\n;LAYER:0\nG4 S4\nG4 S4\n;LAYER:1\nG1 X1 E1\nG4 S30\n"
    analysis = analysed(tmp_path, text)
    first, second = analysis.layers
    assert (first.time, second.time) == (10, 18)

    assert layer_at(analysis, 0) is None
    assert layer_at(analysis, first.offset - 1) is None
    assert layer_at(analysis, first.offset) == 0
    assert layer_at(analysis, second.offset - 1) == 0
    assert layer_at(analysis, second.offset) == 1
    assert layer_at(analysis, analysis.size) == 1

    assert time_at(analysis, 0) == 0
    assert time_at(analysis, first.offset) == 10
    assert time_at(analysis, (first.offset + second.offset) // 2) == pytest.approx(14, abs=0.3)
    assert time_at(analysis, analysis.size) == analysis.estimated_time
    assert time_at(analysis, analysis.size + 99) == analysis.estimated_time
    times = [time_at(analysis, offset) for offset in range(analysis.size + 1)]
    assert times == sorted(times)


def test_time_at_an_offset_without_layers_is_in_proportion(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, "G4 S5\nG4 S5\n")
    assert analysis.layers == []
    assert time_at(analysis, 6) == pytest.approx(5)

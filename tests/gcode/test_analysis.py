"""The whole analysis: figures of real files, robustness, what is believed, what is warned about."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.gcode import blocks as blocks_module
from bedplate.gcode.analysis import Analysis, AnalysisResult, analyse
from bedplate.gcode.blocks import MAX_LINE, blocks
from bedplate.gcode.records import MAX_WARNINGS
from bedplate.gcode.sniff import NotGcodeError

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "core" / "bedplate" / "samples"
MORE = ROOT.parent / "shared" / "gcode"
"""Larger files, on machines that have them beside the checkout."""


def analysed(tmp_path: Path, data: bytes | str) -> Analysis:
    path = tmp_path / "file.gcode"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return analyse(path).analysis


# -- real files: figures from the slicer, or counted in the file with other tools


@pytest.mark.parametrize(
    ("name", "slicer", "layers", "top", "estimate", "source", "filament"),
    [
        ("bunny-small.gcode", "PrusaSlicer", 75, 15.0, 628, "slicer", 319.40),
        ("nut.gcode", "PrusaSlicer", 54, 10.8, 1475, "slicer", 1411.86),
        ("nut-cura.gcode", "Cura", 16, 1.8, 132, "computed", 53.571),
        ("prusaslicer-bunny.gcode", "PrusaSlicer", 200, 40.0, 2706, "slicer", 2258.56),
        ("slic3r-bunny.gcode", "Slic3r", 428, 85.75, 11045, "computed", 20045.2),
    ],
)
def test_real_files(
    name: str,
    slicer: str,
    layers: int,
    top: float,
    estimate: float,
    source: str,
    filament: float,
) -> None:
    path = SAMPLES / name if (SAMPLES / name).exists() else MORE / name
    if not path.exists():
        pytest.skip(f"{name} is not on this machine")
    data = path.read_bytes()
    analysis = analyse(path).analysis

    assert analysis.slicer == slicer
    assert len(analysis.layers) == layers
    assert analysis.height == analysis.layers[-1].z == top
    assert analysis.estimated_time == pytest.approx(estimate, rel=0.01)
    assert analysis.estimated_time_source == source
    assert analysis.filament[0].length == pytest.approx(filament, abs=0.01)
    assert analysis.sha1 == hashlib.sha1(data).hexdigest()
    assert analysis.size == len(data)
    assert analysis.lines == data.count(b"\n")
    assert analysis.commands == sum(1 for line in data.splitlines() if line.split(b";")[0].strip())
    check_consistency(analysis, data)


def check_consistency(analysis: Analysis, data: bytes) -> None:
    """What must be true of every analysis."""
    lines = data.split(b"\n")
    for layer in analysis.layers:
        before = data[: layer.offset]
        assert before.endswith(b"\n") or not before
        assert before.count(b"\n") + 1 == layer.line
    offsets = [layer.offset for layer in analysis.layers]
    times = [layer.time for layer in analysis.layers]
    assert offsets == sorted(set(offsets))
    assert times == sorted(times)
    assert all(0 <= time <= analysis.estimated_time + 0.001 for time in times)
    if analysis.longest_command is not None:
        assert analysis.longest_command.length <= len(lines[analysis.longest_command.line - 1])
    assert len(analysis.warnings) <= MAX_WARNINGS
    assert msgspec.json.decode(msgspec.json.encode(analysis), type=Analysis) == analysis


@pytest.mark.parametrize(
    ("name", "slicers_time"),
    [
        ("bunny-small.gcode", 628.0),
        ("nut.gcode", 1475.0),
        # CuraEngine's own count at the last layer's end, without the start script (about 15 s)
        ("nut-cura.gcode", 112.2 + 15.5),
    ],
)
def test_our_time_is_near_the_slicers(name: str, slicers_time: float) -> None:
    assert analyse(SAMPLES / name).analysis.computed_time == pytest.approx(slicers_time, rel=0.1)


@pytest.mark.parametrize(
    ("name", "primed"),
    # `E9.0` and `E12.5` one after the other: both lengths where E is relative
    [("bunny-small.gcode", 9.0 + 12.5), ("nut.gcode", 12.5)],
)
def test_our_filament_is_the_slicers_and_the_line_that_primes_the_nozzle(
    name: str, primed: float
) -> None:
    analysis = analyse(SAMPLES / name).analysis
    assert analysis.computed_filament[0] - analysis.filament[0].length == pytest.approx(
        primed, abs=0.05
    )


def test_everything_else_that_a_real_file_says() -> None:
    analysis = analyse(SAMPLES / "bunny-small.gcode").analysis
    assert analysis.slicer_version == "2.5.0"
    assert analysis.filament_types == ["PLA"]
    assert analysis.filament[0].volume == 0.77
    assert analysis.filament_diameter == 1.75
    assert analysis.layer_height == 0.2
    assert analysis.first_layer_temperatures == {"tool0": 215, "bed": 60}
    assert analysis.temperatures == {"tool0": 215, "bed": 60}
    assert analysis.warnings == []


def test_placeholders_of_a_slicer_are_not_believed_and_told() -> None:
    analysis = analyse(SAMPLES / "nut-cura.gcode").analysis
    assert analysis.filament_source == "computed"
    assert [(warning.line, warning.message) for warning in analysis.warnings] == [
        (2, "The slicer's print time (6666 s) can't be true; the time is computed from the moves."),
        (2035, "The slicer left a placeholder unfilled in this line: {machine_depth}"),
    ]


# -- what is believed

PRINTED = "M83\nG1 Z.2 F3000\n" + "G1 X100 E5\nG1 X0 E5\n" * 100


@pytest.mark.parametrize(
    ("header", "time", "source"),
    [
        (";TIME:600\n", 600, "slicer"),
        (";TIME:6000000\n", None, "computed"),
        (";TIME:1\n", None, "computed"),
        (";TIME:0\n", None, "computed"),
        (";TIME:600\n;MINX:2.14748e+06\n", None, "computed"),
        (";TIME:600\n;Filament used: 0m\n", None, "computed"),
        ("; estimated printing time (normal mode) = soon\n", None, "computed"),
        ("", None, "computed"),
    ],
)
def test_a_slicers_time_must_be_within_reach(
    tmp_path: Path, header: str, time: float | None, source: str
) -> None:
    analysis = analysed(tmp_path, header + PRINTED)
    assert analysis.estimated_time_source == source
    assert analysis.estimated_time == (time if time is not None else analysis.computed_time)


def test_layer_times_are_on_the_scale_of_the_estimate(tmp_path: Path) -> None:
    text = ";TIME:40\n;LAYER:0\nG4 S5\n;LAYER:1\nG4 S15\n"
    analysis = analysed(tmp_path, text)
    assert analysis.computed_time == 20
    assert [layer.time for layer in analysis.layers] == [0, 10]


@pytest.mark.parametrize(
    ("header", "lengths", "source"),
    [
        (";Filament used: 1.2m\n", {0: 1200}, "slicer"),
        ("; filament used [mm] = 900.00, 50.00\n", {0: 900, 1: 50}, "slicer"),
        ("; filament used [mm] = 0.00, 950.00\n", {0: 950}, "slicer"),
        (";Material#1 Used: 700\n;Material#2 Used: 80\n", {0: 700, 1: 80}, "slicer"),
        ("; filament used [mm] = 3.0\n", {0: 1000}, "computed"),
        (";Filament used: 0m\n", {0: 1000}, "computed"),
        ("", {0: 1000}, "computed"),
    ],
)
def test_a_slicers_filament_must_be_within_reach(
    tmp_path: Path, header: str, lengths: dict[int, float], source: str
) -> None:
    analysis = analysed(tmp_path, header + PRINTED)
    assert {tool: used.length for tool, used in analysis.filament.items()} == lengths
    assert analysis.filament_source == source
    assert analysis.computed_filament == {0: 1000}


def test_volume_follows_from_the_diameter_where_the_slicer_gives_none(tmp_path: Path) -> None:
    usual = analysed(tmp_path, PRINTED)
    wide = analysed(tmp_path, "; filament_diameter = 2.85\n" + PRINTED)
    assert usual.filament[0].volume == pytest.approx(2.405, abs=0.001)
    assert wide.filament[0].volume == pytest.approx(6.379, abs=0.001)
    assert wide.filament_diameter == 2.85


def test_weight_where_the_slicer_gives_it(tmp_path: Path) -> None:
    notes = "; filament used [mm] = 1000\n; filament used [cm3] = 2.4\n; filament used [g] = 2.98\n"
    used = analysed(tmp_path, notes + PRINTED).filament[0]
    assert (used.volume, used.weight) == (2.4, 2.98)


def test_temperatures_when_printing_begins_and_highest(tmp_path: Path) -> None:
    text = (
        "M140 S60\nM104 S150\nM109 R210\nM104 T1 S200\n"
        + PRINTED
        + "M104 S220\nM140 S0\nM141 S40\n"
    )
    analysis = analysed(tmp_path, text)
    assert analysis.first_layer_temperatures == {"bed": 60, "tool0": 210, "tool1": 200}
    assert analysis.temperatures == {"bed": 60, "tool0": 220, "tool1": 200, "chamber": 40}


def test_temperatures_from_the_slicer_where_a_macro_heats(tmp_path: Path) -> None:
    notes = (
        "; first_layer_temperature = 215\n; temperature = 205\n; first_layer_bed_temperature = 65\n"
    )
    analysis = analysed(tmp_path, "START_PRINT\n" + PRINTED + notes)
    assert analysis.first_layer_temperatures == {"tool0": 215, "bed": 65}
    assert analysis.temperatures == {"tool0": 215, "bed": 65}


# -- warnings


def test_a_command_that_is_too_long_to_send_is_named_by_its_line(tmp_path: Path) -> None:
    long = "G1 " + " ".join(f"X{n}.00000" for n in range(12))
    analysis = analysed(tmp_path, f"G28\n; {'x' * 200}\n{long} ; note\nG1 X1\n")
    assert analysis.longest_command is not None
    assert (analysis.longest_command.length, analysis.longest_command.line) == (len(long), 3)
    [warning] = [warning for warning in analysis.warnings if "bytes" in warning.message]
    assert warning.line == 3


def test_commands_that_just_fit_are_not_warned_about(tmp_path: Path) -> None:
    fits = "M117 " + "x" * (95 - len("N2 *255") - len("M117 "))
    assert not [w for w in analysed(tmp_path, f"G28\n{fits}\n").warnings if "bytes" in w.message]
    over = fits + "x"
    assert [
        w.line for w in analysed(tmp_path, f"G28\n{over}\n").warnings if "bytes" in w.message
    ] == [2]


def test_damage_is_told(tmp_path: Path) -> None:
    filler = b"G1 X1\n" * 20_000
    analysis = analysed(tmp_path, filler + b"G1 X\0\0\n" + b"M117 " + b"y" * 70_000 + b"\nG28\n")
    told = [(warning.line, warning.message) for warning in analysis.warnings]
    assert any(line == 20_001 and "zero bytes" in message for line, message in told)
    assert any(line == 20_002 and "64 KiB" in message for line, message in told)
    assert analysis.lines == 20_003
    assert analysis.commands == 20_003


def test_a_file_that_extrudes_nothing_is_told(tmp_path: Path) -> None:
    messages = [warning.message for warning in analysed(tmp_path, "G28\nG1 X1\n").warnings]
    assert messages == ["Nothing in this file extrudes filament."]


def test_a_flood_of_layer_marks_is_bounded(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, "G28\n" + ";LAYER:1\n" * 100_500)
    assert len(analysis.layers) == 100_000
    assert any("layers" in warning.message for warning in analysis.warnings)


# -- thumbnails


def test_thumbnails_are_described_and_given_beside(tmp_path: Path) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
    text = base64.b64encode(picture).decode()
    lines = "".join(f"; {text[start : start + 78]}\n" for start in range(0, len(text), 78))
    path = tmp_path / "thumb.gcode"
    path.write_text(f"; thumbnail begin 16x12 {len(text)}\n{lines}; thumbnail end\nG28\n")
    result = analyse(path)
    assert [t.data for t in result.thumbnails] == [picture]
    [info] = result.analysis.thumbnails
    assert (info.width, info.height, info.media_type, info.size) == (16, 12, "image/png", 1032)


# -- properties

LINES = st.one_of(
    st.sampled_from(
        [
            *[b"G1 X1 Y2 E.5", b"G1 X5 Y5 E1 F1800", b"G0 F3600 X10 Y.5 Z0.3", b"G1 Z.4 F720"],
            *[b"G1 E-.8 F2100", b"G1 X-. Y1", b"G1 X- E.", b"G1 X", b"G92 E0", b"G92 X5", b"G91"],
            *[b"G90", b"M82", b"M83", b"G20", b"G21", b"G28", b"G2 X5 Y5 I1 J2 E1", b"G3 R5 X9"],
            *[b"G2 I1e9", b"G4 S1", b"T1", b"M104 S200", b"M201 X1", b"M203 X0", b"M204 S.001"],
            *[b"M205 X0.01", b";LAYER:1", b";LAYER_CHANGE", b";Z:.4", b";TIME:9", b"", b"\r", b"%"],
            *[b"; filament used [mm] = 5,", b";Filament used: 1m, x", b"; layer 1, Z = 1-.2"],
            *[
                b"; thumbnail begin 9x9 9",
                b"; iVBO",
                b"; thumbnail end",
                b"G1 X1 ; note\r",
                b"N1 G1*",
            ],
            *[b"; filament_diameter = 0", b"; temperature = ,", b"; filament_type = ;;", b"G1 F0"],
        ]
    ),
    st.binary(max_size=40),
)
FILES = st.lists(LINES, max_size=40).map(b"\n".join)


def outcome(path: Path, chunk_size: int) -> AnalysisResult | str:
    try:
        return analyse(path, chunk_size=chunk_size)
    except NotGcodeError as error:
        return error.message


@given(data=st.one_of(FILES, FILES.map(lambda data: b"G28\n" * 50 + data), st.binary()))
@settings(deadline=None)
def test_any_bytes_are_analysed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.gcode"
    path.write_bytes(data)
    result = outcome(path, 65536)
    if isinstance(result, AnalysisResult):
        check_consistency(result.analysis, data)


@given(data=FILES.map(lambda data: b"G28\n" * 50 + data), chunk_size=st.integers(1, 40))
@settings(deadline=None)
def test_how_the_file_is_chunked_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, chunk_size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "chunks.gcode"
    path.write_bytes(data)
    assert outcome(path, chunk_size) == outcome(path, 1 << 20)


@given(
    lengths=st.lists(st.integers(0, 60), max_size=12),
    chunk_size=st.integers(1, 70),
    ends=st.booleans(),
)
def test_blocks_give_every_line_once_at_its_offset(
    lengths: list[int], chunk_size: int, ends: bool
) -> None:
    limit = 20
    data = b"\n".join(bytes([97 + n % 26]) * length for n, length in enumerate(lengths))
    data += b"\n" if ends else b""
    expected = []
    offset = 0
    for line in data.splitlines(keepends=True):
        content = line.rstrip(b"\n")
        expected.append((offset, content[:limit], len(content) > limit))
        offset += len(line)

    seen = []
    digest = hashlib.sha1()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_module, "MAX_LINE", limit)
        for block in blocks(io.BytesIO(data), digest, chunk_size):
            position = block.offset
            for line in block.data.splitlines(keepends=True):
                seen.append((position, line.rstrip(b"\n"), block.cut))
                position += len(line)
    assert seen == expected
    assert digest.hexdigest() == hashlib.sha1(data).hexdigest()
    assert MAX_LINE > 4096


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        analyse(tmp_path / "none.gcode")


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file.gcode"
    path.write_bytes(b"G1 X1\n" * 50_000)
    seen: list[float] = []
    analyse(path, chunk_size=4096, progress=seen.append)
    assert seen == sorted(set(seen))
    assert seen[-1] > 0.95
    assert len(seen) <= 100

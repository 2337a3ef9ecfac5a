"""How long moves take, where they lead, and how much they extrude."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from pathlib import Path

import pytest

from bedplate.gcode.analysis import Analysis, analyse
from bedplate.gcode.limits import Limits

Run = Callable[..., Analysis]

LIMITS = Limits(
    print_acceleration=1000.0,
    travel_acceleration=1000.0,
    retract_acceleration=1000.0,
    max_feed_xy=200.0,
    max_feed_z=10.0,
    max_acceleration_z=100.0,
    jerk_xy=10.0,
    jerk_z=0.5,
    jerk_e=5.0,
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Analyse a few lines with round limits."""

    def analysed(*lines: str) -> Analysis:
        path = tmp_path / "moves.gcode"
        path.write_text("\n".join(lines) + "\n")
        return analyse(path, limits=LIMITS).analysis

    return analysed


def alone(length: float, speed: float, edge: float = 10.0, accel: float = 1000.0) -> float:
    """Time of a move from and to a near stop, as a textbook has it."""
    ramp = (speed**2 - edge**2) / (2 * accel)
    if 2 * ramp <= length:
        return 2 * (speed - edge) / accel + (length - 2 * ramp) / speed
    peak = sqrt(accel * length + edge**2)
    return 2 * (peak - edge) / accel


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        pytest.param(["G1 X100 F3000"], alone(100, 50), id="one move"),
        pytest.param(["G1 X1 F6000"], alone(1, 100), id="too short for its speed"),
        pytest.param(["G1 X100 F60000"], alone(100, 200), id="no faster than the machine"),
        pytest.param(["G1 X50 F3000", "G1 X100"], alone(100, 50), id="straight on"),
        pytest.param(
            ["G1 X50 F3000", "G1 X0"], 2 * 1.03625, id="and back, turning at half the jerk"
        ),
        pytest.param(["G1 X30 Y40 F3000"], alone(50, 50), id="across"),
        pytest.param(["G20", "G1 X2 F120"], alone(50.8, 50.8), id="inches"),
        pytest.param(["G1 X100 F3000", "G1 F600"], alone(100, 50), id="feed rate alone"),
        pytest.param(["G1 X100 F0"], alone(100, 25), id="no feed rate"),
        pytest.param(["G4 S2", "G4 P500"], 2.5, id="dwell"),
        pytest.param(["G1 Z10 F600"], alone(10, 10, 0.5, 100), id="up"),
        pytest.param(["G1 Z10 F6000"], alone(10, 10, 0.5, 100), id="up, no faster than Z can"),
        pytest.param(["G1 E-5 F1800"], alone(5, 30, 5), id="retraction"),
        pytest.param(["M204 S500", "G1 X100 F3000"], alone(100, 50, 10, 500), id="M204 S"),
        pytest.param(["M204 P1 T250", "G1 X100 F3000"], alone(100, 50, 10, 250), id="M204 P T"),
        pytest.param(["M203 X20 Y30", "G1 X100 F3000"], alone(100, 20), id="M203"),
        pytest.param(["M203 X1200 Y6000", "G1 X100 F3000"], alone(100, 20), id="M203 in mm/min"),
        pytest.param(["M201 X100 Y200", "G1 X100 F3000"], alone(100, 50, 10, 100), id="M201"),
        pytest.param(["M205 X20 Y25", "G1 X100 F3000"], alone(100, 50, 20), id="M205"),
        pytest.param(
            ["SET_VELOCITY_LIMIT ACCEL=500", "G1 X100 F3000"],
            alone(100, 50, 10, 500),
            id="Klipper's acceleration",
        ),
        pytest.param(["M109 S210", "G28", "M220 S50", "M400"], 0, id="not counted"),
    ],
)
def test_time_of_moves(run: Run, lines: list[str], seconds: float) -> None:
    assert run(*lines).computed_time == pytest.approx(seconds, abs=0.001)


def test_a_gentle_corner_costs_less_than_a_sharp_one(run: Run) -> None:
    times = [
        run("G1 X50 F6000", f"G1 X{50 + x} Y{y}").computed_time
        for x, y in [(50, 0), (49.2, 8.7), (35.4, 35.4), (0, 50), (-50, 0)]
    ]
    assert times == sorted(times)
    assert times[0] < times[2] < times[4]


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        pytest.param(["G2 X20 Y0 I10 J0"], pi * 10, id="half a circle"),
        pytest.param(["G3 X20 Y0 R10"], pi * 10, id="by radius"),
        pytest.param(["G2 I10 J0"], 2 * pi * 10, id="a full circle"),
        pytest.param(["G2 X10 Y10 I10 J0"], pi / 2 * 10, id="a quarter clockwise"),
        pytest.param(["G3 X10 Y10 I10 J0"], 3 * pi / 2 * 10, id="three quarters the other way"),
        pytest.param(["G2 X10 Y10 R10"], pi / 2 * 10, id="the short arc of a radius"),
        pytest.param(["G2 X10 Y10 R-10"], 3 * pi / 2 * 10, id="the long arc of a radius"),
        pytest.param(["G2 X30 Y40"], 50, id="no centre: straight"),
        pytest.param(["G2 X30 Y40 R1"], 50, id="a radius that can't reach: straight"),
        pytest.param(["G91", "G2 X10 Y10 I10 J0"], pi / 2 * 10, id="relative"),
    ],
)
def test_length_of_arcs(run: Run, lines: list[str], length: float) -> None:
    # so slow that corners and acceleration don't matter
    assert run("G1 F60", *lines).computed_time == pytest.approx(length, rel=1e-3)


def test_the_box_of_an_arc_reaches_to_its_outermost_point(run: Run) -> None:
    area = run("G1 X10 Y10 Z.2", "G2 X30 Y10 I10 J0 E5").printing_area
    assert area is not None
    assert (area.min_x, area.max_x) == (10, 30)
    assert (area.min_y, area.max_y) == (10, 20)


@pytest.mark.parametrize(
    ("lines", "used"),
    [
        pytest.param(["M82", "G1 X1 E5", "G1 X2 E7"], {0: 7}, id="absolute"),
        pytest.param(["M83", "G1 X1 E5", "G1 X2 E7"], {0: 12}, id="relative"),
        pytest.param(["M82", "G1 X1 E5", "G92 E0", "G1 X2 E7"], {0: 12}, id="G92"),
        pytest.param(["M82", "G1 X1 E5", "G92", "G1 X2 E7"], {0: 12}, id="G92 alone"),
        pytest.param(["M83", "G1 X1 E5", "G1 E-2", "G1 E2", "G1 X2 E1"], {0: 6}, id="retracted"),
        pytest.param(["M83", "G1 X1 E5", "G1 E-2"], {0: 5}, id="retracted at the end"),
        pytest.param(
            ["M83", "G1 X1 E5", "T1", "G1 X2 E3", "T0", "G1 X3 E1"], {0: 6, 1: 3}, id="tools"
        ),
        pytest.param(["M83", "G1 X1 E5", "T255", "G1 X2 E3"], {0: 8}, id="no tool"),
        pytest.param(["G91", "G1 X1 E5", "G1 X1 E5", "G90", "G1 X0 E12"], {0: 22}, id="G91"),
        pytest.param(["M83", "G91", "G90", "G1 X1 E5", "G1 X2 E5"], {0: 10}, id="M83 outlasts G90"),
        pytest.param(["G20", "M83", "G1 X1 E1"], {0: 25.4}, id="inches"),
        pytest.param(["G1 X100"], {}, id="none"),
    ],
)
def test_filament(run: Run, lines: list[str], used: dict[int, float]) -> None:
    assert run(*lines).computed_filament == used


def test_boxes_of_printing_and_of_all_moves(run: Run) -> None:
    analysis = run(
        "G28",
        "G1 X-5 Y200 Z30",
        "G1 X10 Y20 Z.3",
        "M83",
        "G1 X110 Y25 E5",
        "G1 X60 Y80 E2",
        "G1 E-3",
        "G1 X150 Y150",
    )
    printing, travel = analysis.printing_area, analysis.travel_area
    assert printing is not None
    assert travel is not None
    assert (printing.min_x, printing.min_y, printing.min_z) == (10, 20, 0.3)
    assert (printing.max_x, printing.max_y, printing.max_z) == (110, 80, 0.3)
    assert (travel.min_x, travel.min_y, travel.min_z) == (-5, 20, 0.3)
    assert (travel.max_x, travel.max_y, travel.max_z) == (150, 200, 30)
    assert analysis.height == 0.3


def test_a_shifted_origin_moves_no_box(run: Run) -> None:
    area = run("G1 X100 Y100 Z1", "G92 X0 Y0", "M83", "G1 X10 E1", "G28", "G1 X5").travel_area
    assert area is not None
    assert (area.max_x, area.max_y, area.min_x) == (110, 100, 5)


def test_nothing_moves_nothing_is_known(run: Run) -> None:
    analysis = run("M105")
    assert analysis.printing_area is None
    assert analysis.travel_area is None
    assert analysis.computed_time == 0

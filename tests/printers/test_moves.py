"""What people press, as G-code."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.errors import BadRequestError
from bedplate.printers import moves


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (10, "10"),
        (100.0, "100"),
        (0.1, "0.1"),
        (-1.25, "-1.25"),
        (1e-7, "0"),
        (-1e-7, "0"),
        (1e6, "1000000"),
        (1 / 3, "0.33333"),
    ],
)
def test_numbers_as_firmware_reads_them(value: float, text: str) -> None:
    assert moves.number(value) == text


@given(st.floats(-1e9, 1e9))
def test_no_number_has_an_exponent_or_needless_digits(value: float) -> None:
    text = moves.number(value)
    assert re.fullmatch(r"-?\d+(\.\d{0,4}[1-9])?", text)
    assert float(text) == pytest.approx(value, abs=1e-5)


def test_targets_of_a_printer_with_one_tool() -> None:
    assert moves.targets({"tool0": 215, "bed": 60.5, "chamber": 0}, 1) == [
        "M104 S215",
        "M140 S60.5",
        "M141 S0",
    ]


def test_targets_of_a_printer_with_several_tools_name_the_tool() -> None:
    assert moves.targets({"tool0": 0, "tool1": 200}, 2) == ["M104 T0 S0", "M104 T1 S200"]


@pytest.mark.parametrize("heater", ["tool1", "tool", "toolx", "", "Bed", "tool0 S300\nM112"])
def test_a_heater_that_there_is_not(heater: str) -> None:
    with pytest.raises(BadRequestError, match="There is no heater"):
        moves.targets({heater: 200}, 1)


def test_jogging_leaves_the_printer_in_absolute_mode() -> None:
    assert moves.jog({"x": 10, "z": -0.1}, 6000, absolute=False) == [
        "G91",
        "G0 X10 Z-0.1 F6000",
        "G90",
    ]
    assert moves.jog({"y": 5}, 1500, absolute=True) == ["G90", "G0 Y5 F1500"]


def test_homing() -> None:
    assert moves.home(["x", "y", "z"]) == ["G28 X Y Z"]
    assert moves.home(["z"]) == ["G28 Z"]


@pytest.mark.parametrize("axes", [[], ["e"], ["x", "w"]])
def test_homing_what_can_not_be_homed(axes: list[str]) -> None:
    with pytest.raises(BadRequestError, match="Name the axes"):
        moves.home(axes)


def test_extruding_and_retracting() -> None:
    assert moves.extrude(5, 300) == ["M83", "G1 E5 F300", "M82"]
    assert moves.extrude(-2.5, 300)[1] == "G1 E-2.5 F300"

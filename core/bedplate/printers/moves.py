"""What people press, as G-code: jogging, homing, extruding, temperatures, factors. Pure
functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bedplate.errors import BadRequestError

TOOL = re.compile(r"tool(\d{1,2})")
AXES = ("x", "y", "z")


def number(value: float) -> str:
    """A number as firmware reads it: no exponent, no needless zeros."""
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def targets(heaters: Mapping[str, float], maximum_tools: int) -> list[str]:
    """Set temperatures in °C without waiting: M104 (tools), M140 (bed), M141 (chamber)."""
    commands = []
    for heater, target in heaters.items():
        match = TOOL.fullmatch(heater)
        if match and int(match[1]) < maximum_tools:
            tool = f" T{int(match[1])}" if maximum_tools > 1 else ""
            commands.append(f"M104{tool} S{number(target)}")
        elif heater == "bed":
            commands.append(f"M140 S{number(target)}")
        elif heater == "chamber":
            commands.append(f"M141 S{number(target)}")
        else:
            raise BadRequestError(f"There is no heater {heater}.")
    return commands


def jog(distances: Mapping[str, float], feed_rate: float, *, absolute: bool) -> list[str]:
    """Move the head, in mm and mm/min; the modal state is absolute afterwards, as slicers leave
    it."""
    words = " ".join(f"{axis.upper()}{number(value)}" for axis, value in distances.items())
    move = f"G0 {words} F{number(feed_rate)}"
    return ["G90", move] if absolute else ["G91", move, "G90"]


def home(axes: Sequence[str]) -> list[str]:
    """Home these axes (G28)."""
    unknown = [axis for axis in axes if axis not in AXES]
    if unknown or not axes:
        raise BadRequestError("Name the axes to home: x, y, z.")
    return ["G28 " + " ".join(f"{axis.upper()}" for axis in axes)]


def extrude(amount: float, feed_rate: float) -> list[str]:
    """Push filament (or pull it, where negative), in mm and mm/min."""
    return ["M83", f"G1 E{number(amount)} F{number(feed_rate)}", "M82"]

"""Limits of a machine's motion, and the commands by which a file replaces them."""

from __future__ import annotations

import msgspec

Words = dict[str, float | None]
"""The words of a command after its first: letter -> number, None where the letter stands alone."""

_LEAST = 0.01
"""Smaller limits than this are no machine's; firmwares take zero for 'none'."""
_MM_PER_MIN = 1000.0
"""M203 is in mm/s for Marlin, in mm/min for RepRapFirmware: above this it is surely the latter."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the machine in mm/s and mm/s².

    The values are those of PrusaSlicer's default machine, a common printer with Marlin.
    """

    print_acceleration: float = 1500.0
    travel_acceleration: float = 1500.0
    retract_acceleration: float = 1500.0
    max_acceleration_xy: float = 9000.0
    max_acceleration_z: float = 500.0
    max_acceleration_e: float = 10000.0
    max_feed_xy: float = 500.0
    max_feed_z: float = 12.0
    max_feed_e: float = 120.0
    jerk_xy: float = 10.0
    jerk_z: float = 0.4
    jerk_e: float = 2.5


def replaced(limits: Limits, **changes: float | None) -> Limits:
    """Limits with some replaced; None and values that can't be meant leave the old ones."""
    known = {
        name: value for name, value in changes.items() if value is not None and value >= _LEAST
    }
    return msgspec.structs.replace(limits, **known)


def max_accelerations(limits: Limits, words: Words) -> Limits:
    """M201: the largest acceleration of each axis, mm/s²."""
    return replaced(
        limits,
        max_acceleration_xy=_least(words.get("X"), words.get("Y")),
        max_acceleration_z=words.get("Z"),
        max_acceleration_e=words.get("E"),
    )


def max_feeds(limits: Limits, words: Words) -> Limits:
    """M203: the largest speed of each axis, mm/s."""
    given = {axis: value for axis in "XYZE" if (value := words.get(axis)) is not None}
    unit = 60.0 if max(given.values(), default=0.0) > _MM_PER_MIN else 1.0
    speeds = {axis: value / unit for axis, value in given.items()}
    return replaced(
        limits,
        max_feed_xy=_least(speeds.get("X"), speeds.get("Y")),
        max_feed_z=speeds.get("Z"),
        max_feed_e=speeds.get("E"),
    )


def accelerations(limits: Limits, words: Words) -> Limits:
    """M204: accelerations by kind of move, mm/s²; S stands for printing and travel."""
    both = words.get("S")
    printing, travel = words.get("P"), words.get("T")
    return replaced(
        limits,
        print_acceleration=both if printing is None else printing,
        travel_acceleration=both if travel is None else travel,
        retract_acceleration=words.get("R"),
    )


def jerks(limits: Limits, words: Words) -> Limits:
    """M205: the largest jump of speed of each axis, mm/s."""
    return replaced(
        limits,
        jerk_xy=_least(words.get("X"), words.get("Y")),
        jerk_z=words.get("Z"),
        jerk_e=words.get("E"),
    )


LIMIT_COMMANDS = {201: max_accelerations, 203: max_feeds, 204: accelerations, 205: jerks}
"""Number of the M command -> what it does to the limits."""


def _least(*values: float | None) -> float | None:
    return min((value for value in values if value is not None and value >= _LEAST), default=None)

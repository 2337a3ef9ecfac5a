"""The slicer's figures beside our own: which are believed, and what stands in for those that are
missing.

A slicer knows its settings and is mostly right; but CuraEngine's command line writes placeholders,
and hand-edited or post-processed files keep figures of another print. So a figure counts when
nothing says that the header is a placeholder and when it is within reach of what we add up from the
moves.
"""

from __future__ import annotations

from math import pi
from typing import Any

from bedplate.gcode.records import Filament, Source
from bedplate.gcode.scan import Scan

DEFAULT_DIAMETER = 1.75
"""mm: what nearly all printers use."""

TIME_FACTOR = 8.0
TIME_ALLOWANCE = 900.0
"""A slicer's time is believed up to this factor from ours, and these seconds more: it may count
heating and levelling, which take minutes and which we do not."""

LENGTH_FACTOR = 10.0
"""A slicer's filament is believed up to this factor from ours. E in cubic millimetres (volumetric
extrusion) makes ours 2.4 times (1.75 mm) or 6.4 times (2.85 mm) as large."""

_HEATERS = (
    ("tool_first", "tool", "tool"),
    ("bed_first", "bed", "bed"),
)
"""Notes for the first layer and for the others, and the heater: `tool` takes a number."""


def time(scan: Scan) -> tuple[float, Source]:
    """Seconds that the print takes, and whose figure that is."""
    computed = scan.motion.time
    stated, line = scan.notes.get("time", (None, 0))
    if stated is None:
        return computed, "computed"
    upper = computed * TIME_FACTOR + TIME_ALLOWANCE
    if not _is_placeholder(scan) and max(1.0, computed / TIME_FACTOR) <= stated <= upper:
        return stated, "slicer"
    message = (
        f"The slicer's print time ({stated:g} s) can't be true; "
        "the time is computed from the moves."
    )
    scan.warn("time", message, line)
    return computed, "computed"


def filament(scan: Scan) -> tuple[dict[int, Filament], Source]:
    """Filament by tool, and whose figure that is."""
    computed = scan.motion.filament()
    lengths = _noted(scan, "length")
    total, ours = sum(lengths), sum(computed.values())
    within = not ours or ours / LENGTH_FACTOR <= total <= ours * LENGTH_FACTOR
    if _is_placeholder(scan) or total <= 0 or not within:
        return _with_volumes(scan, computed, {}, {}), "computed"
    used = {index: length for index, length in enumerate(lengths) if length > 0}
    # some slicers list only the tools in use: then the tools that extrude are those
    names = dict(zip(used, computed if len(computed) == len(used) else used, strict=True))
    volumes, weights = _noted(scan, "volume"), _noted(scan, "weight")
    return (
        _with_volumes(
            scan,
            {names[index]: length for index, length in used.items()},
            {names[index]: volumes[index] for index in used if index < len(volumes)},
            {names[index]: weights[index] for index in used if index < len(weights)},
        ),
        "slicer",
    )


def temperatures(scan: Scan) -> tuple[dict[str, float], dict[str, float]]:
    """Targets in °C by heater: when printing begins, and the highest. Zero targets are left out.

    Heaters that no command of the file sets are taken from the slicer's settings, if it wrote them:
    the file then leaves the heating to a macro of the firmware.
    """
    first = {name: value for name, value in (scan.first_targets or {}).items() if value > 0}
    highest = dict(scan.highest)
    for first_note, later_note, heater in _HEATERS:
        if any(name.startswith(heater) for name in highest):
            continue
        for target, values in (
            (first, _noted(scan, first_note) or _noted(scan, later_note)),
            (highest, _noted(scan, first_note) + _noted(scan, later_note)),
        ):
            if heater == "tool":
                target.update(_tool_targets(scan, values))
            elif max(values, default=0.0) > 0:
                target[heater] = max(values)
    return first, highest


def diameters(scan: Scan) -> list[float]:
    """Diameter of the filament in mm, by tool; never empty. Absurd values are dropped."""
    return [d for d in _noted(scan, "diameter") if 0.5 <= d <= 5] or [DEFAULT_DIAMETER]


def filament_types(scan: Scan) -> list[str]:
    """Names of materials, each once."""
    return _noted(scan, "material")


def layer_height(scan: Scan) -> float | None:
    """mm, as the slicer says."""
    values = _noted(scan, "layer_height")
    return values[0] if values and values[0] > 0 else None


def _tool_targets(scan: Scan, values: list[float]) -> dict[str, float]:
    tools = list(scan.motion.filament()) or [0]
    listed = len(values)
    pairs = ((tool, values[min(tool, listed - 1)]) for tool in tools if listed)
    return {f"tool{tool}": value for tool, value in pairs if value > 0}


def _with_volumes(
    scan: Scan, lengths: dict[int, float], volumes: dict[int, float], weights: dict[int, float]
) -> dict[int, Filament]:
    sizes = diameters(scan)
    result = {}
    for tool, length in lengths.items():
        diameter = sizes[min(tool, len(sizes) - 1)]
        volume = volumes.get(tool) or length * pi * diameter * diameter / 4 / 1000
        result[tool] = Filament(
            length=round(length, 3), volume=round(volume, 3), weight=weights.get(tool) or None
        )
    return result


def _is_placeholder(scan: Scan) -> bool:
    return "placeholder" in scan.notes


def _noted(scan: Scan, field: str) -> list[Any]:
    value, _line = scan.notes.get(field, ([], 0))
    return list(value)

"""What the analysis of a file says, as immutable data that goes through JSON and back."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

import msgspec

FORMAT = 1
"""Number of this form. It grows when figures change their meaning: stored analyses of an older one
are made again."""

Source = Literal["slicer", "computed"]


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a layer begins."""

    offset: int
    """Byte offset of the line that marks its start, or of the Z move that leads to it."""
    line: int
    """Number of that line, from 1."""
    z: float
    """Height in mm at which it prints."""
    time: float
    """Seconds from the start of the file to here, on the scale of `Analysis.estimated_time`."""


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """The space that moves reach into, in mm."""

    min_x: float
    min_y: float
    min_z: float
    max_x: float
    max_y: float
    max_z: float


class Filament(msgspec.Struct, frozen=True, kw_only=True):
    """Filament that one tool uses: mm, cm³, and grams where the slicer says so."""

    length: float
    volume: float
    weight: float | None = None


class LongestCommand(msgspec.Struct, frozen=True, kw_only=True):
    """The longest command: bytes without comment and line number, and where it stands."""

    length: int
    line: int


class ThumbnailInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A preview picture in the file: pixels, media type, size in bytes."""

    width: int
    height: int
    media_type: str
    size: int


class Warn(msgspec.Struct, frozen=True, kw_only=True):
    """Something that whoever prints should know, in words, and the line (from 1) it is about."""

    message: str
    line: int | None = None


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a G-code file by reading it once."""

    format: int = FORMAT
    sha1: str
    """Of the whole file, in hexadecimal."""
    size: int
    """Bytes."""
    lines: int
    commands: int
    """Lines that hold a command, that is: what a print sends."""
    layers: list[Layer]
    height: float
    """Highest Z at which is printed, in mm."""
    printing_area: Box | None
    """Of moves that print; None where nothing does."""
    travel_area: Box | None
    """Of all moves; None without any."""
    filament: dict[int, Filament]
    """By tool; the slicer's figures where they are believable."""
    filament_source: Source
    computed_filament: dict[int, float]
    """Length in mm by tool, added up from the moves."""
    estimated_time: float
    """Seconds; the slicer's figure where it is believable, else `computed_time`."""
    estimated_time_source: Source
    computed_time: float
    """Seconds that the moves take by our own reckoning."""
    slicer: str | None
    slicer_version: str | None
    filament_types: list[str]
    filament_diameter: float
    """mm: the slicer's, else 1.75."""
    layer_height: float | None
    """mm, as the slicer says."""
    first_layer_temperatures: dict[str, float]
    """Targets in °C when printing begins, by heater: `tool0`, `bed`, `chamber`."""
    temperatures: dict[str, float]
    """Highest targets in °C, by heater."""
    thumbnails: list[ThumbnailInfo]
    """Without their bytes; in the order of the file."""
    longest_command: LongestCommand | None
    warnings: list[Warn]
    """At most `MAX_WARNINGS`, in the order of the file."""


MAX_WARNINGS = 20


def layer_at(analysis: Analysis, offset: int) -> int | None:
    """Index (from 0) of the layer that a byte offset belongs to; None before the first one."""
    index = bisect_right(analysis.layers, offset, key=_offset)
    return index - 1 if index else None


def time_at(analysis: Analysis, offset: int) -> float:
    """Seconds from the start of the file until a byte offset is reached.

    Exact at the start of each layer, in proportion to the bytes between; 0 at the start of the file
    and `estimated_time` at its end.
    """
    index = bisect_right(analysis.layers, offset, key=_offset)
    before = analysis.layers[index - 1] if index else None
    after = analysis.layers[index] if index < len(analysis.layers) else None
    from_offset, from_time = (before.offset, before.time) if before else (0, 0.0)
    to_offset, to_time = (
        (after.offset, after.time) if after else (analysis.size, analysis.estimated_time)
    )
    if to_offset <= from_offset:
        return to_time
    share = (offset - from_offset) / (to_offset - from_offset)
    return from_time + (to_time - from_time) * min(1.0, max(0.0, share))


def _offset(layer: Layer) -> int:
    return layer.offset

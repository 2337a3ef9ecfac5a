"""Analysis of a G-code file: one pass, bounded memory, all that the host wants to know of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from os import SEEK_END
from pathlib import Path
from typing import NamedTuple

from bedplate.gcode import figures
from bedplate.gcode.blocks import CHUNK, blocks
from bedplate.gcode.extent import Extent
from bedplate.gcode.layers import MAX_LAYERS
from bedplate.gcode.limits import Limits
from bedplate.gcode.records import Analysis, Box, Layer, ThumbnailInfo, layer_at, time_at
from bedplate.gcode.scan import Scan
from bedplate.gcode.slicers import LAYER_MARKS
from bedplate.gcode.sniff import HEAD, NotGcodeError, sniff
from bedplate.gcode.thumbnails import Thumbnail

__all__ = ["Analysis", "AnalysisResult", "analyse", "layer_at", "time_at"]


class AnalysisResult(NamedTuple):
    """The analysis, and the pictures that `analysis.thumbnails` describes, in the same order."""

    analysis: Analysis
    thumbnails: list[Thumbnail]


def analyse(
    path: Path,
    *,
    limits: Limits | None = None,
    chunk_size: int = CHUNK,
    progress: Callable[[float], None] | None = None,
) -> AnalysisResult:
    """Read a file and say what it holds.

    `limits` are those of the printer where they are known. `progress` is told the fraction read so
    far (0 to 1), after each hundredth at most. Raises `NotGcodeError` for a file that is empty or
    is something else, and OSError where it can't be read.
    """
    scan = Scan(limits or Limits())
    digest = hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as stream:
        reason = sniff(stream.read(HEAD))
        if reason is not None:
            raise NotGcodeError(reason)
        total = max(1, stream.seek(0, SEEK_END))
        stream.seek(0)
        told = 0
        for block in blocks(stream, digest, chunk_size):
            scan.feed(block)
            percent = 100 * block.offset // total
            if progress is not None and percent > told:
                told = percent
                progress(percent / 100)
        size = stream.tell()
    if not scan.understood:
        raise NotGcodeError("This file holds comments or macros, but no G-code command.")
    scan.motion.stop()
    return AnalysisResult(_summary(scan, digest.hexdigest(), size), scan.thumbnails.found)


def _summary(scan: Scan, sha1: str, size: int) -> Analysis:
    motion = scan.motion
    computed = motion.time
    used = motion.filament()
    time, time_source = figures.time(scan)
    filament, filament_source = figures.filament(scan)
    first, highest = figures.temperatures(scan)
    _last_warnings(scan)
    name, version = scan.generator or (None, None)
    return Analysis(
        sha1=sha1,
        size=size,
        lines=scan.lines,
        commands=scan.commands,
        layers=_layers(scan, time / computed if computed else 1.0),
        height=_mm(max(0.0, motion.printed.max_z)),
        printing_area=_box(motion.printed),
        travel_area=_box(motion.printed, motion.travelled),
        filament=filament,
        filament_source=filament_source,
        computed_filament={tool: _mm(length) for tool, length in used.items()},
        estimated_time=round(time, 3),
        estimated_time_source=time_source,
        computed_time=round(computed, 3),
        slicer=name,
        slicer_version=version,
        filament_types=figures.filament_types(scan),
        filament_diameter=figures.diameters(scan)[0],
        layer_height=figures.layer_height(scan),
        first_layer_temperatures=first,
        temperatures=highest,
        thumbnails=[_info(picture) for picture in scan.thumbnails.found],
        longest_command=scan.longest,
        warnings=sorted(scan.warnings, key=lambda warning: warning.line or scan.lines + 1),
    )


def _last_warnings(scan: Scan) -> None:
    if scan.layers.overflow:
        message = f"The file has more than {MAX_LAYERS} layers; the rest is not recorded."
        scan.warn("layers", message)
    if not scan.motion.filament():
        scan.warn("no filament", "Nothing in this file extrudes filament.")


def _layers(scan: Scan, time_scale: float) -> list[Layer]:
    starts = scan.layers.layers(tuple(mark.kind for mark in LAYER_MARKS))
    return [
        Layer(
            offset=start.place.offset,
            line=start.place.line,
            z=_mm(start.z),
            time=round(start.place.time * time_scale, 3),
        )
        for start in starts
    ]


def _box(*extents: Extent) -> Box | None:
    known = [extent for extent in extents if extent.max_x >= extent.min_x]
    if not known:
        return None
    return Box(
        min_x=_mm(min(extent.min_x for extent in known)),
        min_y=_mm(min(extent.min_y for extent in known)),
        min_z=_mm(min(extent.min_z for extent in known)),
        max_x=_mm(max(extent.max_x for extent in known)),
        max_y=_mm(max(extent.max_y for extent in known)),
        max_z=_mm(max(extent.max_z for extent in known)),
    )


def _info(picture: Thumbnail) -> ThumbnailInfo:
    return ThumbnailInfo(
        width=picture.width,
        height=picture.height,
        media_type=picture.media_type,
        size=len(picture.data),
    )


def _mm(value: float) -> float:
    """Millimetres to a thousandth; files have no more."""
    return round(value, 3)

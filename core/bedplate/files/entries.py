"""What a listing of print files says: immutable data. Sizes in bytes, times in Unix seconds."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bedplate.gcode.records import Analysis


class ThumbnailFile(msgspec.Struct, frozen=True, kw_only=True):
    """A preview picture that the slicer wrote into the file; `name` is that of its copy on disk."""

    name: str
    width: int
    height: int
    media_type: str


class PrintResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one job ended."""

    time: float
    duration: float
    """Seconds printed."""
    outcome: Literal["done", "failed", "cancelled"]
    printer: str | None


class PrintHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs that printed a file; cancelled ones count as failures, as in OctoPrint."""

    success: int
    failure: int
    last: PrintResult
    average_duration: float | None
    """Seconds, of the successful ones; None without any."""


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A print file."""

    name: str
    display: str
    """The name as it was uploaded, before it was cleaned."""
    path: str
    """From the root, with `/`."""
    size: int
    modified: float
    hash: str | None
    """SHA-1 in hexadecimal, as OctoPrint has it; None until analysed."""
    analysis: Analysis | None
    """Without its `layers`, which are many: `Library.analysis` has them. None until analysed."""
    layers: int | None
    """How many there are."""
    analysis_error: str | None
    """Why there is no analysis, in a sentence, where there will be none."""
    thumbnails: list[ThumbnailFile]
    prints: PrintHistory | None
    user: str | None
    """Who uploaded it."""
    userdata: Any


class FolderEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A folder; `size` is that of everything in it."""

    name: str
    display: str
    path: str
    size: int
    modified: float
    children: list[FileEntry | FolderEntry]
    """Empty below the depth that was asked for."""


Entry = FileEntry | FolderEntry

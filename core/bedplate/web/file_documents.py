"""Print files and folders as OctoPrint's clients know them. Pure functions of the library's
entries.

`size` and `date` are whole numbers, and `typePath` is on every entry: clients written in Go or that
read without asking drop the whole list otherwise. Keys that OctoPrint has not: `layers`,
`thumbnails`, `analysisError`, `warnings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from bedplate.files.entries import Entry, FileEntry, FolderEntry, PrintHistory, ThumbnailFile
from bedplate.gcode.records import Analysis, Box
from bedplate.web.documents import FilamentDocument
from bedplate.web.facts import filament_of
from bedplate.web.profiles import PROFILE
from bedplate.web.wire import Wire

LOCAL = "local"
MACHINE_CODE = ["machinecode", "gcode"]
DOWNLOADS = "/downloads/files/local/"
THUMBNAILS = "downloads/thumbnails/"


class Refs(Wire, frozen=True):
    """Absolute addresses of an entry."""

    resource: str
    download: str | UnsetType = UNSET
    thumbnail: str | UnsetType = UNSET


class Dimensions(Wire, frozen=True):
    """Size of a box, in mm."""

    width: float
    depth: float
    height: float


class Area(Wire, frozen=True):
    """Corners of a box, in mm."""

    min_x: float = msgspec.field(name="minX")
    min_y: float = msgspec.field(name="minY")
    min_z: float = msgspec.field(name="minZ")
    max_x: float = msgspec.field(name="maxX")
    max_y: float = msgspec.field(name="maxY")
    max_z: float = msgspec.field(name="maxZ")


class AnalysisDocument(Wire, frozen=True):
    """What reading a file showed; `_empty` alone where that failed. Time in seconds."""

    empty: bool | UnsetType = msgspec.field(name="_empty", default=UNSET)
    estimated_print_time: float | UnsetType = UNSET
    filament: dict[str, FilamentDocument] | UnsetType = UNSET
    dimensions: Dimensions | UnsetType = UNSET
    printing_area: Area | UnsetType = UNSET
    travel_area: Area | UnsetType = UNSET
    travel_dimensions: Dimensions | UnsetType = UNSET


class LastPrint(Wire, frozen=True):
    """The last job of a file: Unix seconds, and seconds printed."""

    date: float
    print_time: float
    success: bool


class Prints(Wire, frozen=True):
    """The jobs of a file."""

    success: int
    failure: int
    last: LastPrint


class Statistics(Wire, frozen=True):
    """Seconds that successful jobs took, by printer profile."""

    average_print_time: dict[str, float]
    last_print_time: dict[str, float]


class Thumbnail(Wire, frozen=True):
    """A preview picture; `url` is relative to the host's address."""

    url: str
    width: int
    height: int


class Warning(Wire, frozen=True):
    """Something that whoever prints should know; `line` of the file, from 1."""

    message: str
    line: int | None


class FileDocument(Wire, frozen=True, tag_field="type", tag="machinecode"):
    """A print file."""

    name: str
    display: str
    path: str
    origin: str
    type_path: list[str]
    size: int
    date: int
    refs: Refs
    hash: str | UnsetType = UNSET
    user: str | UnsetType = UNSET
    userdata: Any = UNSET
    gcode_analysis: AnalysisDocument | UnsetType = UNSET
    prints: Prints | UnsetType = UNSET
    statistics: Statistics | UnsetType = UNSET
    thumbnail: str | UnsetType = UNSET
    thumbnail_src: str | UnsetType = msgspec.field(name="thumbnail_src", default=UNSET)
    thumbnails: list[Thumbnail] = msgspec.field(default_factory=list)
    layers: int | None = None
    analysis_error: str | None = None
    warnings: list[Warning] = msgspec.field(default_factory=list)


class FolderDocument(Wire, frozen=True, tag_field="type", tag="folder"):
    """A folder; its size is that of everything in it."""

    name: str
    display: str
    path: str
    origin: str
    type_path: list[str]
    size: int
    date: int
    refs: Refs
    children: list[FileDocument | FolderDocument]


EntryDocument = FileDocument | FolderDocument


class FilesDocument(Wire, frozen=True):
    """A listing, and the bytes that are free and that there are in all."""

    files: list[FileDocument | FolderDocument]
    free: int
    total: int


class FileName(Wire, frozen=True):
    """A file by its names and addresses."""

    name: str
    display: str
    path: str
    origin: str
    refs: Refs


@dataclass(frozen=True)
class Addresses:
    """Makes the addresses of entries: `base` is scheme and host, `api` the base of the API."""

    base: str
    api: str

    def resource(self, path: str) -> str:
        """Where an entry's document is."""
        return f"{self.api}/files/{LOCAL}/{quote(path)}"

    def download(self, path: str) -> str:
        """Where a file's content is."""
        return f"{self.base}{DOWNLOADS}{quote(path)}"


def entry_documents(entries: Iterable[Entry], addresses: Addresses) -> list[EntryDocument]:
    """A listing."""
    return [entry_document(entry, addresses) for entry in entries]


def entry_document(entry: Entry, addresses: Addresses) -> EntryDocument:
    """A file or folder."""
    if isinstance(entry, FolderEntry):
        return folder_document(entry, addresses)
    return file_document(entry, addresses)


def folder_document(entry: FolderEntry, addresses: Addresses) -> FolderDocument:
    """A folder with what the entry has of its content."""
    return FolderDocument(
        name=entry.name,
        display=entry.display,
        path=entry.path,
        origin=LOCAL,
        type_path=["folder"],
        size=entry.size,
        date=int(entry.modified),
        refs=Refs(resource=addresses.resource(entry.path)),
        children=entry_documents(entry.children, addresses),
    )


def file_document(entry: FileEntry, addresses: Addresses) -> FileDocument:
    """A print file."""
    best = best_thumbnail(entry.thumbnails)
    return FileDocument(
        name=entry.name,
        display=entry.display,
        path=entry.path,
        origin=LOCAL,
        type_path=MACHINE_CODE,
        size=entry.size,
        date=int(entry.modified),
        refs=Refs(
            resource=addresses.resource(entry.path),
            download=addresses.download(entry.path),
            thumbnail=f"{addresses.base}/{THUMBNAILS}{best.name}" if best else UNSET,
        ),
        hash=entry.hash or UNSET,
        user=entry.user or UNSET,
        userdata=UNSET if entry.userdata is None else entry.userdata,
        gcode_analysis=_analysis(entry),
        prints=_prints(entry.prints) if entry.prints else UNSET,
        statistics=_statistics(entry.prints) if entry.prints else UNSET,
        thumbnail=f"{THUMBNAILS}{best.name}" if best else UNSET,
        thumbnail_src="bedplate" if best else UNSET,
        thumbnails=[
            Thumbnail(url=f"{THUMBNAILS}{item.name}", width=item.width, height=item.height)
            for item in entry.thumbnails
        ],
        layers=entry.layers,
        analysis_error=entry.analysis_error,
        warnings=[
            Warning(message=item.message, line=item.line)
            for item in (entry.analysis.warnings if entry.analysis else [])
        ],
    )


def file_name(entry: Entry, addresses: Addresses) -> FileName:
    """The names and addresses of an entry."""
    download = addresses.download(entry.path) if isinstance(entry, FileEntry) else UNSET
    return FileName(
        name=entry.name,
        display=entry.display,
        path=entry.path,
        origin=LOCAL,
        refs=Refs(resource=addresses.resource(entry.path), download=download),
    )


def best_thumbnail(thumbnails: Sequence[ThumbnailFile]) -> ThumbnailFile | None:
    """The largest picture."""
    return max(thumbnails, key=lambda item: item.width * item.height, default=None)


def _analysis(entry: FileEntry) -> AnalysisDocument | UnsetType:
    analysis = entry.analysis
    if analysis is None:
        return AnalysisDocument(empty=True) if entry.analysis_error else UNSET
    return AnalysisDocument(
        estimated_print_time=analysis.estimated_time,
        filament=filament_of(entry) or {},
        **_extent(analysis),
    )


NOWHERE = Box(min_x=0.0, min_y=0.0, min_z=0.0, max_x=0.0, max_y=0.0, max_z=0.0)


def _extent(analysis: Analysis) -> dict[str, Any]:
    printing, travel = analysis.printing_area or NOWHERE, analysis.travel_area or NOWHERE
    return {
        "dimensions": _dimensions(printing),
        "printing_area": _area(printing),
        "travel_area": _area(travel),
        "travel_dimensions": _dimensions(travel),
    }


def _dimensions(box: Box) -> Dimensions:
    return Dimensions(
        width=box.max_x - box.min_x, depth=box.max_y - box.min_y, height=box.max_z - box.min_z
    )


def _area(box: Box) -> Area:
    return Area(**msgspec.structs.asdict(box))


def _prints(history: PrintHistory) -> Prints:
    last = history.last
    return Prints(
        success=history.success,
        failure=history.failure,
        last=LastPrint(date=last.time, print_time=last.duration, success=last.outcome == "done"),
    )


def _statistics(history: PrintHistory) -> Statistics:
    average, last = history.average_duration, history.last
    return Statistics(
        average_print_time={} if average is None else {PROFILE: average},
        last_print_time={PROFILE: last.duration} if last.outcome == "done" else {},
    )

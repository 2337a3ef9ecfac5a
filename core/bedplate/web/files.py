"""Print files: listing, choosing, printing, copying, moving, deleting. Uploads have their own
module."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from msgspec import UNSET, UnsetType

from bedplate.errors import (
    BadRequestError,
    BedplateError,
    ConflictError,
    NotFoundError,
    StorageFullError,
    UnsupportedTypeError,
)
from bedplate.files.entries import Entry, FileEntry, FolderEntry
from bedplate.files.names import clean_name, clean_path, join
from bedplate.web.context import Printer
from bedplate.web.file_documents import (
    LOCAL,
    Addresses,
    FileDocument,
    FileName,
    FilesDocument,
    FolderDocument,
    entry_document,
    entry_documents,
    file_name,
)
from bedplate.web.permissions import (
    FILES_DELETE,
    FILES_LIST,
    FILES_SELECT,
    FILES_UPLOAD,
    PRINT,
    SLICE,
)
from bedplate.web.routing import Answer, Call, Route
from bedplate.web.wire import Command, NoQuery, Wire

CURRENT = "current"
"""In `unselect`, a path that names whichever file is selected."""


class FilesQuery(Wire, frozen=True):
    """`recursive`: with everything below; `filter`: only `machinecode` or `model`; `force`: in any
    case, also where the client has this version already."""

    recursive: bool = False
    filter: str | None = None
    force: bool = False


class Select(Command, frozen=True, tag="select"):
    """Make this the file that is printed next; with `print`, print it."""

    print: bool = False


class Unselect(Command, frozen=True, tag="unselect"):
    """Select no file any more."""


class Analyse(Command, frozen=True, tag="analyse"):
    """Read the file again."""

    printer_profile: str | None = None


class Copy(Command, frozen=True, tag="copy"):
    """Copy into a folder, or to a new path."""

    destination: str


class Move(Command, frozen=True, tag="move"):
    """Move into a folder, or to a new path."""

    destination: str


class Slice(Command, frozen=True, tag="slice"):
    """Slice a model: there is no slicer here."""


class UploadToCard(Command, frozen=True, tag="uploadSd"):
    """Copy to the printer's own card: not supported."""


FileCommand = Select | Unselect | Analyse | Copy | Move | Slice | UploadToCard


def addresses_of(call: Call[Any, Any]) -> Addresses:
    """Makes the addresses in documents for the client that asks."""
    return Addresses(call.base, call.api(""))


def need_local(call: Call[Any, Any]) -> None:
    """Raises NotFoundError for another origin: the printer's own card is not supported."""
    origin = call.parameters.get("origin", LOCAL)
    if origin != LOCAL:
        raise NotFoundError(f'There are no files of origin "{origin}".')


def _tag(call: Call[Any, FilesQuery]) -> str:
    """Changes with the listing, and with everything of the request that the document depends on."""
    parts = (call.host.library.version, call.base, call.prefix, call.request.path, call.query)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _filtered(entries: list[Entry], kind: str | None) -> list[Entry]:
    """There are no models here, only folders that could hold some."""
    if kind == "model":
        return [entry for entry in entries if isinstance(entry, FolderEntry)]
    return entries


async def read_files(call: Call[None, FilesQuery]) -> FilesDocument:
    """All print files.

    Folders have their content in `children`: one level deep, or all of it with `recursive`.
    """
    need_local(call)
    call.revalidate(_tag(call))
    library, query = call.host.library, call.query
    entries = _filtered(library.entries("", recursive=query.recursive), query.filter)
    free, total = library.free_space()
    return FilesDocument(files=entry_documents(entries, addresses_of(call)), free=free, total=total)


async def read_files_of(call: Call[None, FilesQuery]) -> FilesDocument:
    """All print files of one origin; there is only `local`."""
    return await read_files(call)


async def read_file(call: Call[None, FilesQuery]) -> FileDocument | FolderDocument:
    """One file, or one folder with its content."""
    need_local(call)
    entry = call.host.library.entry(call.parameters["path"], recursive=call.query.recursive)
    call.revalidate(_tag(call))
    return entry_document(entry, addresses_of(call))


async def command_file(call: Call[FileCommand, NoQuery]) -> Answer:
    """Select, print, copy or move a file."""
    need_local(call)
    path = call.parameters["path"]
    match call.body:
        case Select(print=start):
            await _select(call, path, start)
        case Unselect():
            _unselect(call, path)
        case Analyse():
            call.require(FILES_UPLOAD)
            call.host.analysis.analyse(call.host.library.file(path).path)
        case Copy(destination=destination):
            call.require(FILES_UPLOAD)
            return _created(call, await call.host.library.copy(path, destination))
        case Move(destination=destination):
            call.require(FILES_UPLOAD)
            call.require(FILES_DELETE)
            return _created(call, _move(call, path, destination))
        case Slice():
            call.require(SLICE)
            raise UnsupportedTypeError("There is no slicer here.")
        case UploadToCard():
            raise NotFoundError("Printing from the printer's own card is not supported.")
    return Answer(status=204)


async def _select(call: Call[Any, Any], path: str, start: bool) -> None:
    call.require(FILES_SELECT)
    if start:
        call.require(PRINT)
    printer = call.printer
    call.host.library.file(path)
    if printer.is_active:
        raise ConflictError("A job is running: another file can be selected once it has ended.")
    if start and not printer.is_operational:
        raise ConflictError("Printer is not operational.")
    printer.select(path)
    if start:
        await printer.start(path, user=call.actor.name)


def _unselect(call: Call[Any, Any], path: str) -> None:
    call.require(FILES_SELECT)
    selected = call.printer.selected
    if call.printer.is_active:
        raise ConflictError("A job is running.")
    if path != CURRENT and (selected is None or selected.path != path):
        raise BadRequestError("Only the selected file can be unselected.")
    call.printer.select(None)


def _move(call: Call[Any, Any], path: str, destination: str) -> Entry:
    """Moves, and keeps the file selected where it was."""
    holders = [p for p in call.host.printers.values() if _holds(p, path)]
    old = {printer.id: printer.selected for printer in holders}
    entry = call.host.library.move(path, destination)
    for printer in holders:
        selected = old[printer.id]
        assert selected is not None
        if not printer.is_active:
            printer.select(entry.path + selected.path[len(path) :])
    return entry


def _holds(printer: Printer, path: str) -> bool:
    """Whether the printer's selected file is the one at `path`, or below it."""
    selected = printer.selected
    return selected is not None and f"{selected.path}/".startswith(f"{path}/")


def _created(call: Call[Any, Any], entry: Entry) -> Answer:
    document = file_name(entry, addresses_of(call))
    return Answer(status=201, document=document, headers={"Location": document.refs.resource})


async def delete_file(call: Call[None, NoQuery]) -> Answer:
    """Delete a file, or a folder with everything in it.

    A file that is being printed stays. One that was only selected is unselected.
    """
    need_local(call)
    path = call.parameters["path"]
    holders = [printer for printer in call.host.printers.values() if _holds(printer, path)]
    call.host.library.delete(path)
    for printer in holders:
        if not printer.is_active:
            printer.select(None)
    return Answer(status=204)


# -- asking about names ----------------------------------------------------------------------------


class Sanitize(Command, frozen=True, tag="sanitize"):
    """What would a file be called?"""

    filename: str
    path: str = ""
    storage: Literal["local"] = "local"


class Exists(Command, frozen=True, tag="exists"):
    """Is there a file of that name?"""

    filename: str
    path: str = ""
    storage: Literal["local"] = "local"


class TestDocument(Wire, frozen=True):
    """The answer to either question: size in bytes, date in Unix seconds."""

    sanitized: str | UnsetType = UNSET
    exists: bool | UnsetType = UNSET
    suggestion: str | UnsetType = UNSET
    size: int | UnsetType = UNSET
    date: int | UnsetType = UNSET


async def test_file(call: Call[Sanitize | Exists, NoQuery]) -> TestDocument:
    """Ask what a file would be called, or whether it is there."""
    body = call.body
    path = join(clean_path(body.path), clean_name(body.filename))
    if isinstance(body, Sanitize):
        return TestDocument(sanitized=path)
    entry = _entry(call, path)
    if not isinstance(entry, FileEntry):
        return TestDocument(exists=False)
    return TestDocument(
        exists=True,
        suggestion=_free_name(call, path),
        size=entry.size,
        date=int(entry.modified),
    )


def _entry(call: Call[Any, Any], path: str) -> Entry | None:
    try:
        return call.host.library.entry(path)
    except BedplateError:
        return None


def _free_name(call: Call[Any, Any], path: str) -> str:
    stem, dot, extension = path.rpartition(".")
    number = 1
    while _entry(call, f"{stem}_{number}{dot}{extension}") is not None:
        number += 1
    return f"{stem}_{number}{dot}{extension}".rpartition("/")[2]


TAG = "Files"

ROUTES = (
    Route(
        method="GET",
        path="/api/files",
        handler=read_files,
        permission=FILES_LIST,
        query=FilesQuery,
        answers={200: FilesDocument},
        errors=(BadRequestError,),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/files/{origin}",
        handler=read_files_of,
        permission=FILES_LIST,
        query=FilesQuery,
        answers={200: FilesDocument},
        errors=(BadRequestError, NotFoundError),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/files/{origin}/{path:rest}",
        handler=read_file,
        permission=FILES_LIST,
        query=FilesQuery,
        answers={200: FileDocument | FolderDocument},
        errors=(BadRequestError, NotFoundError),
        tag=TAG,
    ),
    Route(
        method="POST",
        path="/api/files/{origin}/{path:rest}",
        handler=command_file,
        permission=FILES_LIST,
        also=(FILES_SELECT, FILES_UPLOAD, FILES_DELETE, PRINT, SLICE),
        body=FileCommand,
        answers={204: None, 201: FileName},
        errors=(
            BadRequestError,
            NotFoundError,
            ConflictError,
            UnsupportedTypeError,
            StorageFullError,
        ),
        tag=TAG,
    ),
    Route(
        method="DELETE",
        path="/api/files/{origin}/{path:rest}",
        handler=delete_file,
        permission=FILES_DELETE,
        answers={204: None},
        errors=(BadRequestError, NotFoundError, ConflictError),
        tag=TAG,
    ),
    Route(
        method="POST",
        path="/api/files/test",
        handler=test_file,
        permission=FILES_LIST,
        body=Sanitize | Exists,
        answers={200: TestDocument},
        errors=(BadRequestError, UnsupportedTypeError),
        tag=TAG,
    ),
)

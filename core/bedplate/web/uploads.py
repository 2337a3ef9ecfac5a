"""Uploads: a multipart body that goes to the disk as it arrives, and making folders.

The fields may come in any order. What stands after the file and changes where it goes (`path`,
`filename`, `noOverwrite`, `userdata`) costs a copy at the end; before the file it costs nothing.
Fields that imitate what a reverse proxy would write (`file.path`, `file.name`) mean nothing here.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, UnsetType

from bedplate.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    StorageFullError,
    TooLargeError,
    UnavailableError,
    UnsupportedTypeError,
)
from bedplate.files.entries import FileEntry, FolderEntry
from bedplate.files.library import Library
from bedplate.files.names import join
from bedplate.files.upload import Upload
from bedplate.web.body import FORM, JSON, MULTIPART, media_type
from bedplate.web.context import Host
from bedplate.web.file_documents import LOCAL, FileName, file_name
from bedplate.web.files import addresses_of, need_local
from bedplate.web.multipart import FormReader, Part, boundary_of
from bedplate.web.permissions import FILES_DELETE, FILES_SELECT, FILES_UPLOAD, PRINT
from bedplate.web.routing import JSON_LIMIT, Answer, Call, Content, Route
from bedplate.web.wire import NoQuery, Wire, truth

FORM_OVERHEAD = 256 * 1024
"""Bytes that the other fields and the heads of the parts may take on top of the file's limit."""

COPY_CHUNK = 1024 * 1024

FILE_PART = "file"
"""The one part whose content is taken; files in parts of other names are read over."""


class UploadedFiles(Wire, frozen=True):
    """By origin."""

    local: FileName


class UploadDocument(Wire, frozen=True):
    """What came of an upload (`files` and the two flags), or of a new folder (`folder`)."""

    done: bool
    files: UploadedFiles | UnsetType = UNSET
    folder: FileName | UnsetType = UNSET
    effective_select: bool | UnsetType = UNSET
    effective_print: bool | UnsetType = UNSET


UPLOAD_FORM = Content(
    MULTIPART,
    {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary", "description": "The print file."},
            "path": {"type": "string", "description": "Folder; it is made where it is missing."},
            "filename": {"type": "string", "description": "Name to use instead of the file's."},
            "select": {"type": "boolean", "description": "Select the file afterwards."},
            "print": {"type": "boolean", "description": "Print the file afterwards."},
            "userdata": {"type": "string", "description": "JSON, kept with the file."},
            "noOverwrite": {"type": "boolean", "description": "Refuse if the file exists."},
            "foldername": {"type": "string", "description": "Instead of a file: make a folder."},
        },
    },
)


class Target(NamedTuple):
    """Where an upload goes, and what is kept with it."""

    folder: str
    name: str
    overwrite: bool
    userdata: Any


@dataclass(frozen=True)
class Received:
    """A body that arrived whole: its fields, and the file unless there was none."""

    fields: Mapping[str, str]
    entry: FileEntry | None


class FormReceiver:
    """A small body without a file: a form or JSON with `foldername`."""

    def __init__(self, json: bool) -> None:
        self._json = json
        self._data = bytearray()

    async def write(self, data: bytes) -> None:
        """The next piece."""
        self._data += data
        if len(self._data) > JSON_LIMIT:
            raise TooLargeError(f"A body without a file may have {JSON_LIMIT} bytes at most.")

    async def close(self) -> Received:
        """The fields."""
        try:
            if self._json:
                values = msgspec.json.decode(bytes(self._data), type=dict[str, Any])
                return Received({k: v for k, v in values.items() if isinstance(v, str)}, None)
            text = self._data.decode("utf-8")
            return Received(dict(parse_qsl(text, keep_blank_values=True)), None)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise BadRequestError("The body of this request can't be read.") from None

    async def abort(self) -> None:
        """Nothing to undo."""


class UploadReceiver:
    """A multipart body with a file. Nothing of it is visible until `close` has put it in place."""

    def __init__(self, call: Call[Any, Any], boundary: bytes) -> None:
        self._library: Library = call.host.library
        self._user = call.actor.name
        self._expected = max(0, length_of(call) - FORM_OVERHEAD)
        self._may_overwrite = call.may(FILES_DELETE)
        self._chunks: list[bytes] = []
        self._begin: Part | None = None
        self._taking = False
        self._filename: str | None = None
        self._upload: Upload | None = None
        self._target: Target | None = None
        self._reader = FormReader(boundary, self._file, self._data, self._file_end)

    async def write(self, data: bytes) -> None:
        """The next piece; it is on the disk when this returns."""
        self._reader.feed(data)
        chunks, self._chunks = self._chunks, []
        if self._begin is not None:
            part, self._begin = self._begin, None
            self._start(part)
        if chunks and self._upload is not None:
            await self._upload.write(b"".join(chunks) if len(chunks) > 1 else chunks[0])

    async def close(self) -> Received:
        """Puts the file in its place."""
        if not self._reader.complete:
            raise BadRequestError("The multipart body ends before its last boundary.")
        upload = self._upload
        if upload is None:
            return Received(self._reader.fields, None)
        target = self._wanted()
        if target != self._target:
            upload = await self._move(upload, target)
        entry = await upload.commit()
        self._upload = None
        return Received(self._reader.fields, entry)

    async def abort(self) -> None:
        """Removes what has arrived so far."""
        if self._upload is not None:
            self._upload.abort()
            self._upload = None

    # -- parts -------------------------------------------------------------------------------------

    def _file(self, part: Part) -> None:
        self._taking = part.name == FILE_PART
        if self._taking:
            if self._filename is not None:
                raise BadRequestError("One file can be uploaded at a time.")
            self._begin = part
            self._filename = part.filename

    def _data(self, data: bytes) -> None:
        if self._taking:
            self._chunks.append(data)

    def _file_end(self) -> None:
        self._taking = False

    def _start(self, part: Part) -> None:
        """Begins to write where the fields so far say. A conflict there may be cured by a later
        field, so it is not told before the end."""
        target = self._wanted()
        try:
            self._upload = self._open(target)
            self._target = target
        except ConflictError:
            aside = Target("", f"{secrets.token_hex(8)}.gcode", True, None)
            self._upload = self._open(aside)
            self._target = None

    def _wanted(self) -> Target:
        fields = self._reader.fields
        name = fields.get("filename") or self._filename or ""
        overwrite = self._may_overwrite and not truth(fields.get("noOverwrite", ""))
        return Target(fields.get("path", ""), name, overwrite, _userdata(fields.get("userdata")))

    def _open(self, target: Target) -> Upload:
        return self._library.begin_upload(
            target.folder,
            target.name,
            overwrite=target.overwrite,
            expected_size=self._expected,
            user=self._user,
            userdata=target.userdata,
        )

    async def _move(self, upload: Upload, target: Target) -> Upload:
        """The same content as an upload to another place."""
        other = self._open(target)
        try:
            with upload, await asyncio.to_thread(upload.temporary.open, "rb") as source:
                self._upload = other
                while data := await asyncio.to_thread(source.read, COPY_CHUNK):
                    await other.write(data)
        except BaseException:
            other.abort()
            raise
        return other


def _userdata(text: str | None) -> Any:
    if not text:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequestError("userdata is invalid: it is not JSON.") from None


def receive(call: Call[Any, Any]) -> UploadReceiver | FormReceiver:
    """Who takes the body of this request. Raises UnsupportedTypeError, NotFoundError."""
    need_local(call)
    kind = media_type(call.request.headers)
    if kind == MULTIPART:
        return UploadReceiver(call, boundary_of(call.request.headers))
    if kind in (JSON, FORM):
        return FormReceiver(kind == JSON)
    raise UnsupportedTypeError(f"An upload must be {MULTIPART}; its Content-Type says otherwise.")


def length_of(call: Call[Any, Any]) -> int:
    """Bytes of the whole body, as far as the client says: 0 where it does not."""
    length = call.request.headers.get("Content-Length", "0").strip()
    return int(length) if length.isdecimal() else 0


def limit(host: Host) -> int:
    """Bytes of a body at most."""
    return host.store.settings.server.upload_limit + FORM_OVERHEAD


async def upload_file(call: Call[Received, NoQuery]) -> Answer:
    """Upload a print file, or make a folder.

    With `print=true` the print begins as soon as the file is there; where the printer is not ready
    for it, or the permission is missing, the file is uploaded all the same and `effectivePrint`
    says no. An existing file is replaced, unless it is being printed. Form fields may come in any
    order, but `path`, `filename`, `noOverwrite` and `userdata` cost less before the file.
    """
    received = call.body
    if received.entry is not None:
        return await _uploaded(call, received.entry, received.fields)
    name = received.fields.get("foldername", "")
    if not name.strip():
        raise BadRequestError("No file to upload and no folder to create.")
    folder = call.host.library.create_folder(join(received.fields.get("path", ""), name))
    return _folder_created(call, folder)


async def _uploaded(
    call: Call[Received, NoQuery], entry: FileEntry, fields: Mapping[str, str]
) -> Answer:
    select, start = truth(fields.get("select", "")), truth(fields.get("print", ""))
    selected, started = await _use(call, entry, select, start)
    call.push.event(
        "Upload",
        {
            "name": entry.name,
            "path": entry.path,
            "target": LOCAL,
            "select": select,
            "print": start,
            "effective_select": selected,
            "effective_print": started,
        },
    )
    names = file_name(entry, addresses_of(call))
    document = UploadDocument(
        files=UploadedFiles(local=names),
        done=True,
        effective_select=selected,
        effective_print=started,
    )
    return Answer(status=201, document=document, headers={"Location": names.refs.resource})


async def _use(
    call: Call[Received, NoQuery], entry: FileEntry, select: bool, start: bool
) -> tuple[bool, bool]:
    """Selects and prints what was uploaded, as far as printer and permissions allow: whether it
    did.

    A file that was selected before is selected again, with its new size.
    """
    printer = call.printer
    if printer.is_active:
        return False, False
    before = printer.selected
    again = before is not None and before.path == entry.path
    select = select and printer.is_operational and call.may(FILES_SELECT)
    start = start and printer.is_operational and call.may(FILES_SELECT) and call.may(PRINT)
    try:
        if select or start or again:
            printer.select(entry.path)
        if start:
            await printer.start(entry.path, user=call.actor.name)
    except ConflictError:
        return select, False
    return select, start


def _folder_created(call: Call[Received, NoQuery], folder: FolderEntry) -> Answer:
    names = file_name(folder, addresses_of(call))
    document = UploadDocument(folder=names, done=True)
    return Answer(status=201, document=document, headers={"Location": names.refs.resource})


ROUTES = (
    Route(
        method="POST",
        path="/api/files/{origin}",
        handler=upload_file,
        permission=FILES_UPLOAD,
        also=(FILES_SELECT, FILES_DELETE, PRINT),
        body=UPLOAD_FORM,
        receiver=receive,
        receiver_limit=limit,
        answers={201: UploadDocument},
        errors=(
            BadRequestError,
            NotFoundError,
            ConflictError,
            TooLargeError,
            UnsupportedTypeError,
            StorageFullError,
            UnavailableError,
        ),
        tag="Files",
    ),
)

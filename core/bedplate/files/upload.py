"""One upload: written into a hidden file beside its target, looked at, and renamed when complete.

Until `commit` has renamed it, nobody sees anything of it; whatever fails before leaves what was
there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from bedplate.durable import sync_directory
from bedplate.errors import (
    BadRequestError,
    BedplateError,
    ConflictError,
    StorageFullError,
    UnsupportedTypeError,
)
from bedplate.files.disk import storage_errors, temporary_name
from bedplate.files.entries import FileEntry
from bedplate.gcode.sniff import HEAD, sniff

SPACE_CHECK = 4 * 1024 * 1024
"""Bytes between two looks at the free space."""


class Upload:
    """A file on its way in, made by `Library.begin_upload`.

    Use it with `with`: what was not committed by its end is taken back. `write` and `commit` are
    called one after the other; `abort` at any time.
    """

    def __init__(
        self,
        folder: Path,
        *,
        free_space: Callable[[], int],
        keep_free: int,
        publish: Callable[[Path], FileEntry],
    ) -> None:
        self.size = 0
        """Bytes written so far."""
        self._free_space = free_space
        self._keep_free = keep_free
        self._publish = publish
        self._head = bytearray()
        self._sniffed = False
        self._checked = 0
        self._ended = threading.Event()
        self._busy = False
        self._lock = threading.Lock()
        self.temporary = folder / temporary_name()
        with storage_errors():
            self._file: BinaryIO = self.temporary.open("xb", buffering=0)

    async def write(self, chunk: bytes) -> None:
        """Appends `chunk`, in a worker thread.

        Raises UnsupportedTypeError where the beginning is no G-code, StorageFullError; after any
        error the upload is aborted.
        """
        with self._aborting_on_error():
            self._inspect(chunk)
            await asyncio.to_thread(self._in_worker, lambda: self._append(chunk))

    async def commit(self) -> FileEntry:
        """Puts the file in its place, complete and on disk, and answers its entry.

        Raises as `write`, and BadRequestError for an empty file, ConflictError where the target is
        being printed, or there already and not to be overwritten; the old file is untouched then.
        """
        with self._aborting_on_error():
            if not self._sniffed:
                self._sniff()
            await asyncio.to_thread(self._in_worker, lambda: os.fsync(self._file.fileno()))
            self._file.close()
            entry = self._publish(self.temporary)
            self._ended.set()
            await asyncio.to_thread(self._sync_folder)
        return entry

    def abort(self) -> None:
        """Takes everything back. Nothing happens after `commit`, or a second time."""
        with self._lock:
            if self._ended.is_set():
                return
            self._ended.set()
            if not self._busy:  # else the worker thread closes it, when it is done with it
                self._file.close()
        with contextlib.suppress(OSError):
            self.temporary.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.abort()

    @contextlib.contextmanager
    def _aborting_on_error(self) -> Iterator[None]:
        if self._ended.is_set():
            raise ConflictError("This upload has ended.")
        try:
            with storage_errors():
                yield
        except BaseException:
            self.abort()
            raise

    def _inspect(self, chunk: bytes) -> None:
        if not self._sniffed:
            self._head += chunk[: HEAD - len(self._head)]
            if len(self._head) >= HEAD:
                self._sniff()

    def _sniff(self) -> None:
        reason = sniff(bytes(self._head))
        if reason is not None:
            kind: type[BedplateError] = (
                UnsupportedTypeError if self._head.strip() else BadRequestError
            )
            raise kind(reason)
        self._sniffed = True
        self._head.clear()

    def _in_worker(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._ended.is_set():
                return
            self._busy = True
        try:
            work()
        finally:
            with self._lock:
                self._busy = False
                if self._ended.is_set():
                    self._file.close()

    def _sync_folder(self) -> None:
        with contextlib.suppress(OSError):  # the file is in place; some file systems can't do this
            sync_directory(self.temporary.parent)

    def _append(self, chunk: bytes) -> None:
        if self.size + len(chunk) >= self._checked:
            self._checked = self.size + len(chunk) + SPACE_CHECK
            if self._free_space() - len(chunk) < self._keep_free:
                raise StorageFullError("There is not enough space on the disk for this file.")
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]
        self.size += len(chunk)

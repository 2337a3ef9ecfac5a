"""The print files: listing, uploading, moving, deleting. Whatever a listing shows is complete and
on disk.

All calls come from the thread of the event loop; what takes long (writing an upload, copying) goes
to a worker thread by itself. What lies below the root is looked at with `scandir`, never opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from bedplate.bus import EventBus
from bedplate.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    StorageFullError,
    UnavailableError,
)
from bedplate.files.disk import (
    TRASH_PREFIX,
    copy_synced,
    remove,
    remove_leftovers,
    storage_errors,
    temporary_name,
)
from bedplate.files.entries import Entry, FileEntry, FolderEntry
from bedplate.files.metadata import FileFacts, MetadataStore
from bedplate.files.names import (
    MAX_NAME,
    clean_file_name,
    clean_name,
    clean_path,
    join,
    shown,
    split_lookup,
)
from bedplate.files.scan import FoundFile, FoundFolder, Stamp, found_file, scan
from bedplate.files.upload import Upload
from bedplate.gcode.records import Analysis
from bedplate.messages.events import FileAdded, FileRemoved

log = logging.getLogger(__name__)

RESCAN = 10.0
"""Seconds after which a listing looks at every file again, not only at folders that changed: a file
that another program changes in place leaves the time of its folder as it was."""

ORIGIN = "local"


class Library:
    """The files below `root`, which is made if needed. Left-overs of a crash are removed at once.

    `in_use` says whether the file at a path is being printed. Uploads leave `keep_free` bytes on
    the disk. `FileAdded` and `FileRemoved` are published for what others do below the root too, as
    soon as a listing notices.
    """

    def __init__(
        self,
        root: Path,
        store: MetadataStore,
        bus: EventBus,
        in_use: Callable[[str], bool],
        *,
        keep_free: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root.resolve()
        self.store = store
        self._bus = bus
        self._in_use = in_use
        self._keep_free = keep_free
        self._clock = clock
        self._token = secrets.token_hex(4)
        self._changes = 0
        self._entries: dict[str, tuple[FoundFile, int, FileEntry]] = {}
        remove_leftovers(self.root)
        self._tree = scan(self.root)
        self._scanned = clock()
        self._known = {file.path: file for file in self._tree.all_files()}
        store.adopt(self._known.values(), self._known.keys())

    # Looking

    @property
    def version(self) -> str:
        """Another text whenever the listing may be another one; also after a restart."""
        self.refresh()
        return f"{self._token}-{self._changes}-{self.store.revision}"

    def entries(self, path: str = "", recursive: bool = True) -> list[Entry]:
        """What is in the folder `path`, by name, folders first.

        Not recursive: the folders' own content is there, one level deep, as OctoPrint has it.
        Raises NotFoundError, also for a file.
        """
        self.refresh()
        return self._children(self._folder(path), None if recursive else 1)

    def entry(self, path: str, recursive: bool = True) -> Entry:
        """The file or folder at `path`. Raises NotFoundError."""
        self.refresh()
        *parents, name = split_lookup(path) or [""]
        parent = self._folder("/".join(parents))
        if name in parent.files:
            return self._file_entry(parent.files[name])
        if name in parent.folders:
            return self._folder_entry(parent.folders[name], None if recursive else 1)
        raise NotFoundError(f"There is no file or folder {shown(path)}.")

    def file(self, path: str) -> FileEntry:
        """The file at `path`. Raises NotFoundError, also for a folder."""
        entry = self.entry(path)
        if not isinstance(entry, FileEntry):
            raise NotFoundError(f"{shown(path)} is a folder.")
        return entry

    def paths(self) -> list[str]:
        """The paths of all files, in order."""
        self.refresh()
        return sorted(self._known)

    def analysis(self, path: str) -> Analysis | None:
        """The whole analysis of a file with its layers, None where there is none (yet)."""
        entry = self.file(path)
        layers = self.store.layers(path, self._known[path].stamp)
        if entry.analysis is None or layers is None:
            return None
        return msgspec.structs.replace(entry.analysis, layers=layers)

    def local_path(self, path: str) -> Path:
        """Where a file or folder lies on disk. Raises NotFoundError for whatever is not listed."""
        return self.root / self.entry(path, recursive=False).path

    def stamp(self, path: str) -> Stamp | None:
        """Size and time of a file's present content, read from the disk; None where it is gone."""
        try:
            status = self.root.joinpath(*split_lookup(path)).lstat()
        except (OSError, NotFoundError):
            return None
        return found_file("", path, status).stamp

    def free_space(self) -> tuple[int, int]:
        """Bytes free for uploads, and size of the disk."""
        with storage_errors():
            usage = shutil.disk_usage(self.root)
        return max(0, usage.free - self._keep_free), usage.total

    def refresh(self) -> None:
        """Looks at the disk, if something may have changed there, and publishes what did."""
        if self._clock() - self._scanned >= RESCAN:
            self._scanned = self._clock()
            self._take(scan(self.root))
        else:
            self._take(scan(self.root, self._tree))

    # Changing

    def begin_upload(
        self,
        folder: str,
        name: str,
        *,
        overwrite: bool = True,
        expected_size: int | None = None,
        user: str | None = None,
        userdata: Any = None,
    ) -> Upload:
        """Begins to write the file `name` in `folder`, which is made with the file.

        Name and folder are cleaned; the entry that `commit` answers has the real path. Raises
        BadRequestError, UnsupportedTypeError, ConflictError (target in use, or there and not to be
        overwritten) and StorageFullError.
        """
        parent, cleaned = clean_path(folder), clean_file_name(name)
        path = join(parent, cleaned)
        self._check_target(path, overwrite)
        free, _ = self.free_space()
        if expected_size is not None and expected_size > free:
            raise StorageFullError("There is not enough space on the disk for this file.")

        def publish(temporary: Path) -> FileEntry:
            self._check_target(path, overwrite)
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, target)
            with _already_done("the upload of", path):
                self.store.set_upload(path, display=_display(name), user=user, userdata=userdata)
            self._changed(path)
            return self.file(path)

        return Upload(
            self._nearest_folder(parent),
            free_space=lambda: shutil.disk_usage(self.root).free,
            keep_free=self._keep_free,
            publish=publish,
        )

    def create_folder(self, path: str) -> FolderEntry:
        """Makes a folder, and those above it. One that exists is fine. Raises ConflictError."""
        cleaned = clean_path(path)
        if not cleaned:
            raise BadRequestError("A folder needs a name.")
        self._nearest_folder(cleaned)
        with storage_errors():
            (self.root / cleaned).mkdir(parents=True, exist_ok=True)
        self._changed(cleaned)
        entry = self.entry(cleaned)
        if not isinstance(entry, FolderEntry):
            raise ConflictError(f"There is a file {shown(cleaned)} already.")
        return entry

    def delete(self, path: str) -> None:
        """Deletes a file, or a folder with everything in it. Raises ConflictError in use."""
        source = self._source(path)
        trash = source.with_name(temporary_name(TRASH_PREFIX))
        with storage_errors():
            os.replace(source, trash)
        with _already_done("the deletion of", path):
            self.store.remove(path)
        self._changed(path)
        # Large files and folders take their time; what a crash leaves is removed at the next start.
        threading.Thread(target=remove, args=(trash,), name="delete files").start()

    def move(self, path: str, destination: str) -> Entry:
        """Moves a file or folder into the folder `destination`, or to that new path.

        Raises ConflictError where it is in use or something is at the new path already.
        """
        source = self._source(path)
        target = self._target(path, destination)
        if f"{target}/".startswith(f"{path}/") and target != path:
            raise BadRequestError("A folder can't be moved into itself.")
        with storage_errors():
            (self.root / target).parent.mkdir(parents=True, exist_ok=True)
            os.rename(source, self.root / target)
        with _already_done("the move of", path):
            self.store.move(path, target)
        self._changed(path, target)
        return self.entry(target)

    async def copy(self, path: str, destination: str) -> Entry:
        """Copies a file into the folder `destination`, or to that new path, in a worker thread.

        Raises ConflictError where something is at the new path already, StorageFullError, and
        BadRequestError for folders.
        """
        source = self.file(path)
        target = self._target(path, destination)
        if source.size > self.free_space()[0]:
            raise StorageFullError("There is not enough space on the disk for this copy.")
        temporary = self._nearest_folder(target.rpartition("/")[0]) / temporary_name()
        stamp = self._known[path].stamp
        try:
            with storage_errors():
                await asyncio.to_thread(copy_synced, self.root / path, temporary)
                self._check_target(target, overwrite=False)
                (self.root / target).parent.mkdir(parents=True, exist_ok=True)
                os.rename(temporary, self.root / target)
        finally:
            temporary.unlink(missing_ok=True)
        if (copied := self.stamp(target)) is not None:
            with _already_done("the copy of", path):
                self.store.copy(path, stamp, target, copied)
        self._changed(target)
        return self.entry(target)

    # Entries

    def _children(self, folder: FoundFolder, depth: int | None) -> list[Entry]:
        below = None if depth is None else depth - 1
        folders = sorted(folder.folders.values(), key=lambda found: _order(found.name))
        files = sorted(folder.files.values(), key=lambda found: _order(found.name))
        return [
            *(self._folder_entry(found, below) for found in folders),
            *(self._file_entry(found) for found in files),
        ]

    def _folder_entry(self, folder: FoundFolder, depth: int | None) -> FolderEntry:
        return FolderEntry(
            name=folder.name,
            display=folder.name,
            path=folder.path,
            size=sum(file.stamp.size for file in folder.all_files()),
            modified=folder.mtime_ns / 1e9,
            children=[] if depth is not None and depth < 0 else self._children(folder, depth),
        )

    def _file_entry(self, file: FoundFile) -> FileEntry:
        cached = self._entries.get(file.path)
        if cached and cached[0] == file and cached[1] == self.store.revision:
            return cached[2]
        facts = self.store.facts(file.path, file.stamp)
        entry = _file_entry(file, facts, self.store)
        self._entries[file.path] = (file, self.store.revision, entry)
        return entry

    def _folder(self, path: str) -> FoundFolder:
        folder = self._tree
        for part in split_lookup(path):
            if part not in folder.folders:
                raise NotFoundError(f"There is no folder {shown(path)}.")
            folder = folder.folders[part]
        return folder

    def _changed(self, *paths: str) -> None:
        """After a change of ours: the time of a folder is too coarse to tell two in a row apart."""
        folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
        self._take(scan(self.root, self._tree, {"" if one == "." else one for one in folders}))

    def _take(self, tree: FoundFolder) -> None:
        """Makes `tree` what the listing shows, and publishes the difference."""
        if tree == self._tree:
            return
        old, self._tree = self._known, tree
        self._known = {file.path: file for file in tree.all_files()}
        self._changes += 1
        removed = old.keys() - self._known.keys()
        added = [file for path, file in self._known.items() if old.get(path) != file]
        for path in removed:
            self._entries.pop(path, None)
        self.store.adopt((f for f in added if f.path not in old), self._known.keys())
        for path in sorted(removed):
            self._bus.publish(FileRemoved(path=path, origin=ORIGIN))
        for file in sorted(added, key=lambda file: file.path):
            self._bus.publish(FileAdded(path=file.path, origin=ORIGIN))

    # Paths of what is to be changed

    def _check_target(self, path: str, overwrite: bool) -> None:
        self._nearest_folder(path.rpartition("/")[0])
        target = self.root / path
        if self._in_use(path):
            raise ConflictError(f"{shown(path)} is being printed.")
        if target.is_dir() and not target.is_symlink():
            raise ConflictError(f"There is a folder {shown(path)} already.")
        if not overwrite and os.path.lexists(target):
            raise ConflictError(f"There is a file {shown(path)} already.")

    def _nearest_folder(self, path: str) -> Path:
        """The deepest folder on the way to `path` that exists. Raises ConflictError for a file
        there.

        A symbolic link on the way counts as a file: nothing is ever written through one.
        """
        folder = self.root
        for part in split_lookup(path):
            below = folder / part
            if not os.path.lexists(below):
                break
            if below.is_symlink() or not below.is_dir():
                raise ConflictError(f"{shown(part)} in {shown(path)} is not a folder.")
            folder = below
        return folder

    def _source(self, path: str) -> Path:
        """What is to be moved or deleted. Raises NotFoundError, and ConflictError in use."""
        if not path:
            raise BadRequestError("The folder of all files can't be moved or deleted.")
        source = self.local_path(path)
        for known in self._known:
            if (known == path or known.startswith(f"{path}/")) and self._in_use(known):
                raise ConflictError(f"{shown(known)} is being printed.")
        return source

    def _target(self, path: str, destination: str) -> str:
        """The new path of `path`, cleaned, with nothing there yet."""
        name = path.rpartition("/")[2]
        cleaned = clean_path(destination)
        if not (self.root / cleaned).is_dir():
            folder, _, name = cleaned.rpartition("/")
            name = clean_file_name(name) if path in self._known else clean_name(name)
            cleaned = folder
        target = join(cleaned, name)
        self._check_target(target, overwrite=False)
        return target


def _file_entry(file: FoundFile, facts: FileFacts, store: MetadataStore) -> FileEntry:
    return FileEntry(
        name=file.name,
        display=facts.display or file.name,
        path=file.path,
        size=file.stamp.size,
        modified=file.stamp.mtime_ns / 1e9,
        hash=facts.analysis.sha1 if facts.analysis else None,
        analysis=facts.analysis,
        layers=facts.layers,
        analysis_error=facts.error,
        thumbnails=facts.thumbnails,
        prints=store.prints(file.path),
        user=facts.user,
        userdata=facts.userdata,
    )


@contextlib.contextmanager
def _already_done(what: str, path: str) -> Iterator[None]:
    """The disk has been changed: that a full one takes no note of it is no failure any more."""
    try:
        yield
    except (StorageFullError, UnavailableError) as error:
        log.error("%s %s is not in the metadata: %s", what, path, error)


def _display(name: str) -> str:
    """A name as it was sent, in a form that can be stored and shown."""
    return name.strip()[:MAX_NAME].encode(errors="replace").decode()


def _order(name: str) -> tuple[str, str]:
    return name.casefold(), name

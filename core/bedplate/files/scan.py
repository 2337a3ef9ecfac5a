"""What is on disk below the root of the print files: names, sizes and times; nothing is opened or
read.

Hidden names, symbolic links and files that are no print files are passed over. Links are not
followed, whether they lead outside or not: what is listed is what lies here.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from bedplate.files.names import is_print_file, is_visible, join

MAX_DEPTH = 32
"""Folders within folders; deeper ones are passed over."""


class Stamp(NamedTuple):
    """Tells one content of a file from another without reading it."""

    size: int
    mtime_ns: int


class FoundFile(NamedTuple):
    """A file on disk; `inode` tells a replaced file from an old one."""

    name: str
    path: str
    stamp: Stamp
    inode: int


class FoundFolder(NamedTuple):
    """A folder on disk with its content, both by name."""

    name: str
    path: str
    mtime_ns: int
    folders: dict[str, FoundFolder]
    files: dict[str, FoundFile]

    def all_files(self) -> Iterator[FoundFile]:
        """Every file below, in no particular order."""
        yield from self.files.values()
        for folder in self.folders.values():
            yield from folder.all_files()

    def all_folders(self) -> Iterator[FoundFolder]:
        """This folder and every one below."""
        yield self
        for folder in self.folders.values():
            yield from folder.all_folders()


def scan(
    root: Path, known: FoundFolder | None = None, changed: Collection[str] = ()
) -> FoundFolder:
    """Everything below `root`. What vanishes in the meantime or can't be read is passed over.

    With the result of an earlier scan as `known`, only those folders are read again whose time has
    changed since, or whose path is among `changed`.
    """
    return _scan(root, "", "", 0, known, frozenset(changed))


def _scan(
    place: Path,
    name: str,
    path: str,
    depth: int,
    known: FoundFolder | None,
    changed: frozenset[str],
) -> FoundFolder:
    try:
        mtime_ns = place.stat().st_mtime_ns
        if known is not None and known.mtime_ns == mtime_ns and path not in changed:
            below, files = list(known.folders), known.files
        else:
            below, files = _read(place, path)
    except OSError:
        return FoundFolder(name, path, 0, {}, {})
    folders = {
        one: _scan(
            place / one,
            one,
            join(path, one),
            depth + 1,
            known.folders.get(one) if known is not None else None,
            changed,
        )
        for one in (below if depth < MAX_DEPTH else ())
    }
    return FoundFolder(name, path, mtime_ns, folders, files)


def _read(place: Path, path: str) -> tuple[list[str], dict[str, FoundFile]]:
    """Names of the folders in a folder, and its files."""
    folders: list[str] = []
    files: dict[str, FoundFile] = {}
    with os.scandir(place) as entries:
        for entry in entries:
            name = entry.name
            with contextlib.suppress(OSError):
                if not is_visible(name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                elif is_print_file(name) and entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    files[name] = found_file(name, join(path, name), status)
    return folders, files


def found_file(name: str, path: str, status: os.stat_result) -> FoundFile:
    """A file as `stat` knows it."""
    return FoundFile(name, path, Stamp(status.st_size, status.st_mtime_ns), status.st_ino)

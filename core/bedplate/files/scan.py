"""What is on disk below the root of the print files: names, sizes and times; nothing is opened or
read.

Hidden names, symbolic links and files that are no print files are passed over. Links are not
followed, whether they lead outside or not: what is listed is what lies here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
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


def scan(root: Path, name: str = "", path: str = "", depth: int = 0) -> FoundFolder:
    """Everything below `root`. What vanishes in the meantime or can't be read is passed over."""
    folders: dict[str, FoundFolder] = {}
    files: dict[str, FoundFile] = {}
    try:
        mtime_ns = root.stat().st_mtime_ns
        with os.scandir(root) as found:
            names = [entry for entry in found if is_visible(entry.name)]
    except OSError:
        return FoundFolder(name, path, 0, folders, files)
    for entry in names:
        below = join(path, entry.name)
        try:
            if entry.is_dir(follow_symlinks=False):
                if depth < MAX_DEPTH:
                    folders[entry.name] = scan(Path(entry.path), entry.name, below, depth + 1)
            elif is_print_file(entry.name) and entry.is_file(follow_symlinks=False):
                files[entry.name] = found_file(entry.name, below, entry.stat(follow_symlinks=False))
        except OSError:
            continue
    return FoundFolder(name, path, mtime_ns, folders, files)


def found_file(name: str, path: str, status: os.stat_result) -> FoundFile:
    """A file as `stat` knows it."""
    return FoundFile(name, path, Stamp(status.st_size, status.st_mtime_ns), status.st_ino)

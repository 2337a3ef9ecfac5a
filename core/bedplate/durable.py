"""Writing a file so that at any moment, after any crash, either the old content or the new one is
there.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_atomically(
    path: Path, content: bytes, default_mode: int = 0o644, *, sync: bool = True
) -> None:
    """Replaces the content of `path`: written beside it, synced, then renamed over it.

    The file keeps its mode, and its owner where that is permitted; a new one gets `default_mode`. A
    symbolic link stays one: its target is replaced. Without `sync` nobody waits for the disk: the
    content survives the end of this process, but perhaps not a power cut. Raises OSError, with the
    old content untouched and nothing left behind.
    """
    path = path.resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            _copy_ownership(path, file.fileno(), default_mode)
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    if sync:
        sync_directory(path.parent)


def remove_unfinished(path: Path) -> None:
    """Removes what writers of `path` left beside it when they were killed in `write_atomically`.

    Only for whoever is alone in writing it. Raises OSError.
    """
    path = path.resolve()
    for name in os.listdir(path.parent):
        if name.startswith(f".{path.name}.") and name.endswith(".new"):
            path.with_name(name).unlink(missing_ok=True)


def sync_directory(path: Path) -> None:
    """Makes renames and new names in the folder `path` survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_ownership(path: Path, descriptor: int, default_mode: int) -> None:
    try:
        old = path.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, default_mode)
        return
    os.fchmod(descriptor, old.st_mode & 0o7777)
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)

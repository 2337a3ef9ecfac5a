"""Files on disk, below the library: what is temporary, what is in the way, and what went wrong."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from bedplate.errors import (
    BadRequestError,
    BedplateError,
    ConflictError,
    NotFoundError,
    StorageFullError,
    TooLargeError,
    UnavailableError,
)

log = logging.getLogger(__name__)

UPLOAD_PREFIX = ".bedplate-upload-"
"""Files on their way in are called so: hidden, and not a name that a client can give."""

TRASH_PREFIX = ".bedplate-trash-"
"""What is being deleted is called so: gone at once, although the disk may take its time."""

_ERRORS: dict[int, tuple[type[BedplateError], str]] = {
    errno.ENOSPC: (StorageFullError, "There is not enough space on the disk."),
    errno.EDQUOT: (StorageFullError, "The disk quota is used up."),
    errno.EFBIG: (TooLargeError, "The disk does not hold files of this size."),
    errno.ENOENT: (NotFoundError, "It is not there any more."),
    errno.ENOTDIR: (ConflictError, "A part of the path is a file, not a folder."),
    errno.EISDIR: (ConflictError, "There is a folder of this name."),
    errno.EEXIST: (ConflictError, "There is something of this name already."),
    errno.ENOTEMPTY: (ConflictError, "There is a folder of this name already."),
    errno.EXDEV: (ConflictError, "That folder is on another disk: copy the file instead."),
    errno.ENAMETOOLONG: (BadRequestError, "The name or the path is too long for the disk."),
    errno.EINVAL: (BadRequestError, "The disk does not take this name."),
    errno.EILSEQ: (BadRequestError, "The disk does not take this name."),
}
"""What people can do something about; everything else is 'unavailable' with the system's words."""


@contextlib.contextmanager
def storage_errors() -> Iterator[None]:
    """Turns an OSError from inside into the error that a client may see."""
    try:
        yield
    except OSError as error:
        kind, text = _ERRORS.get(
            error.errno or 0,
            (UnavailableError, f"The disk does not work: {error.strerror or error}."),
        )
        raise kind(text) from error


def temporary_name(prefix: str = UPLOAD_PREFIX) -> str:
    """A hidden name that nothing else has."""
    return f"{prefix}{secrets.token_hex(8)}"


def copy_synced(source: Path, target: Path) -> None:
    """Copies a file with its times, until it is on disk."""
    shutil.copy2(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def remove(path: Path) -> None:
    """Removes a file, or a folder with its content, as far as that is possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def remove_leftovers(root: Path) -> None:
    """What uploads and deletions left behind when the host was killed."""
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            if name.startswith((UPLOAD_PREFIX, TRASH_PREFIX)):
                log.info("removing %s, left over", Path(folder, name))
                remove(Path(folder, name))
        folders[:] = [name for name in folders if not name.startswith(".")]

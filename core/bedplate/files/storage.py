"""What the operating system says about a disk, in the project's own errors."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from bedplate.errors import (
    BadRequestError,
    BedplateError,
    ConflictError,
    NotFoundError,
    StorageFullError,
    TooLargeError,
    UnavailableError,
)

_ERRORS: dict[int, tuple[type[BedplateError], str]] = {
    errno.ENOSPC: (StorageFullError, "There is not enough space on the disk."),
    errno.EDQUOT: (StorageFullError, "The disk quota is used up."),
    errno.EFBIG: (TooLargeError, "The disk does not hold files of this size."),
    errno.ENOENT: (NotFoundError, "It is not there any more."),
    errno.ENOTDIR: (ConflictError, "A part of the path is a file, not a folder."),
    errno.EISDIR: (ConflictError, "There is a folder of this name."),
    errno.EEXIST: (ConflictError, "There is something of this name already."),
    errno.ENOTEMPTY: (ConflictError, "There is a folder of this name already."),
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

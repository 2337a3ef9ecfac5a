"""Names and paths of print files: what a client may call a file, and what it is called on disk.

Two rules, kept apart: a name that *creates* something is cleaned as little as possible; a path that
*looks something up* is taken literally, and one that no file here can have is simply not found.
"""

from __future__ import annotations

import re
import unicodedata

from bedplate.errors import BadRequestError, NotFoundError, UnsupportedTypeError

EXTENSIONS = (".gcode", ".gco", ".g")
"""Of files that are accepted and listed, in any case of letters."""

MAX_NAME = 255
"""Bytes of a name in UTF-8; what the file systems of Linux hold."""

MAX_PATH = 1024
"""Bytes of a path below the root. Linux takes 4096 in all, and the root needs some of them."""

_RESERVED = frozenset('<>:"|?*/\\')
"""Not allowed on Windows or in FAT, or separators: files travel on memory cards."""

_SEPARATOR = re.compile(r"[/\\]")

_UNWANTED = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters, half surrogate pairs, line and paragraph separators."""

_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Direction marks: with them `edocg.exe` can be made to look like something else."""


def clean_name(name: str) -> str:
    """The name under which something that a client calls `name` is stored.

    Unicode and spaces stay. Reserved, control and direction characters go, and so do blanks and
    dots at either end, hence nothing is hidden. Raises BadRequestError for a path that climbs or
    begins at the root, where nothing is left, or where it is too long.
    """
    if name.startswith("/") or ".." in (part.strip() for part in _SEPARATOR.split(name)):
        raise BadRequestError(
            f"{shown(name)} can't be the name of a file: it is a path that leads out of the files."
            " Send the name alone."
        )
    kept = "".join(
        c
        for c in name
        if c not in _RESERVED and c not in _BIDI and unicodedata.category(c) not in _UNWANTED
    )
    while kept != (stripped := kept.strip().strip(".")):
        kept = stripped
    if not kept:
        raise BadRequestError(f"{shown(name)} can't be the name of a file: nothing is left of it.")
    if len(kept.encode()) > MAX_NAME:
        raise BadRequestError(f"The name {shown(kept)} is longer than {MAX_NAME} bytes.")
    return kept


def clean_file_name(name: str) -> str:
    """As `clean_name`, for a print file. Raises UnsupportedTypeError for another kind of file."""
    kept = clean_name(name)
    if not is_print_file(kept):
        raise UnsupportedTypeError(
            f"{shown(kept)} is no G-code file: its name ends in none of {', '.join(EXTENSIONS)}."
        )
    return kept


def clean_path(path: str) -> str:
    """The path of a folder to be made: each part cleaned. Raises BadRequestError, also for `..`."""
    parts = [part for part in path.split("/") if part.strip() not in {"", "."}]
    if any(part.strip() == ".." for part in parts):
        raise BadRequestError(f"The path {shown(path)} leads out of the files.")
    cleaned = "/".join(clean_name(part) for part in parts)
    if len(cleaned.encode()) > MAX_PATH:
        raise BadRequestError(f"The path {shown(cleaned)} is longer than {MAX_PATH} bytes.")
    return cleaned


def split_lookup(path: str) -> list[str]:
    """The parts of a path that is looked up; empty for the root. Raises NotFoundError.

    Blanks are part of a name. A part that no name here can be (`..`, hidden, with a NUL) is not
    found.
    """
    parts = path.split("/") if path else []
    if any(not part or not is_visible(part) or "\0" in part for part in parts):
        raise NotFoundError(f"There is no {shown(path)}.")
    return parts


def is_visible(name: str) -> bool:
    """Whether something of this name on disk is shown: hidden and undecodable names are not."""
    return not name.startswith(".") and not any("\ud800" <= c <= "\udfff" for c in name)


def is_print_file(name: str) -> bool:
    """Whether the name is that of a file which is listed and printed."""
    return name.lower().endswith(EXTENSIONS)


def join(folder: str, name: str) -> str:
    """A path below the root."""
    return f"{folder}/{name}" if folder else name


def shown(text: str) -> str:
    """A name or path for a message: quoted and short, with anything odd in it escaped."""
    short = f"{text[:80]}…" if len(text) > 80 else text
    return f"'{short}'" if short.isprintable() else ascii(short)

"""A quick look at the beginning of a file: can this be G-code, and if not, what is it?"""

from __future__ import annotations

import re

from bedplate.errors import BedplateError
from bedplate.gcode.words import command_of

HEAD = 64 * 1024
"""How much of a file `sniff` wants to see, in bytes."""


class NotGcodeError(BedplateError):
    """The file is not G-code. The message says what it looks like instead."""

    code = "not_gcode"
    http_status = 415


_MAGIC: tuple[tuple[bytes, str], ...] = (
    (
        b"GCDE",
        "This is binary G-code (bgcode), which printers without a card reader for it can't take: "
        "switch off 'binary G-code' in the slicer and export again.",
    ),
    (b"\x89PNG", "This is a PNG picture, not G-code."),
    (b"\xff\xd8\xff", "This is a JPEG picture, not G-code."),
    (b"GIF8", "This is a GIF picture, not G-code."),
    (b"%PDF", "This is a PDF document, not G-code."),
    (
        b"PK\x03\x04",
        "This is a ZIP archive (3MF projects are too), not G-code: slice or unpack it first.",
    ),
    (b"\x1f\x8b", "This is a gzip archive, not G-code: unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7-Zip archive, not G-code: unpack it first."),
    (b"\x7fELF", "This is a program, not G-code."),
    (b"MZ", "This is a Windows program, not G-code."),
    (b"\xff\xfe", "This is UTF-16 text: save it as plain text (UTF-8) and upload it again."),
    (b"\xfe\xff", "This is UTF-16 text: save it as plain text (UTF-8) and upload it again."),
)
"""First bytes of a file -> what to say. `MZ` is no command of any firmware."""

_TEXT_FORMS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"solid\b.*\n\s*facet\b"), "This is an STL model, not G-code: slice it first."),
    (re.compile(rb"(?i)<!doctype html|<html"), "This is a web page (HTML), not G-code."),
    (re.compile(rb"<\?xml|<svg"), "This is an XML document, not G-code."),
    (re.compile(rb"[\[{]\s*[\"\[{\]}\n]"), "This is a JSON document, not G-code."),
    (
        re.compile(rb"(?s)(?:#[^\n]*\n|\s|mtllib[^\n]*)*v [-\d.]+ [-\d.]+ [-\d.]+"),
        "This is an OBJ model, not G-code: slice it first.",
    ),
)
"""How other text files begin (after blanks) -> what to say."""

_COMMAND = re.compile(rb"[GMTgmt]\s*\d")
_MACRO = re.compile(rb"[A-Z][A-Z0-9_]+(?:\s|$)|[@%{\[]")
_MIN_SHARE = 0.25
"""Of the lines that are no comment, at least this share begins like a G-code command: in real files
all but a few do, in prose or tables next to none."""


def sniff(head: bytes) -> str | None:
    """Return why a file that begins with `head` (up to 64 KiB) can't be G-code, or None where it
    may be.

    The reason is a sentence for the person who uploaded it. Lenient: a byte order mark, CRLF,
    leading comments, macros of other firmwares and embedded thumbnails are fine.
    """
    if not head.strip():
        return "The file is empty."
    for magic, reason in _MAGIC:
        if head.startswith(magic):
            return reason
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, reason in _TEXT_FORMS:
        if pattern.match(text):
            return reason
    if b"\0" in head:
        return "This is a binary file, not G-code."
    return _judge_lines(head)


def _judge_lines(head: bytes) -> str | None:
    lines = head.splitlines()
    if len(lines) > 1 and len(head) >= HEAD:
        lines.pop()  # most likely cut in the middle
    commands = others = 0
    for line in lines:
        command = command_of(line)
        if _COMMAND.match(command):
            commands += 1
        elif command and not _MACRO.match(command):
            others += 1
    if commands == 0 and others == 0:
        return None  # comments and macros alone: the commands may follow
    if commands < _MIN_SHARE * (commands + others):
        return "This text is not G-code: its lines are not printer commands."
    return None

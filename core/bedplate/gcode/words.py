"""One line of G-code, taken apart: the command without comments, and its words.

What counts as a comment, a number or a command is decided here and nowhere else in `gcode`. Pure
functions on bytes; nothing in this file raises for any input.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_NUMBER = 1e6
"""Numbers of a larger amount are no coordinate, feed rate or temperature of any printer (mm,
mm/min, °C)."""

_UTF8_BOM = b"\xef\xbb\xbf"

_TEXT_COMMAND = re.compile(rb"\s*(?:[Nn]\d+\s*)?[Mm](?:16|23|28|30|32|33|36|117|118|928)(?!\d)")
"""Commands whose rest is a text or a file name (`M117 Layer 3 (of 40)`, `M23 part(1).gco`):
brackets stay."""

_BRACKETS = re.compile(rb"\([^)]*\)?")
_LINE_NUMBER = re.compile(rb"[Nn]\d+\s*")
_CHECKSUM = re.compile(rb"\s*\*\s*\d{1,3}\s*$")
_FIRST_WORD = re.compile(rb"[A-Za-z]\s*[-+]?\.?\d")
_WORD = re.compile(rb"\s*([A-Za-z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")


class Word(NamedTuple):
    """A letter in upper case and its number; None where the letter stands alone (`G28 X`)."""

    letter: str
    value: float | None


def command_of(line: bytes) -> bytes:
    """Return what a printer would be sent of a line: no comment, line number, checksum, outer
    blanks.

    `;` starts a comment to the end of the line, round brackets enclose one. Empty for a line
    without a command. A byte order mark at the start of a file is dropped with the first line's
    blanks.
    """
    text = line.partition(b";")[0]
    if text.startswith(_UTF8_BOM):
        text = text[len(_UTF8_BOM) :]
    is_text = _TEXT_COMMAND.match(text) is not None
    if not is_text:
        if b"(" in text:
            text = _BRACKETS.sub(b" ", text)
        text = _CHECKSUM.sub(b"", text)
    text = text.strip()
    numbered = _LINE_NUMBER.match(text)
    if numbered is not None:
        text = _CHECKSUM.sub(b"", text[numbered.end() :])
    return text


def words(line: bytes) -> list[Word]:
    """Split a line into words: `n7 g1x10y.5 ; wall` is `[G 1, X 10, Y 0.5]`.

    Only the first word is given for commands that carry a text. Reading stops at the first thing
    that is no word (`Y{depth}` of a template, a quoted name). A line that does not begin with a
    letter and a number (a macro such as `START_PRINT BED=60`, `@pause`) has no words. Numbers
    beyond `MAX_NUMBER` are given as None.
    """
    command = command_of(line)
    if _FIRST_WORD.match(command) is None:
        return []
    found: list[Word] = []
    only_first = _TEXT_COMMAND.match(command) is not None
    position = 0
    while (match := _WORD.match(command, position)) is not None:
        found.append(Word(match[1].decode("ascii").upper(), _number(match[2])))
        position = match.end()
        if only_first:
            break
    return found


def _number(text: bytes | None) -> float | None:
    if text is None:
        return None
    value = float(text)
    return value if abs(value) <= MAX_NUMBER else None

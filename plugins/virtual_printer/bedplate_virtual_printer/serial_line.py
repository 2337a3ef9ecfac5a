"""The receiving end of the serial line: lines, comments, line numbers, checksums.

Behaves like Marlin 2.0.9.5: what it accepts, what it refuses with which words, and how long a
line may be. Knows nothing of what a command means, but for M110, which sets the counter.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor
from typing import NamedTuple

MAX_LINE = 95
"""Bytes of a line that are kept; the rest is dropped unseen (Marlin: MAX_CMD_SIZE 96 with its
terminating zero). A numbered line that is longer therefore loses its checksum."""

_NUMBERED = re.compile(rb"N *([-+]?\d+)? *")
_DIGITS = re.compile(rb" *([-+]?\d+)")
_TRAILING_CHECKSUM = re.compile(rb"[ ]*\*[ ]*\d*[ ]*$")


class Accepted(NamedTuple):
    """A command without number, checksum and comment, and the line number it came with."""

    command: bytes
    number: int | None


class Rejected(NamedTuple):
    """A line that must be sent again; `reason` is what Marlin calls it."""

    reason: str


class SerialLine:
    """Turns received bytes into checked commands."""

    def __init__(self) -> None:
        self.last_number = 0
        self._received = bytearray()

    @property
    def pending(self) -> int:
        """Bytes received and not yet taken as lines."""
        return len(self._received)

    def feed(self, data: bytes) -> None:
        """Take bytes off the wire. CR ends a line as LF does, so CRLF adds an empty line."""
        if b"\r" in data:
            data = data.replace(b"\r", b"\n")
        self._received += data
        if len(self._received) > 4 * MAX_LINE and b"\n" not in self._received:
            # Nothing behind the cut is ever looked at, so an endless line needs no memory.
            del self._received[MAX_LINE + 1 :]

    def flush(self) -> None:
        """Forget everything that was received and not yet taken, half a line included."""
        self._received.clear()

    def next_line(self) -> bytes | None:
        """The next line that holds a command, cut to `MAX_LINE`; None when none is complete.

        Empty lines and pure comments are passed over: nothing is ever answered to them.
        """
        while True:
            end = self._received.find(b"\n")
            if end < 0:
                return None
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            if b";" in line:
                line = line[: line.index(b";")]
            line = line[:MAX_LINE].lstrip(b" ")
            if b"\0" in line:
                line = line[: line.index(b"\0")]
            if line and not line.isspace():
                return line

    def check(self, line: bytes) -> Accepted | Rejected:
        """Check number and checksum of `line`; an accepted number becomes the last one."""
        if line[:1] != b"N":
            return Accepted(_TRAILING_CHECKSUM.sub(b"", line).strip(), None)
        start = _NUMBERED.match(line)
        assert start is not None  # the line begins with N
        number = int(start.group(1)) if start.group(1) else 0
        sets_counter = b"M110" in line
        if sets_counter and (second := line.find(b"N", 4)) > 0:
            number = _leading_number(line[second + 1 :])  # "N5 M110 N9": the second one counts
        if number != self.last_number + 1 and not sets_counter:
            return Rejected("Line Number is not Last Line Number+1")
        star = line.rfind(b"*")
        if star < 0:
            return Rejected("No Checksum with line number")
        if reduce(xor, line[:star], 0) != _leading_number(line[star + 1 :]):
            return Rejected("checksum mismatch")
        self.last_number = number
        return Accepted(line[start.end() : star].strip(), number)


def _leading_number(text: bytes) -> int:
    """The integer at the start of `text`, 0 where there is none (as C's strtol has it)."""
    match = _DIGITS.match(text)
    return int(match.group(1)) if match else 0

"""The commands of a G-code file, one after the other, with their places: what a job streams.

The file is read in blocks and never held whole. Comments (`;`) and blanks are dropped; everything
else is left as it stands, since the firmware is the judge of it.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from bedplate.errors import BedplateError

BLOCK = 64 * 1024
"""Bytes read at a time: 1,500 lines or so, half a second of the fastest line."""
LINE_LIMIT = 64 * 1024
"""Longest line in bytes. A printer takes about 96; slicers write longer ones as comments only."""


class FileUnreadableError(BedplateError):
    """The file of a job can't be read any further: the disk failed, or it is not text."""

    code = "file_unreadable"
    http_status = 409


class CommandReader:
    """Reads a file from `offset`, which is the start of line `line` + 1.

    After each command, `offset` and `line` tell its place: the byte behind the line, and the line's
    number from 1. The file is held open, so renaming or deleting it does not disturb a reader.

    What others append meanwhile is not read. Raises OSError where the file can't be opened.
    """

    def __init__(self, path: Path, offset: int = 0, line: int = 0) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._fd).st_size
        self.offset = offset
        self.line = line
        self._position = offset
        self._rest = b""
        self._skipped = 0
        """Bytes of the present line's comment that were let go, as it is long."""
        self._lines: Iterator[bytes] = iter(())
        self._ended = False

    def next_command(self) -> bytes | None:
        """The next command, or None at the end. Raises FileUnreadableError."""
        while True:
            for raw in self._lines:
                self.offset += len(raw) + 1
                self.line += 1
                comment = raw.find(b";")
                command = (raw[:comment] if comment >= 0 else raw).strip()
                if command:
                    return command
            if self._ended:
                return None
            self._read_block()

    def _read_block(self) -> None:
        try:
            block = os.pread(self._fd, min(BLOCK, self.size - self._position), self._position)
        except OSError as error:
            raise FileUnreadableError(
                f"The file can't be read at byte {self._position}: {error.strerror}."
            ) from error
        if self._position == 0 and block.startswith(BOM_UTF8):
            self.offset = len(BOM_UTF8)
            self._position = len(BOM_UTF8)
            block = block[len(BOM_UTF8) :]
        self._position += len(block)
        if block:
            lines = (self._rest + block).split(b"\n")
            self._rest = lines.pop()
        elif self._position < self.size:
            raise FileUnreadableError(
                f"The file ends at byte {self._position} now; it had {self.size} when it was"
                " opened. Another program cut it off."
            )
        else:
            lines = [self._rest] if self._rest else []
            self._rest = b""
            self._ended = True
            self.offset -= len(lines)  # no line end follows
        if lines:
            self.offset += self._skipped
            self._skipped = 0
        if len(self._rest) > LINE_LIMIT:
            self._shorten(self.line + len(lines) + 1)
        self._lines = iter(lines)

    def _shorten(self, line: int) -> None:
        """Forget the comment of a line whose end has not come yet."""
        comment = self._rest.find(b";")
        if not 0 <= comment <= LINE_LIMIT:
            raise FileUnreadableError(
                f"Line {line} is longer than {LINE_LIMIT} bytes. This is not a G-code file."
            )
        self._skipped += len(self._rest) - comment - 1
        self._rest = self._rest[: comment + 1]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

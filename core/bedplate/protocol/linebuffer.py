"""Bytes in any chunking to lines, bounded, tolerant of noise."""

from __future__ import annotations

LINE_LIMIT = 4096
"""Longest line in bytes. M115 of Marlin 2 takes about 250, a bed mesh row less; noise without an
end more."""


class LineBuffer:
    """Splits at `\\n`; a `\\r` before it and blanks at the end are dropped."""

    def __init__(self) -> None:
        self._rest = b""
        self.overflows = 0
        """Lines that were cut because they were over the limit."""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends. A line over the limit comes out in
        parts."""
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        rest = lines.pop()
        if len(rest) > LINE_LIMIT:
            self.overflows += 1
            lines.append(rest)
            rest = b""
        self._rest = rest
        return lines

    def clear(self) -> None:
        """Forget a line that has begun: the other side started anew."""
        self._rest = b""

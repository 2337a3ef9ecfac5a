"""Bytes in any chunking to lines, bounded, tolerant of noise."""

from __future__ import annotations

LINE_LIMIT = 4096
"""Longest line in bytes. M115 of Marlin 2 takes about 250, a bed mesh row less; noise without an
end more."""


class LineBuffer:
    """Splits at `\\n`. A `\\r` before it stays: some firmwares send it, and some not always."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends. A line over the limit comes out in
        parts, the same ones in any chunking."""
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        if len(data) > LINE_LIMIT:
            lines = [part for line in lines for part in _parts(line)]
        self._rest = lines.pop()
        return lines

    def clear(self) -> None:
        """Forget a line that has begun: the other side started anew."""
        self._rest = b""


def _parts(line: bytes) -> list[bytes]:
    starts = range(0, max(len(line), 1), LINE_LIMIT)
    return [line[start : start + LINE_LIMIT] for start in starts]

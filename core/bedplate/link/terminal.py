"""The conversation with the printer as people read it: a bounded memory of raw bytes, and lines
made from it only while somebody watches, so that nobody pays for a terminal that is not open."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from bedplate.messages.frames import Direction, TerminalFrame, TerminalLine
from bedplate.protocol.grammar import decode

MEMORY = 1000
"""Pieces of the conversation kept: some 500 lines each way, 100 kB."""
FRAME_LINES = 250
"""Lines sent at a time, 4 times a second: more than a person can read, less than a page can
draw."""


class Terminal:
    """Remembers what went over the wire. `wall_clock` gives Unix seconds from the loop's monotonic
    ones."""

    def __init__(self, to_wall_clock: Callable[[float], float]) -> None:
        self._to_wall_clock = to_wall_clock
        self._memory: deque[tuple[float, Direction, bytes]] = deque(maxlen=MEMORY)
        self.record = self._memory.append
        """Takes `(now, direction, bytes)`. An attribute, since it is called twice for each line."""
        self._rest = b""
        self._dropped = 0
        self._unseen: deque[tuple[float, Direction, bytes]] | None = None

    def note(self, now: float, text: str) -> None:
        """Something that was not on the wire."""
        self.record((now, Direction.NOTE, text.encode()))

    def last_lines(self, count: int) -> list[str]:
        """The last received lines, oldest first."""
        received = b"".join(
            data for _, direction, data in self._memory if direction is Direction.RECEIVED
        )
        return [decode(line).rstrip() for line in received.split(b"\n") if line.strip()][-count:]

    def watch(self, on: bool) -> None:
        """Begin to make lines of what comes from now on, or stop."""
        self._unseen = deque(maxlen=MEMORY) if on else None
        self._rest = b""
        self._dropped = 0
        self.record = self._record_watched if on else self._memory.append

    @property
    def is_watched(self) -> bool:
        """Whether lines are being made."""
        return self._unseen is not None

    def recent(self) -> TerminalFrame:
        """The lines that are remembered, for somebody who begins to read."""
        lines, _ = self._to_lines(self._memory, b"")
        return TerminalFrame(lines=lines[-FRAME_LINES:])

    def _record_watched(self, piece: tuple[float, Direction, bytes]) -> None:
        self._memory.append(piece)
        if self._unseen is not None:
            if len(self._unseen) == MEMORY:
                self._dropped += 1
            self._unseen.append(piece)

    def take(self) -> TerminalFrame | None:
        """The lines since the last call, at most FRAME_LINES; None where there are none."""
        if not self._unseen:
            return None
        skipped, self._dropped = self._dropped, 0
        lines, self._rest = self._to_lines(self._unseen, self._rest)
        self._unseen.clear()
        if len(lines) > FRAME_LINES:
            skipped += len(lines) - FRAME_LINES
            lines = lines[-FRAME_LINES:]
        return TerminalFrame(lines=lines, skipped=skipped) if lines else None

    def _to_lines(
        self, pieces: Iterable[tuple[float, Direction, bytes]], rest: bytes
    ) -> tuple[list[TerminalLine], bytes]:
        """Pieces as lines, and what is left of a received line that has only begun."""
        lines: list[TerminalLine] = []
        for now, direction, data in pieces:
            if direction is Direction.RECEIVED:
                *complete, rest = (rest + data).split(b"\n")
            else:
                complete = data.split(b"\n")
            time = round(self._to_wall_clock(now), 3)
            lines += [
                TerminalLine(time, direction, decode(line).rstrip()) for line in complete if line
            ]
        return lines, rest

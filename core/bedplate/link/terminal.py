"""The conversation with the printer as people read it: a bounded memory of raw bytes, and lines
made from it only while somebody reads, so that nobody pays for a terminal that is not open."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from bedplate.messages.frames import Direction, TerminalFrame, TerminalLine
from bedplate.protocol.grammar import decode

MEMORY = 1000
"""Pieces of the conversation kept: some 500 lines each way, 100 kB."""
UNSEEN = 8000
"""Pieces kept until they are taken, 4 times a second: 16,000 lines a second, both ways."""
FRAME_LINES = 250
"""Lines sent to the host at a time, 4 times a second: more than a person can read, less than a page
can draw."""


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
        self._unseen = deque(maxlen=UNSEEN) if on else None
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
            if len(self._unseen) == UNSEEN:
                self._dropped += 1
            self._unseen.append(piece)

    def take(self) -> TerminalFrame | None:
        """All lines since the last call, as far as the memory holds; None where there are none."""
        if not self._unseen:
            return None
        skipped, self._dropped = self._dropped, 0
        lines, self._rest = self._to_lines(self._unseen, self._rest)
        self._unseen.clear()
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


class Readers:
    """Who reads a terminal. Each is given all lines; lines are made while there is one."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._readers: list[Callable[[TerminalFrame], None]] = []

    def join(self, read: Callable[[TerminalFrame], None]) -> None:
        """Give `read` the lines from now on."""
        if read not in self._readers:
            self._readers.append(read)
        self._set_watch()

    def leave(self, read: Callable[[TerminalFrame], None]) -> None:
        """No more for `read`, which need not have joined."""
        if read in self._readers:
            self._readers.remove(read)
        self._set_watch()

    def hand_out(self) -> None:
        """Give everybody the lines since the last time."""
        frame = self._terminal.take()
        if frame is not None:
            for read in self._readers:
                read(frame)

    def _set_watch(self) -> None:
        wanted = bool(self._readers)
        if wanted is not self._terminal.is_watched:
            self._terminal.watch(wanted)


def for_the_host(frame: TerminalFrame) -> TerminalFrame:
    """The last FRAME_LINES of a frame, the others counted."""
    skipped = len(frame.lines) - FRAME_LINES
    if skipped <= 0:
        return frame
    return TerminalFrame(lines=frame.lines[skipped:], skipped=frame.skipped + skipped)

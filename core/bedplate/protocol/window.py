"""Lines that were sent: those in flight, those that may be asked for again, and which come next.

Pure bookkeeping, without time. A line leaves the window only when the printer acknowledged it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Any

from bedplate.protocol.dialects import takes_long
from bedplate.protocol.encode import numbered

HISTORY = 512
"""Lines kept for resending. A printer asks for what it just received: its receive buffer and
command queue hold 4 to 32 lines. More would only serve requests that can't be meant."""


class Kind(Enum):
    """Who wanted a line to be sent."""

    HANDSHAKE = "handshake"
    POLL = "poll"
    PROBE = "probe"
    COMMAND = "command"
    SCRIPT = "script"
    JOB = "job"


class Sent:
    """One line that was sent. `tag` is whatever its sender wants back with the acknowledgement."""

    __slots__ = ("acknowledged", "command", "kind", "number", "tag", "wire")

    def __init__(self, number: int, command: bytes, wire: bytes, kind: Kind, tag: Any) -> None:
        self.number = number
        self.command = command
        self.wire = wire
        self.kind = kind
        self.tag = tag
        self.acknowledged = False

    @property
    def takes_long(self) -> bool:
        """Whether silence on this line means nothing."""
        return takes_long(self.command)

    @property
    def asks_temperature(self) -> bool:
        """Whether the answer is a temperature report."""
        return self.command.startswith(b"M105")

    def __repr__(self) -> str:
        return f"Sent({self.wire!r}, {self.kind.value})"


class Window:
    """What is in flight, what can be sent again, and the numbers."""

    def __init__(self, size: int = 1) -> None:
        self.size = size
        self.in_flight: deque[Sent] = deque()
        self.next_number = 1
        self._history: list[Sent | None] = [None] * HISTORY
        self._again: int | None = None
        self._prepared: tuple[int, bytes, bytes] = (0, b"", b"")

    def restart(self) -> None:
        """Begin numbering anew: nothing is in flight and nothing can be asked for."""
        self.in_flight.clear()
        self.next_number = 1
        self._history = [None] * HISTORY
        self._again = None

    @property
    def has_room(self) -> bool:
        """Whether one more line may be in flight."""
        return len(self.in_flight) < self.size

    @property
    def is_rewound(self) -> bool:
        """Whether lines have to be sent again before any new one."""
        return self._again is not None

    def prepare(self, command: bytes) -> None:
        """Encode `command` ahead, while the printer is at work, as the line that probably comes
        next."""
        self._prepared = (self.next_number, command, numbered(self.next_number, command))

    def send(self, command: bytes, kind: Kind, tag: Any = None) -> Sent:
        """A new line, now in flight."""
        number = self.next_number
        ahead_number, ahead_command, wire = self._prepared
        if ahead_number != number or ahead_command is not command:
            wire = numbered(number, command)
        line = Sent(number, command, wire, kind, tag)
        self._history[number % HISTORY] = line
        self.next_number = number + 1
        self.in_flight.append(line)
        return line

    def find(self, number: int) -> Sent | None:
        """The line with this number, as long as it can be sent again."""
        line = self._history[number % HISTORY]
        return line if line is not None and line.number == number else None

    def acknowledge(self) -> Sent | None:
        """The oldest line in flight was taken; None where there is none."""
        return self.in_flight.popleft() if self.in_flight else None

    def acknowledge_through(self, line: Sent) -> Iterator[Sent]:
        """`line`, which is in flight, was taken, and so was every one before it."""
        while True:
            first = self.in_flight.popleft()
            yield first
            if first is line:
                return

    def rewind(self, number: int) -> list[Sent]:
        """Everything from line `number` on has to be sent again. It must be in the history.

        Answers the lines that are settled by this: where some waited to be sent again, and the
        printer asks for a later one, it took them, and what is in flight before them.
        """
        again, self._again = self._again, number
        before = [line for line in self.in_flight if line.number < number]
        if again is None or again >= number:
            self.in_flight = deque(before)
            return []
        self.in_flight.clear()
        waited = (self.find(n) for n in range(again, number))
        return before + [line for line in waited if line is not None]

    @property
    def may_send_again(self) -> bool:
        """Whether a line has to be sent again, and there is room for it. All at once, probes and
        all, they would not fit into the printer's receive buffer."""
        return self._again is not None and self.has_room

    def send_again(self) -> Sent:
        """The next line of those that have to be sent again, now in flight."""
        line = None if self._again is None else self.find(self._again)
        if line is None:
            raise ValueError("no line has to be sent again")
        self._again = line.number + 1 if line.number + 1 < self.next_number else None
        self.in_flight.append(line)
        return line

"""A host and a printer in simulated time: a conversation, a wire, and whatever answers at its other
end."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bedplate.messages.commands import LineSettings
from bedplate.messages.states import ConnectionState
from bedplate.protocol.conversation import Conversation
from bedplate.protocol.events import (
    ConnectionFailed,
    ConversationEvent,
    Halted,
    PrinterReset,
    Ready,
    StreamBroken,
)
from bedplate.protocol.window import Kind, Sent

LATENCY = 0.001
"""Seconds that a byte takes at least, in each direction."""
BYTE_TIME = 10 / 250_000
"""Seconds on the wire per byte, at 250,000 baud."""
POLL_EVERY = 2.0
SETTLES = 100.0
"""Seconds that a run goes on after the last acknowledgement, for what is still under way."""
HOST_COMMANDS = (b"M105", b"M110", b"M115", b"M155")
"""What a conversation sends of its own."""
ENDS = (StreamBroken, Halted, ConnectionFailed, PrinterReset)
"""Events that end a job at a named place."""


class Printer(Protocol):
    """What answers: the virtual printer's firmware, or a model of one."""

    def receive(self, data: bytes, now: float) -> None: ...
    def poll(self, now: float) -> None: ...
    def deadline(self) -> float: ...
    def take_output(self) -> bytes: ...
    def take_accepted(self) -> list[bytes]: ...


class Wire:
    """One direction of a serial line: bytes arrive in order, later."""

    def __init__(self) -> None:
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0

    def put(self, data: bytes, now: float) -> None:
        self._free_at = max(now, self._free_at) + BYTE_TIME * len(data)
        self._under_way.append((self._free_at + LATENCY, data))

    @property
    def due(self) -> float:
        return self._under_way[0][0] if self._under_way else math.inf

    def take(self, now: float) -> bytes:
        data = b""
        while self._under_way and self._under_way[0][0] <= now:
            data += self._under_way.popleft()[1]
        return data


@dataclass
class Outcome:
    """How a run ended, and what happened. Neither `done` nor `ended_by`: the time was up."""

    accepted: list[bytes] = field(default_factory=list)
    """Commands of the stream that the printer took, in its order."""
    acknowledged: list[int] = field(default_factory=list)
    """Indices of the commands that were reported as acknowledged, in order."""
    events: list[ConversationEvent] = field(default_factory=list)
    done: bool = False
    """Every command was acknowledged, and nothing waited any more."""
    ended_by: ConversationEvent | None = None
    now: float = 0.0
    most_ahead: int = 0
    """By how many lines `acknowledged` was ever ahead of `accepted`."""
    most_waiting: int = 0
    wire: list[str] = field(default_factory=list)
    """The last lines on the wire, for a person who looks at a failure."""

    def of(self, kind: type[ConversationEvent]) -> list[ConversationEvent]:
        return [event for event in self.events if isinstance(event, kind)]


class Simulation:
    """Streams `commands` through a conversation to `printer`."""

    def __init__(
        self,
        printer: Printer,
        commands: Sequence[bytes],
        *,
        window: int = 1,
        polling: bool = True,
        dialect: str | None = None,
    ) -> None:
        self.printer = printer
        self.conversation = Conversation(LineSettings(window=window, dialect=dialect))
        self.outcome = Outcome()
        self._commands = commands
        self._next = 0
        self._ready = False
        self._polling = polling
        self._poll_at = math.inf
        self._down, self._up = Wire(), Wire()
        self._trace: deque[tuple[float, str, bytes]] = deque(maxlen=60)
        self.now = 0.0

    def run(self, limit: float) -> Outcome:
        """Until every command is acknowledged and the line is idle, the stream has ended otherwise,
        or `limit` seconds have passed."""
        conversation, outcome = self.conversation, self.outcome
        conversation.open(self.now)
        self._turn(self.now)
        until = limit
        while outcome.ended_by is None:
            if until == limit and self._is_done():
                until = self.now + SETTLES
            now = self._next_time()
            if now > until:
                outcome.done = until != limit
                break
            self.now = now
            self._turn(now)
        outcome.now = self.now
        outcome.wire = [f"{when:10.4f} {way} {data!r}" for when, way, data in self._trace]
        return outcome

    def _is_done(self) -> bool:
        return len(self.outcome.acknowledged) == len(self._commands) and self.conversation.idle

    def _next_time(self) -> float:
        deadline = self.conversation.deadline()
        return max(
            self.now,
            min(
                self._down.due,
                self._up.due,
                math.inf if deadline is None else deadline,
                self.printer.deadline(),
                self._poll_at,
            ),
        )

    def _turn(self, now: float) -> None:
        printer, conversation = self.printer, self.conversation
        if data := self._down.take(now):
            printer.receive(data, now)
        printer.poll(now)
        if said := printer.take_output():
            self._trace.append((now, "<", said))
            self._up.put(said, now)
        self.outcome.accepted += [
            line for line in printer.take_accepted() if not line.startswith(HOST_COMMANDS)
        ]
        if data := self._up.take(now):
            conversation.receive(data, now)
        deadline = conversation.deadline()
        if deadline is not None and now >= deadline:
            conversation.tick(now)
        if now >= self._poll_at:
            self._poll(now)
        self._look_at_events()
        self._send(now)

    def _poll(self, now: float) -> None:
        self._poll_at = now + POLL_EVERY
        waiting = self.conversation.waits_for
        if self.conversation.state is ConnectionState.OPERATIONAL and (
            waiting is None or waiting.kind is not Kind.POLL
        ):
            self.conversation.send(b"M105", Kind.POLL)

    def _look_at_events(self) -> None:
        outcome = self.outcome
        for event in self.conversation.take_events():
            if isinstance(event, Sent):
                if event.kind is Kind.JOB:
                    outcome.acknowledged.append(event.tag)
                continue
            outcome.events.append(event)
            if isinstance(event, Ready):
                self._ready = True
                if self._polling:
                    self._poll_at = self.now + POLL_EVERY
            if isinstance(event, ENDS) and outcome.ended_by is None:
                outcome.ended_by = event
        ahead = len(outcome.acknowledged) - len(outcome.accepted)
        outcome.most_ahead = max(outcome.most_ahead, ahead)

    def _send(self, now: float) -> None:
        conversation = self.conversation
        while True:
            if (
                self._ready
                and self._next < len(self._commands)
                and conversation.state is ConnectionState.OPERATIONAL
                and conversation.ready
            ):
                conversation.send(self._commands[self._next], Kind.JOB, self._next)
                self._next += 1
            if urgent := conversation.take_urgent():
                self._down.put(urgent, now)
            data = conversation.take_output(now)
            if not data:
                return
            self._trace.append((now, ">", data))
            self._down.put(data, now)

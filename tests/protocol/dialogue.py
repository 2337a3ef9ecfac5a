"""A conversation held step by step, with a clock that moves when told."""

from __future__ import annotations

from typing import TypeVar

from bedplate.messages.commands import LineSettings
from bedplate.messages.states import ConnectionState
from bedplate.protocol.conversation import Conversation
from bedplate.protocol.encode import numbered
from bedplate.protocol.events import ConversationEvent
from bedplate.protocol.window import Kind, Sent

Event = TypeVar("Event", bound=ConversationEvent)


class Dialogue:
    """The printer's half is played by the test. `sent` are the lines since the last look."""

    def __init__(self, *, detecting: bool = False, **settings: object) -> None:
        self.now = 100.0
        self.conversation = Conversation(LineSettings(**settings))  # type: ignore[arg-type]
        self.events: list[ConversationEvent] = []
        self.acknowledged: list[str] = []
        self.numbers: list[int] = []
        """Line numbers of what was acknowledged, beside `acknowledged`."""
        self.conversation.open(self.now, detecting=detecting)

    @property
    def state(self) -> ConnectionState:
        return self.conversation.state

    def hears(self, *lines: str) -> list[str]:
        """The printer says `lines`; what the host sends then."""
        self.conversation.receive("".join(line + "\n" for line in lines).encode(), self.now)
        return self.sends()

    def after(self, seconds: float) -> list[str]:
        """Time passes, with a tick at each deadline; what the host sends meanwhile."""
        until = self.now + seconds
        sent: list[str] = []
        for _ in range(10_000):
            deadline = self.conversation.deadline()
            if deadline is None or deadline > until:
                break
            self.now = max(self.now, deadline)
            self.conversation.tick(self.now)
            sent += self.sends()
        self.now = until
        return sent

    def queues(self, *commands: str, kind: Kind = Kind.JOB) -> list[str]:
        """The owner wants `commands` sent; what goes out now."""
        for command in commands:
            self.conversation.send(command.encode(), kind)
        return self.sends()

    def sends(self) -> list[str]:
        """What the host writes now, as lines; events are collected on the way."""
        data = self.conversation.take_urgent()
        while output := self.conversation.take_output(self.now):
            data += output
        for event in self.conversation.take_events():
            if isinstance(event, Sent):
                self.acknowledged.append(event.command.decode())
                self.numbers.append(event.number)
            else:
                self.events.append(event)
        return [line for line in data.decode().split("\n") if line]

    def all(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def one(self, kind: type[Event]) -> Event:
        (event,) = self.all(kind)
        return event


def line(number: int, command: str) -> str:
    """`command` as it goes over the wire."""
    return numbered(number, command.encode()).decode().rstrip("\n")


REPORT = "ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0"
MARLIN = "FIRMWARE_NAME:Marlin 2.0.9.5 MACHINE_TYPE:Mendel EXTRUDER_COUNT:2"


def connected(
    *, window: int = 1, identity: str = MARLIN, report: str = REPORT, **settings: object
) -> Dialogue:
    """A dialogue whose handshake is over; the next line has number 3. No automatic reports."""
    dialogue = Dialogue(window=window, **settings)
    assert dialogue.hears("start") == []
    assert dialogue.after(0.2) == [line(0, "M110 N0")]
    assert dialogue.hears("ok") == [line(1, "M115")]
    assert dialogue.hears(identity, "ok") == [line(2, "M105")]
    assert dialogue.hears(*report.split("\n")) == []
    assert dialogue.state is ConnectionState.OPERATIONAL
    dialogue.events.clear()
    return dialogue

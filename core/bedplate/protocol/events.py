"""What a conversation tells its owner, besides the lines (`window.Sent`) that were acknowledged."""

from __future__ import annotations

import msgspec

from bedplate.messages.snapshot import Firmware, HeaterReading, Position


class ConversationEvent(msgspec.Struct, frozen=True):
    """Base class."""


class RateRefused(ConversationEvent, frozen=True):
    """Nothing understandable came at this baud rate: try the next one."""


class Ready(ConversationEvent, frozen=True):
    """The handshake is complete."""

    firmware: Firmware


class ConnectionFailed(ConversationEvent, frozen=True):
    """The printer can't be talked to."""

    code: str
    text: str
    hint: str


class PrinterReset(ConversationEvent, frozen=True):
    """The printer started anew by itself; whatever was in flight is lost."""


class Halted(ConversationEvent, frozen=True):
    """The firmware stopped itself, or was told to (`asked`); nothing is sent until it is reset."""

    kind: str
    line: str
    asked: bool = False


class TemperaturesReported(ConversationEvent, frozen=True):
    """Heaters that one line spoke of."""

    heaters: dict[str, HeaterReading]


class PositionReported(ConversationEvent, frozen=True):
    """Where the printer says it is."""

    position: Position


class ActionRequested(ConversationEvent, frozen=True):
    """`//action:...` of the firmware."""

    name: str
    argument: str


class Reported(ConversationEvent, frozen=True):
    """An error or an unknown command, which the firmware goes on after."""

    text: str


class StreamBroken(ConversationEvent, frozen=True):
    """The printer's stream can't be made whole: the job has to stop here.

    `number` is the line on the wire that the printer asks for.
    """

    code: str
    number: int
    text: str


class Stalled(ConversationEvent, frozen=True):
    """A line has been in flight for very long without a sign of life."""

    silence: float


class Note(ConversationEvent, frozen=True):
    """Something done that is worth a line in the terminal."""

    text: str

"""What a link sends: its hello, replies, events (kept until acknowledged) and telemetry (which may
be dropped)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from bedplate.messages.snapshot import LinkSnapshot

PROTOCOL_VERSION = 1
"""Version of the dialogue between host and link. A host that speaks another one does not attach."""


class LinkOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a link is started with: the one argument of `python -m bedplate.link`."""

    printer: str
    directory: str
    """The printer's own directory below the data directory."""
    socket: str
    serial_log: str
    lonely_idle: float = 60.0
    """Seconds that a link without a host lives when nothing is to be done."""
    lonely_after_job: float = 600.0
    """The same after a job that ended without a host."""


class LinkRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Content of `link.json`: where a host, and `bedplate estop`, find a link."""

    pid: int
    socket: str
    protocol: int
    port: str | None = None


class Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Base class of all frames."""


class Hello(Frame, frozen=True, kw_only=True, tag="hello"):
    """First frame on every connection. `link` is a name that no other run of a link has."""

    protocol: int
    printer: str
    pid: int
    link: str
    version: str


class ReplyError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a command was refused: stable code, sentence, and the HTTP status that suits it."""

    code: str
    message: str
    status: int


class Reply(Frame, frozen=True, kw_only=True, tag="reply"):
    """Answer to the command that had the same `request` number."""

    request: int
    error: ReplyError | None = None


class EventFrame(Frame, frozen=True, kw_only=True, tag="event"):
    """A public event. `seq` counts this link's events from 1; sent again until acknowledged."""

    seq: int
    id: str
    time: str
    event: str
    """The event's type: name of its class in `bedplate.messages.events`."""
    payload: msgspec.Raw


class SnapshotFrame(Frame, frozen=True, kw_only=True, tag="snapshot"):
    """The link's whole state; only the newest one counts."""

    snapshot: LinkSnapshot


class Direction(StrEnum):
    """Which way a terminal line went."""

    SENT = "sent"
    RECEIVED = "received"
    NOTE = "note"
    """Not on the wire: what the link did and why."""


class TerminalLine(msgspec.Struct, frozen=True, array_like=True):
    """One line of the conversation with the printer."""

    time: float
    direction: Direction
    text: str


class TerminalFrame(Frame, frozen=True, kw_only=True, tag="terminal"):
    """Lines of the terminal, oldest first. `skipped` lines before them were left out, to stay
    bounded."""

    lines: list[TerminalLine]
    skipped: int = 0


AnyFrame = Hello | Reply | EventFrame | SnapshotFrame | TerminalFrame

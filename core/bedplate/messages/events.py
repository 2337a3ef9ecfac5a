"""The public events: one class each; the class's name is the event's type.

The docstring of each class is its public documentation, and its JSON Schema is published at
`/api/events.json`. A new event is a new class here and its name in `EVENTS`. Units: °C, mm, s,
bytes, percent. No payload field uses a name of the envelope with another meaning.
"""

from __future__ import annotations

import msgspec

from bedplate.messages.snapshot import FileRef, Position


class PublicEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of every public event."""


class PrinterConnecting(PublicEvent, frozen=True, kw_only=True):
    """A connection to the printer is being made."""

    port: str
    baudrate: int | None = None


class PrinterConnected(PublicEvent, frozen=True, kw_only=True):
    """The printer answered and takes commands."""

    port: str
    baudrate: int | None = None
    firmware: str | None = None


class PrinterDisconnected(PublicEvent, frozen=True, kw_only=True):
    """The connection was closed on purpose, or ended after an error that was reported before."""

    port: str


class PrinterError(PublicEvent, frozen=True, kw_only=True):
    """The connection failed. `reason` is a stable code, `error` a sentence for people."""

    error: str
    reason: str
    port: str | None = None


class FirmwareAlarm(PublicEvent, frozen=True, kw_only=True):
    """The firmware reported that it stopped itself; sending is frozen until the printer is reset.

    `kind` is one of thermal_runaway, heating_failed, maxtemp, mintemp, killed, other.
    """

    kind: str
    line: str
    log: list[str]
    """The last lines of the conversation."""


class PrintStarted(PublicEvent, frozen=True, kw_only=True):
    """A job began: its first line goes out."""

    file: FileRef
    job: str
    user: str | None = None


class PrintPaused(PublicEvent, frozen=True, kw_only=True):
    """A job stands still and can be resumed."""

    file: FileRef
    job: str
    time: float
    reason: str = "user"
    position: Position | None = None


class PrintResumed(PublicEvent, frozen=True, kw_only=True):
    """A paused job goes on."""

    file: FileRef
    job: str
    time: float


class PrintDone(PublicEvent, frozen=True, kw_only=True):
    """Every line of the file was acknowledged and the last move has ended."""

    file: FileRef
    job: str
    time: float


class PrintFailed(PublicEvent, frozen=True, kw_only=True):
    """A job ended before its file did, and nobody asked for it.

    `reason` is a stable code; `error` a sentence that names the place and says what can be done.
    """

    file: FileRef
    job: str
    time: float
    reason: str
    error: str
    offset: int
    line: int
    position: Position | None = None


class PrintCancelled(PublicEvent, frozen=True, kw_only=True):
    """A job was cancelled by a person, a client or the firmware's own request."""

    file: FileRef
    job: str
    time: float
    offset: int
    line: int
    reason: str = "user"
    position: Position | None = None


class PrintProgress(PublicEvent, frozen=True, kw_only=True):
    """A job passed one of the configured marks (25, 50 and 75 % by default)."""

    file: FileRef
    job: str
    completion: float
    time: float
    time_left: float | None = None


class LayerChanged(PublicEvent, frozen=True, kw_only=True):
    """The printer acknowledged the first line of a layer. `layer` counts from 1, `z` in mm."""

    job: str
    layer: int
    layers: int
    z: float


class PrinterStalled(PublicEvent, frozen=True, kw_only=True):
    """The printer does not answer in the middle of a job; `since` is the Unix time of its last sign
    of life."""

    since: float


class LinkLost(PublicEvent, frozen=True, kw_only=True):
    """The link process of the printer ended unexpectedly. A job that ran is not resumed by
    itself."""

    reason: str
    job: str | None = None


class FileAdded(PublicEvent, frozen=True, kw_only=True):
    """A file was uploaded or appeared."""

    path: str
    origin: str


class FileRemoved(PublicEvent, frozen=True, kw_only=True):
    """A file was deleted or disappeared."""

    path: str
    origin: str


class FilamentUse(msgspec.Struct, frozen=True, kw_only=True):
    """Filament that one tool uses: mm and cm³."""

    length: float
    volume: float


class FileAnalysed(PublicEvent, frozen=True, kw_only=True):
    """The analysis of a file ended; `ok` is false where it could not be read."""

    path: str
    origin: str
    ok: bool
    layers: int | None = None
    estimated_time: float | None = None
    filament: dict[str, FilamentUse] = {}


class PluginEnabled(PublicEvent, frozen=True, kw_only=True):
    """A plugin was loaded."""

    plugin: str


class PluginDisabled(PublicEvent, frozen=True, kw_only=True):
    """A plugin was unloaded, or could not be loaded (`reason` says why)."""

    plugin: str
    reason: str = ""


class SettingsChanged(PublicEvent, frozen=True, kw_only=True):
    """Settings were changed; `keys` are dotted names, never values."""

    keys: list[str]


EVENTS: tuple[type[PublicEvent], ...] = (
    PrinterConnecting,
    PrinterConnected,
    PrinterDisconnected,
    PrinterError,
    FirmwareAlarm,
    PrintStarted,
    PrintPaused,
    PrintResumed,
    PrintDone,
    PrintFailed,
    PrintCancelled,
    PrintProgress,
    LayerChanged,
    PrinterStalled,
    LinkLost,
    FileAdded,
    FileRemoved,
    FileAnalysed,
    PluginEnabled,
    PluginDisabled,
    SettingsChanged,
)
"""Every event of the core."""

EVENTS_BY_NAME: dict[str, type[PublicEvent]] = {event.__name__: event for event in EVENTS}


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What every event travels in: journal, webhooks, push. `seq` counts the journal's entries."""

    id: str
    type: str
    printer: str | None
    seq: int
    time: str
    """RFC 3339, UTC."""
    payload: PublicEvent

"""Commands from a host (or from `bedplate estop`) to a link. One JSON object a line; `type` names
the class.

Every command but `Acknowledge` and `WatchTerminal` is answered by a `Reply` with the same
`request`.
"""

from __future__ import annotations

import msgspec

from bedplate.messages.snapshot import FileRef


class LineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a serial line is to be driven. Times in seconds."""

    greeting_timeout: float = 1.0
    """How long a board that resets on opening may take before it is spoken to."""
    answer_timeout: float = 10.0
    """How long a printer may stay silent during the handshake before the connection fails."""
    temperature_interval: float = 2.0
    """Between temperature reports, asked for (M105) or sent by the firmware itself (M155)."""
    probe_after: float = 1.0
    """Silence on a line that is not known to take long, before the lost-ok probe goes out."""
    stalled_after: float = 60.0
    """Silence in a job, probe and all, before the printer is reported as stalled."""
    window: int = 1
    """Lines in flight at most."""
    dialect: str | None = None
    """Name of the firmware dialect; None: recognised by the printer's answers."""
    serial_log: bool = False
    """Write the whole conversation to the printer's serial log."""


class LayerMark(msgspec.Struct, frozen=True, array_like=True):
    """Where a layer begins: byte offset in the file, and its height in mm."""

    offset: int
    z: float


class Scripts(msgspec.Struct, frozen=True, kw_only=True):
    """G-code that the link sends around a job, one command an item, rendered by the host
    beforehand."""

    before_print: list[str] = []
    after_print: list[str] = []
    on_pause: list[str] = []
    on_resume: list[str] = []
    on_cancel: list[str] = []


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Base class of all commands; `request` is the caller's number for the reply."""

    request: int = 0


class Attach(Command, frozen=True, kw_only=True, tag="attach"):
    """A host takes the link over: from now on events go to this connection.

    `acknowledged` is the number of the last event of this link (`link` of its hello) that is safely
    in the host's journal; later ones are sent again.
    """

    protocol: int
    host_pid: int
    link: str
    acknowledged: int


class Acknowledge(Command, frozen=True, kw_only=True, tag="acknowledge"):
    """Events up to `seq` are in the host's journal."""

    seq: int


class Connect(Command, frozen=True, kw_only=True, tag="connect"):
    """Open `target` (a device path or a pyserial URL); `port` is the name that people know it by.

    `baudrate` 0 means: find out, from the usual ones.
    """

    port: str
    target: str
    baudrate: int = 0
    settings: LineSettings = LineSettings()


class Disconnect(Command, frozen=True, kw_only=True, tag="disconnect"):
    """Close the port. Refused while a job runs."""


class SendGcode(Command, frozen=True, kw_only=True, tag="send_gcode"):
    """Send commands as soon as the line is free, ahead of the job's own lines.

    `origin` says who asked, for the terminal and the log.
    """

    commands: list[str]
    origin: str = "api"


class StartJob(Command, frozen=True, kw_only=True, tag="start_job"):
    """Stream the file at the absolute path `source`."""

    job: str
    file: FileRef
    source: str
    layers: list[LayerMark] = []
    scripts: Scripts = Scripts()
    progress_marks: list[float] = []
    """Percentages that give a PrintProgress event each."""
    user: str | None = None


class SetLayers(Command, frozen=True, kw_only=True, tag="set_layers"):
    """The layers of the running job's file, where the analysis ended after the job began."""

    job: str
    layers: list[LayerMark]


class PauseJob(Command, frozen=True, kw_only=True, tag="pause_job"):
    """Stop after the lines that are in flight."""

    reason: str = "user"


class ResumeJob(Command, frozen=True, kw_only=True, tag="resume_job"):
    """Go on with a paused job."""


class CancelJob(Command, frozen=True, kw_only=True, tag="cancel_job"):
    """End the job before its end."""

    reason: str = "user"


class EmergencyStop(Command, frozen=True, kw_only=True, tag="emergency_stop"):
    """M112 at once, past every queue, whatever the state. Taken from any connection, attached or
    not."""


class WatchTerminal(Command, frozen=True, kw_only=True, tag="watch_terminal"):
    """Send terminal lines from now on, beginning with the recent ones, or stop sending them."""

    on: bool


class Shutdown(Command, frozen=True, kw_only=True, tag="shutdown"):
    """Close the port and end the process. Refused while a job runs."""


AnyCommand = (
    Attach
    | Acknowledge
    | Connect
    | Disconnect
    | SendGcode
    | StartJob
    | SetLayers
    | PauseJob
    | ResumeJob
    | CancelJob
    | EmergencyStop
    | WatchTerminal
    | Shutdown
)

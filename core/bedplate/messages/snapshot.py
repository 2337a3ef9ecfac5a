"""What a printer's link knows, as one immutable value that is sent whole on every change.

Units: °C, mm, s, bytes; `time` and `started` are Unix seconds of the machine's clock.
"""

from __future__ import annotations

import msgspec

from bedplate.messages.states import ConnectionState, JobState, Outcome


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went wrong, for programs (`code`) and for people (`text`, and `hint`: what can
    be done)."""

    code: str
    text: str
    hint: str = ""


class HeaterReading(msgspec.Struct, frozen=True):
    """Temperature and set target of one heater in °C; `None` where the printer did not say."""

    actual: float | None
    target: float | None


class Temperatures(msgspec.Struct, frozen=True, kw_only=True):
    """One temperature report. Heaters are named `tool0`, `tool1`, ..., `bed`, `chamber`."""

    time: float
    heaters: dict[str, HeaterReading]


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Position as the firmware reported it (M114, M154), in mm."""

    x: float | None = None
    y: float | None = None
    z: float | None = None
    e: float | None = None


class Firmware(msgspec.Struct, frozen=True, kw_only=True):
    """What the firmware said of itself (M115) and the dialect that follows from it."""

    name: str
    dialect: str
    machine: str | None = None
    extruders: int = 1
    capabilities: dict[str, bool] = {}


class FileRef(msgspec.Struct, frozen=True, kw_only=True):
    """A print file: `path` relative to the files of its `origin` (`local`, `sdcard`), size in
    bytes."""

    path: str
    origin: str
    size: int


class JobSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The job that runs, or the last one that ran.

    Every place (`offset`, `line`, `layer`, `z`) is what the printer acknowledged, not what was
    read.
    """

    id: str
    file: FileRef
    state: JobState
    outcome: Outcome | None = None
    offset: int = 0
    """Bytes of the file up to the end of the last acknowledged line."""
    line: int = 0
    """Number of that line in the file, from 1; 0 before the first."""
    layer: int | None = None
    """From 1; None while no layer has begun or none are known."""
    layers: int | None = None
    z: float | None = None
    started: float
    elapsed: float = 0.0
    """Seconds spent printing, pauses left out."""
    user: str | None = None
    problem: Problem | None = None
    """Why it failed, or why it paused where that was not asked for."""


class LineStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Quality of the serial line since it was opened."""

    transmitted: int = 0
    resends: int = 0
    lost_oks: int = 0
    oddities: int = 0
    """Replies that did not fit: noise, acknowledgements of nothing."""


class LinkSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a link knows of its printer."""

    state: ConnectionState = ConnectionState.CLOSED
    port: str | None = None
    """The port's name as people chose it (`VIRTUAL`, `/dev/serial/by-id/...`)."""
    baudrate: int | None = None
    firmware: Firmware | None = None
    problem: Problem | None = None
    temperatures: Temperatures | None = None
    position: Position | None = None
    busy: str | None = None
    """What the firmware says it is busy with ("processing", "paused for user"), else None."""
    job: JobSnapshot | None = None
    line: LineStatistics = LineStatistics()

"""What clients see of a printer: one immutable value, computed from the link's snapshot and the
host's knowledge.

`GET /api/state` answers it and the push socket sends it as `{"snapshot": ...}`. Units: °C, mm, s,
bytes, percent; times of day are Unix seconds.
"""

from __future__ import annotations

import msgspec

from bedplate.messages.snapshot import (
    FileRef,
    Firmware,
    LineStatistics,
    Position,
    Problem,
    Temperatures,
)
from bedplate.messages.states import ConnectionState, JobState, Outcome


class ConnectionView(msgspec.Struct, frozen=True, kw_only=True):
    """The connection, with the state in the words that OctoPrint's clients know (`text`)."""

    state: ConnectionState
    text: str
    port: str | None
    baudrate: int | None
    problem: Problem | None
    """Why it is closed, halted or in error, where that was not asked for."""


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """The running job, or the last one, with what the file's analysis adds."""

    id: str
    file: FileRef
    state: JobState
    outcome: Outcome | None
    offset: int
    line: int
    lines: int | None
    layer: int | None
    layers: int | None
    z: float | None
    completion: float
    """Percent of the file's bytes that the printer acknowledged."""
    started: float
    elapsed: float
    remaining: float | None
    remaining_origin: str | None
    """Where `remaining` comes from: "analysis" (the file's estimate) or "linear" (bytes so far)."""
    user: str | None
    problem: Problem | None


class PrinterSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A printer as its clients see it."""

    printer: str
    name: str
    time: float
    link_pid: int | None
    connection: ConnectionView
    firmware: Firmware | None
    temperatures: Temperatures | None
    position: Position | None
    busy: str | None
    line: LineStatistics
    selected: FileRef | None
    """The file that `start` would print."""
    job: JobView | None

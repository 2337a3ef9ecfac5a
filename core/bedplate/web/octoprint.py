"""Our states in the words of OctoPrint's clients. Pure functions and tables; the wire, not the
HTTP.

Clients compare state texts literally and read flags in a fixed order, so both stand in one table
each, written from the behaviour of OctoPrint 1.11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import PurePosixPath

from bedplate.messages.frames import Direction, TerminalLine
from bedplate.messages.printer import JobView, PrinterSnapshot
from bedplate.messages.snapshot import Temperatures
from bedplate.messages.states import ACTIVE_JOB_STATES, ConnectionState, JobState, Outcome
from bedplate.web.documents import (
    Filament,
    FileFacts,
    Flags,
    HeaterDocument,
    HistoryPoint,
    JobDocument,
    JobFileDocument,
    ProgressDocument,
    StateDocument,
)

API_VERSION = "0.1"
SERVER_VERSION = "1.11.8"
"""The release whose interface this is. Clients parse the parts as numbers and ask for 1.9 or
newer."""

STATE_IDS: Mapping[str, str] = {
    "Offline": "OFFLINE",
    "Opening serial connection": "OPEN_SERIAL",
    "Detecting serial connection": "DETECT_SERIAL",
    "Connecting": "CONNECTING",
    "Operational": "OPERATIONAL",
    "Starting": "STARTING",
    "Printing": "PRINTING",
    "Pausing": "PAUSING",
    "Paused": "PAUSED",
    "Resuming": "RESUMING",
    "Finishing": "FINISHING",
    "Cancelling": "CANCELLING",
    "Error": "ERROR",
    "Offline after error": "CLOSED_WITH_ERROR",
}
"""The id that belongs to each text of a state. The texts are those of the printer's snapshot."""

PRINTING_STATES = ACTIVE_JOB_STATES - {JobState.PAUSED}
"""Job states in which OctoPrint's flag `printing` is set."""

CLOSED_OR_ERROR = frozenset({ConnectionState.CLOSED, ConnectionState.HALTED, ConnectionState.ERROR})
IN_ERROR = frozenset({ConnectionState.HALTED, ConnectionState.ERROR})

REMAINING_ORIGINS: Mapping[str, str] = {"analysis": "analysis", "linear": "linear"}
"""Ours to OctoPrint's names of where a remaining time comes from."""


def job_state(snapshot: PrinterSnapshot) -> JobState:
    """State of the printer's job: idle without one, and while the printer is not operational."""
    if snapshot.connection.state is not ConnectionState.OPERATIONAL or snapshot.job is None:
        return JobState.IDLE
    return snapshot.job.state


def state_text(snapshot: PrinterSnapshot) -> str:
    """The state as `/api/job` and `/api/printer` say it."""
    return snapshot.connection.text


def state_id(snapshot: PrinterSnapshot) -> str:
    """The state as the event `PrinterStateChanged` says it."""
    return STATE_IDS.get(snapshot.connection.text, "NONE")


def connection_text(snapshot: PrinterSnapshot) -> str:
    """The state as `/api/connection` says it: a port that is not open is `Closed` there."""
    text = state_text(snapshot)
    return "Closed" if text == "Offline" else text


def error_text(snapshot: PrinterSnapshot) -> str:
    """Why the printer is not usable, for people; empty while it is, or was closed on purpose."""
    problem = snapshot.connection.problem
    if problem is None:
        return ""
    return f"{problem.text} {problem.hint}".strip()


def flags(snapshot: PrinterSnapshot) -> Flags:
    """The flags of the state; all are always there."""
    connection = snapshot.connection.state
    job = job_state(snapshot)
    operational = connection is ConnectionState.OPERATIONAL
    return Flags(
        operational=operational,
        printing=job in PRINTING_STATES,
        cancelling=job is JobState.CANCELLING,
        pausing=job is JobState.PAUSING,
        paused=job is JobState.PAUSED,
        resuming=job is JobState.RESUMING,
        finishing=job is JobState.FINISHING,
        error=connection in IN_ERROR,
        closed_or_error=connection in CLOSED_OR_ERROR,
        ready=operational and job is JobState.IDLE,
        sd_ready=False,
    )


def state_document(snapshot: PrinterSnapshot) -> StateDocument:
    """The state with its flags."""
    return StateDocument(
        text=state_text(snapshot), error=error_text(snapshot), flags=flags(snapshot)
    )


def heaters(snapshot: PrinterSnapshot, extruders: int) -> dict[str, HeaterDocument]:
    """Temperatures by heater. `tool0` is there from the first moment: clients read it unasked."""
    reported = snapshot.temperatures.heaters if snapshot.temperatures else {}
    names = [f"tool{number}" for number in range(extruders)]
    names += [name for name in reported if name not in names]
    return {
        name: HeaterDocument(
            actual=reported[name].actual if name in reported else None,
            target=reported[name].target if name in reported else None,
        )
        for name in names
    }


def history_points(samples: Sequence[Temperatures], limit: int | None = None) -> list[HistoryPoint]:
    """The newest `limit` reports, oldest first. Times are whole seconds: Go clients insist."""
    first = 0 if limit is None else max(0, len(samples) - limit)
    return [history_point(sample) for sample in islice(samples, first, None)]


def history_point(sample: Temperatures) -> HistoryPoint:
    """One report."""
    point: HistoryPoint = {"time": int(sample.time)}
    for name, reading in sample.heaters.items():
        point[name] = {"actual": reading.actual, "target": reading.target}
    return point


def progress(snapshot: PrinterSnapshot) -> ProgressDocument:
    """Progress of the running job, or of the last one while its file is still the selected one.

    A finished job stays at 100 percent; a cancelled one is forgotten, as OctoPrint does it.
    """
    job = snapshot.job
    if job is None or not _shows_progress(snapshot, job):
        return ProgressDocument()
    active = job.state is not JobState.IDLE
    remaining = job.remaining if active else (0.0 if job.outcome is Outcome.DONE else None)
    return ProgressDocument(
        completion=100.0 if job.outcome is Outcome.DONE else job.completion,
        filepos=job.file.size if job.outcome is Outcome.DONE else job.offset,
        print_time=int(job.elapsed),
        print_time_left=None if remaining is None else int(remaining),
        print_time_left_origin=(
            REMAINING_ORIGINS.get(job.remaining_origin or "") if remaining is not None else None
        ),
    )


def _shows_progress(snapshot: PrinterSnapshot, job: JobView) -> bool:
    if job.state is not JobState.IDLE:
        return True
    selected = snapshot.selected
    same = selected is not None and selected.path == job.file.path
    return same and job.outcome in (Outcome.DONE, Outcome.FAILED)


def job_document(snapshot: PrinterSnapshot, facts: FileFacts | None) -> JobDocument:
    """The running job's file, or the selected one. Every key is there, null without a file."""
    running = snapshot.job if job_state(snapshot) is not JobState.IDLE else None
    file = running.file if running else snapshot.selected
    if file is None:
        offline = snapshot.connection.state is not ConnectionState.OPERATIONAL
        empty: Filament = {"length": None, "volume": None}
        return JobDocument(file=JobFileDocument(), filament=empty if offline else None)
    facts = facts or FileFacts()
    name = PurePosixPath(file.path).name
    return JobDocument(
        file=JobFileDocument(
            name=name,
            path=file.path,
            display=facts.display or name,
            origin=file.origin,
            size=file.size,
            date=facts.date,
        ),
        estimated_print_time=facts.estimated_time,
        average_print_time=facts.average_time,
        last_print_time=facts.last_time,
        filament=None if facts.filament is None else {**facts.filament},
        user=running.user if running else None,
    )


LINE_PREFIXES: Mapping[Direction, str] = {
    Direction.SENT: "Send: ",
    Direction.RECEIVED: "Recv: ",
    Direction.NOTE: "",
}


def log_line(line: TerminalLine) -> str:
    """A terminal line as OctoPrint's clients know it."""
    return LINE_PREFIXES[line.direction] + line.text

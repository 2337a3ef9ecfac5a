"""From what a link knows and what the host knows of the file to what clients see: pure
functions."""

from __future__ import annotations

from collections.abc import Mapping

from bedplate.gcode.records import Analysis, time_at
from bedplate.messages.printer import ConnectionView, JobView, PrinterSnapshot
from bedplate.messages.snapshot import FileRef, JobSnapshot, LinkSnapshot, Problem
from bedplate.messages.states import ConnectionState, JobState, Outcome

CONNECTION_TEXTS: Mapping[ConnectionState, str] = {
    ConnectionState.CLOSED: "Offline",
    ConnectionState.OPENING: "Opening serial connection",
    ConnectionState.DETECTING: "Detecting serial connection",
    ConnectionState.HANDSHAKING: "Connecting",
    ConnectionState.OPERATIONAL: "Operational",
    ConnectionState.RESETTING: "Connecting",
    ConnectionState.HALTED: "Error",
    ConnectionState.ERROR: "Offline after error",
}
"""The words that OctoPrint's clients compare; a job's text takes their place while it runs."""

JOB_TEXTS: Mapping[JobState, str] = {
    JobState.STARTING: "Starting",
    JobState.PRINTING: "Printing",
    JobState.PAUSING: "Pausing",
    JobState.PAUSED: "Paused",
    JobState.RESUMING: "Resuming",
    JobState.CANCELLING: "Cancelling",
    JobState.FINISHING: "Finishing",
}

PACE_KNOWN_AFTER = 60.0
"""Seconds of a print until its own pace corrects the estimate: heating up is no measure of it."""
PACE_LIMITS = (0.5, 3.0)
"""How far a print's pace may stretch an estimate."""
LINEAR_AFTER = 0.01
"""Part of the file until bytes alone say anything about the time that is left."""


def view(
    link: LinkSnapshot,
    *,
    printer: str,
    name: str,
    time: float,
    link_pid: int | None,
    selected: FileRef | None,
    analysis: Analysis | None,
    problem: Problem | None = None,
) -> PrinterSnapshot:
    """The snapshot for clients. `analysis` is that of the job's file; `problem` the host's own."""
    return PrinterSnapshot(
        printer=printer,
        name=name,
        time=time,
        link_pid=link_pid,
        connection=ConnectionView(
            state=ConnectionState.ERROR if problem is not None else link.state,
            text=_text(link, problem),
            port=link.port,
            baudrate=link.baudrate,
            problem=problem or link.problem,
        ),
        firmware=link.firmware,
        temperatures=link.temperatures,
        position=link.position,
        busy=link.busy,
        line=link.line,
        selected=selected,
        job=None if link.job is None else job_view(link.job, analysis),
    )


def _text(link: LinkSnapshot, problem: Problem | None) -> str:
    if problem is not None:
        return CONNECTION_TEXTS[ConnectionState.ERROR]
    if link.job is not None and link.state is ConnectionState.OPERATIONAL:
        return JOB_TEXTS.get(link.job.state) or CONNECTION_TEXTS[link.state]
    return CONNECTION_TEXTS[link.state]


def job_view(job: JobSnapshot, analysis: Analysis | None) -> JobView:
    """A job with what is known of its file."""
    remaining, origin = remaining_time(job, analysis)
    return JobView(
        id=job.id,
        file=job.file,
        state=job.state,
        outcome=job.outcome,
        offset=job.offset,
        line=job.line,
        lines=None if analysis is None else analysis.lines,
        layer=job.layer,
        layers=job.layers,
        z=job.z,
        completion=completion(job),
        started=job.started,
        elapsed=job.elapsed,
        remaining=remaining,
        remaining_origin=origin,
        user=job.user,
        problem=job.problem,
    )


def completion(job: JobSnapshot) -> float:
    """Percent of the file's bytes that the printer acknowledged; 100 only when it is done."""
    if job.outcome is Outcome.DONE:
        return 100.0
    return min(100 * job.offset / job.file.size, 99.99) if job.file.size else 0.0


def remaining_time(job: JobSnapshot, analysis: Analysis | None) -> tuple[float | None, str | None]:
    """Seconds to the end and where they come from, or None where nothing can be said yet."""
    if job.outcome is not None:
        return (0.0, None) if job.outcome is Outcome.DONE else (None, None)
    if analysis is not None and analysis.estimated_time:
        passed = time_at(analysis, job.offset)
        pace = 1.0
        if passed > PACE_KNOWN_AFTER:
            slowest, fastest = PACE_LIMITS[1], PACE_LIMITS[0]
            pace = min(max(job.elapsed / passed, fastest), slowest)
        return max(0.0, (analysis.estimated_time - passed) * pace), "analysis"
    done = job.offset / job.file.size if job.file.size else 0.0
    if done < LINEAR_AFTER:
        return None, None
    return job.elapsed * (1 - done) / done, "linear"

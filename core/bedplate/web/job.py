"""The print job: what is printed, how far it is, and starting and stopping it."""

from __future__ import annotations

import asyncio
from typing import Literal

from msgspec import UNSET

from bedplate.errors import BadRequestError, ConflictError, NotFoundError, UnavailableError
from bedplate.messages.states import JobState
from bedplate.web import octoprint
from bedplate.web.context import Printer
from bedplate.web.documents import JobStateDocument
from bedplate.web.facts import file_facts
from bedplate.web.permissions import PRINT, STATUS
from bedplate.web.routing import Answer, Call, Route
from bedplate.web.wire import Command, NoQuery

CANCEL_TIME = 60.0
"""Seconds that `restart` waits for the end of the job: parking and breaking a heat-up take some."""

POLL = 0.05


class Start(Command, frozen=True, tag="start"):
    """Print the selected file. Without one, nothing happens."""


class Cancel(Command, frozen=True, tag="cancel"):
    """End the job."""


class Restart(Command, frozen=True, tag="restart"):
    """End a paused job and print its file from the start."""


class Pause(Command, frozen=True, tag="pause"):
    """Pause or resume; without `action`, whichever of the two is possible."""

    action: Literal["pause", "resume", "toggle"] = "toggle"


JobCommand = Start | Cancel | Restart | Pause


async def read_job(call: Call[None, NoQuery]) -> JobStateDocument:
    """The job and its progress.

    Also answered while the printer is offline. Without a running job, it is about the selected
    file.
    """
    snapshot = call.printer.snapshot
    return JobStateDocument(
        job=octoprint.job_document(snapshot, file_facts(call.host.library, snapshot)),
        progress=octoprint.progress(snapshot),
        state=octoprint.state_text(snapshot),
        error=octoprint.error_text(snapshot) or UNSET,
    )


async def command_job(call: Call[JobCommand, NoQuery]) -> Answer:
    """Start, pause, resume or cancel the job."""
    printer = call.printer
    if not printer.is_operational:
        raise ConflictError("The printer is not operational.")
    match call.body:
        case Start():
            if printer.is_active:
                raise ConflictError("A job is running already.")
            if printer.selected is not None:
                await printer.start(user=call.actor.name)
        case Cancel():
            _need_job(printer)
            await printer.cancel()
        case Restart():
            await _restart(call)
        case Pause():
            _need_job(printer)
            await _pause(printer, call.body.action)
    return Answer(status=204)


def _need_job(printer: Printer) -> None:
    if not printer.is_active:
        raise ConflictError("There is no job.")


async def _pause(printer: Printer, action: str) -> None:
    """Pausing twice and resuming what runs are no errors: the wish is fulfilled."""
    state = octoprint.job_state(printer.snapshot)
    standing = state in (JobState.PAUSED, JobState.PAUSING)
    if action == "pause" and not standing:
        await printer.pause()
    elif action == "resume" and standing:
        await printer.resume()
    elif action == "toggle":
        await (printer.resume() if standing else printer.pause())


async def _restart(call: Call[JobCommand, NoQuery]) -> None:
    printer = call.printer
    if octoprint.job_state(printer.snapshot) is not JobState.PAUSED:
        raise ConflictError("Only a paused job can be restarted.")
    job = printer.snapshot.job
    assert job is not None
    await printer.cancel()
    try:
        async with asyncio.timeout(CANCEL_TIME):
            while printer.is_active:
                await asyncio.sleep(POLL)
    except TimeoutError:
        raise ConflictError("The job has not ended yet; start it again once it has.") from None
    await printer.start(job.file.path, user=call.actor.name)


ROUTES = (
    Route(
        method="GET",
        path="/api/job",
        handler=read_job,
        permission=STATUS,
        answers={200: JobStateDocument},
        tag="Job",
    ),
    Route(
        method="POST",
        path="/api/job",
        handler=command_job,
        permission=PRINT,
        body=JobCommand,
        answers={204: None},
        errors=(BadRequestError, ConflictError, NotFoundError, UnavailableError),
        tag="Job",
    ),
)

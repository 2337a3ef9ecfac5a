"""What a link that is no longer there left on disk: events for the journal, and an unfinished
job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from bedplate.durable import write_atomically
from bedplate.messages.checkpoint import Checkpoint
from bedplate.messages.codec import CodecError, frame_decoder
from bedplate.messages.frames import EventFrame
from bedplate.messages.snapshot import JobSnapshot, Problem
from bedplate.messages.states import ACTIVE_JOB_STATES, JobState, Outcome

CHECKPOINT = "checkpoint.json"
INTERRUPTED = Problem(
    code="interrupted",
    text="The print was interrupted: the computer or the process that drives the printer stopped.",
    hint="Look at the printer before you print again.",
)


def stored_events(directory: Path) -> Iterator[tuple[Path, str, list[EventFrame]]]:
    """Each file of events that a link without a host left: its path, the link's name, the events.

    A line that was cut off by a power failure ends its file's list.
    """
    for path in sorted(directory.glob("events.*.jsonl")):
        frames: list[EventFrame] = []
        decoder = frame_decoder()
        try:
            for line in path.read_bytes().splitlines(keepends=True):
                frames += [f for f in decoder.feed(line) if isinstance(f, EventFrame)]
        except (OSError, CodecError):
            pass
        yield path, path.name.removeprefix("events.").removesuffix(".jsonl"), frames


def last_job(directory: Path) -> JobSnapshot | None:
    """The last job of this printer, as its link left it on disk."""
    checkpoint = _checkpoint(directory)
    return None if checkpoint is None else checkpoint.job


def interrupted_job(directory: Path) -> JobSnapshot | None:
    """The job that was running when the last link ended without a word, as failed; told once.

    The checkpoint is marked as failed, so that the next start does not tell it again.
    """
    checkpoint = _checkpoint(directory)
    if checkpoint is None or checkpoint.job.state not in ACTIVE_JOB_STATES:
        return None
    job = msgspec.structs.replace(
        checkpoint.job, state=JobState.IDLE, outcome=Outcome.FAILED, problem=INTERRUPTED
    )
    ended = msgspec.structs.replace(checkpoint, job=job)
    write_atomically(directory / CHECKPOINT, msgspec.json.encode(ended))
    return job


def _checkpoint(directory: Path) -> Checkpoint | None:
    try:
        return msgspec.json.decode((directory / CHECKPOINT).read_bytes(), type=Checkpoint)
    except (OSError, msgspec.DecodeError):
        return None

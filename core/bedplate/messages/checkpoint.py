"""How far a job has come, on disk: what a person looks at after a power cut, and what a job resumes
from."""

from __future__ import annotations

import msgspec

from bedplate.messages.snapshot import JobSnapshot, LinkSnapshot, Position, Temperatures


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Content of `checkpoint.json`. The place is what the printer acknowledged."""

    job: JobSnapshot
    source: str
    time: float
    temperatures: Temperatures | None
    position: Position | None


def checkpoint_of(snapshot: LinkSnapshot, source: str, unix_time: float) -> Checkpoint | None:
    """The checkpoint of a printer's job, where it has one."""
    if snapshot.job is None:
        return None
    return Checkpoint(
        job=snapshot.job,
        source=source,
        time=unix_time,
        temperatures=snapshot.temperatures,
        position=snapshot.position,
    )

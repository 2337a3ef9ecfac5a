"""Names of the states that a printer's connection and its job can be in.

The transitions stand in `bedplate.protocol.tables`; this file only names the states, because the
host and every client see them too.
"""

from __future__ import annotations

from enum import StrEnum


class ConnectionState(StrEnum):
    """Where the connection to a printer stands."""

    CLOSED = "closed"
    OPENING = "opening"
    DETECTING = "detecting"
    HANDSHAKING = "handshaking"
    OPERATIONAL = "operational"
    RESETTING = "resetting"
    HALTED = "halted"
    ERROR = "error"


class JobState(StrEnum):
    """Where the print job of a printer stands; `idle` before the first and after each one."""

    IDLE = "idle"
    STARTING = "starting"
    PRINTING = "printing"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    CANCELLING = "cancelling"
    FINISHING = "finishing"


class Outcome(StrEnum):
    """How a job ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_JOB_STATES = frozenset(JobState) - {JobState.IDLE}
"""States in which a job owns the printer."""

"""The states of a connection and of a job, and every move between them, as tables.

Rules of this file: all transitions stand here and nowhere else; a move that is not listed is an
error of the caller; the tables know neither time nor bytes. The diagrams in
`docs/state-machines.md` are drawn from them by `bedplate.devtools.state_diagrams`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from bedplate.messages.states import ConnectionState, JobState
from bedplate.protocol.errors import LocalProtocolError


class ConnectionTrigger(StrEnum):
    """What moves a connection from one state to another."""

    OPEN = "open"
    """The port is open; a greeting may come."""
    DETECT = "detect"
    """The baud rate is unknown: try the next one."""
    SPEAK = "speak"
    """Begin (or begin again) with the handshake."""
    READY = "ready"
    """The handshake is complete."""
    RESET = "reset"
    """The printer greeted: it has just started."""
    HALT = "halt"
    """The firmware stopped itself, or was stopped by M112."""
    FAIL = "fail"
    """No answer, or the port is gone."""
    CLOSE = "close"
    """The port was closed on purpose."""


class JobTrigger(StrEnum):
    """What moves a job from one state to another."""

    START = "start"
    """A file is to be printed."""
    STREAM = "stream"
    """The script before the lines of the file (start or resume) is done."""
    PAUSE = "pause"
    """No more lines of the file go out."""
    SETTLE = "settle"
    """The lines in flight and the pause script are acknowledged."""
    RESUME = "resume"
    """A person or the firmware wants the job to go on."""
    FINISH = "finish"
    """The last line of the file is acknowledged."""
    CANCEL = "cancel"
    """The job is to end before its file does."""
    END = "end"
    """The closing script is acknowledged, or there is nobody left to send it to."""


_C, _CT = ConnectionState, ConnectionTrigger

CONNECTION: Mapping[ConnectionState, Mapping[ConnectionTrigger, ConnectionState]] = {
    _C.CLOSED: {_CT.OPEN: _C.OPENING},
    _C.OPENING: {
        _CT.DETECT: _C.DETECTING,
        _CT.SPEAK: _C.HANDSHAKING,
        _CT.FAIL: _C.ERROR,
        _CT.CLOSE: _C.CLOSED,
    },
    _C.DETECTING: {
        _CT.DETECT: _C.DETECTING,
        _CT.SPEAK: _C.HANDSHAKING,
        _CT.FAIL: _C.ERROR,
        _CT.CLOSE: _C.CLOSED,
    },
    _C.HANDSHAKING: {
        _CT.READY: _C.OPERATIONAL,
        _CT.RESET: _C.RESETTING,
        _CT.HALT: _C.HALTED,
        _CT.FAIL: _C.ERROR,
        _CT.CLOSE: _C.CLOSED,
    },
    _C.OPERATIONAL: {
        _CT.RESET: _C.RESETTING,
        _CT.HALT: _C.HALTED,
        _CT.FAIL: _C.ERROR,
        _CT.CLOSE: _C.CLOSED,
    },
    _C.RESETTING: {
        _CT.SPEAK: _C.HANDSHAKING,
        _CT.RESET: _C.RESETTING,
        _CT.HALT: _C.HALTED,
        _CT.FAIL: _C.ERROR,
        _CT.CLOSE: _C.CLOSED,
    },
    _C.HALTED: {
        _CT.RESET: _C.RESETTING,
        _CT.FAIL: _C.ERROR,
        _CT.CLOSE: _C.CLOSED,
    },
    _C.ERROR: {_CT.CLOSE: _C.CLOSED},
}

_J, _JT = JobState, JobTrigger

JOB: Mapping[JobState, Mapping[JobTrigger, JobState]] = {
    _J.IDLE: {_JT.START: _J.STARTING},
    _J.STARTING: {_JT.STREAM: _J.PRINTING, _JT.CANCEL: _J.CANCELLING, _JT.END: _J.IDLE},
    _J.PRINTING: {
        _JT.PAUSE: _J.PAUSING,
        _JT.FINISH: _J.FINISHING,
        _JT.CANCEL: _J.CANCELLING,
        _JT.END: _J.IDLE,
    },
    _J.PAUSING: {_JT.SETTLE: _J.PAUSED, _JT.CANCEL: _J.CANCELLING, _JT.END: _J.IDLE},
    _J.PAUSED: {_JT.RESUME: _J.RESUMING, _JT.CANCEL: _J.CANCELLING, _JT.END: _J.IDLE},
    _J.RESUMING: {_JT.STREAM: _J.PRINTING, _JT.CANCEL: _J.CANCELLING, _JT.END: _J.IDLE},
    _J.CANCELLING: {_JT.END: _J.IDLE},
    _J.FINISHING: {_JT.CANCEL: _J.CANCELLING, _JT.END: _J.IDLE},
}

State = TypeVar("State", bound=StrEnum)
Trigger = TypeVar("Trigger", bound=StrEnum)


class Machine(Generic[State, Trigger]):
    """One running instance of a table."""

    def __init__(self, table: Mapping[State, Mapping[Trigger, State]], state: State) -> None:
        self._table = table
        self.state = state

    def allows(self, trigger: Trigger) -> bool:
        """Whether the present state has this move."""
        return trigger in self._table[self.state]

    def fire(self, trigger: Trigger) -> State:
        """Make the move and return the new state. Raises LocalProtocolError where there is none."""
        try:
            self.state = self._table[self.state][trigger]
        except KeyError:
            raise LocalProtocolError(
                f"'{trigger}' is not possible while the state is '{self.state}'."
            ) from None
        return self.state

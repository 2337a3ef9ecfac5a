"""The print job: streams a file's lines into the conversation, and everything that can happen to
it.

The states and moves are `bedplate.protocol.tables.JOB`. Every place that a job reports is what the
printer acknowledged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

from bedplate.gcode.reader import CommandReader, FileUnreadableError
from bedplate.messages.commands import LayerMark, Scripts, StartJob
from bedplate.messages.events import (
    LayerChanged,
    PrintCancelled,
    PrintDone,
    PrintFailed,
    PrintPaused,
    PrintProgress,
    PrintResumed,
    PrintStarted,
    PublicEvent,
)
from bedplate.messages.snapshot import JobSnapshot, Position, Problem
from bedplate.messages.states import ACTIVE_JOB_STATES, ConnectionState, JobState, Outcome
from bedplate.protocol.conversation import Conversation
from bedplate.protocol.errors import LocalProtocolError
from bedplate.protocol.tables import JOB, JobTrigger, Machine
from bedplate.protocol.window import Kind, Sent

NUMBERING = b"M110"
NOT_FOR_THE_PRINTER = (b"@", NUMBERING)
"""Beginnings of lines that are not passed on: commands to the host, and the numbering, which is
ours (but see `_is_for_the_printer`)."""
MOVES_END = b"M400"
"""Waits for the last move: some firmwares acknowledge a move when it is queued."""


class Job:
    """One job from its first line to its last. `emit` takes its public events.

    Raises FileUnreadableError or OSError where the file can't be opened.
    """

    def __init__(
        self,
        order: StartJob,
        conversation: Conversation,
        emit: Callable[[PublicEvent], None],
        *,
        now: float,
        unix_time: float,
    ) -> None:
        self._order = order
        self._conversation = conversation
        self._emit = emit
        self._machine = Machine(JOB, JobState.IDLE)
        self._reader = CommandReader(Path(order.source))
        self._scripts: Scripts = order.scripts
        self._script: deque[bytes] = deque()
        self._script_run = 0
        """Number of the present script: what an earlier one left in flight does not count for
        it."""
        self._script_lines = 0
        """Lines of the present script that are not acknowledged yet."""
        self._lines_in_flight = 0
        self._next: bytes | None = None
        self._exhausted = False

        self._started = unix_time
        self._running_since: float | None = now
        self._elapsed = 0.0
        self._offset = 0
        self._line = 0
        self._stalled_at = -1
        """Where the printer fell silent, if it did; from another place on it has answered again."""
        self._layers: list[LayerMark] = []
        self._layer = 0
        self._next_layer_at = -1
        self._marks: deque[float] = deque()
        self._next_mark_at = -1.0
        self._outcome: Outcome | None = None
        self._problem: Problem | None = None
        self._reason = "user"
        self._position: Position | None = None

        self.set_layers(order.layers)
        self._marks.extend(sorted(order.progress_marks))
        self._set_next_mark()
        self._begin(now)

    # What the loop and the snapshot ask

    @property
    def id(self) -> str:
        """The job's id, given by the host."""
        return self._order.job

    @property
    def source(self) -> str:
        """Absolute path of the file that is streamed."""
        return self._order.source

    @property
    def state(self) -> JobState:
        """Where the job stands."""
        return self._machine.state

    @property
    def is_active(self) -> bool:
        """Whether the job owns the printer."""
        return self._machine.state in ACTIVE_JOB_STATES

    def snapshot(self, now: float) -> JobSnapshot:
        """The job as clients see it."""
        begun = self._layer > 0
        return JobSnapshot(
            id=self.id,
            file=self._order.file,
            state=self._machine.state,
            outcome=self._outcome,
            offset=self._offset,
            line=self._line,
            layer=self._layer if begun else None,
            layers=len(self._layers) or None,
            z=self._layers[self._layer - 1].z if begun else None,
            started=self._started,
            elapsed=round(self._time(now), 2),
            user=self._order.user,
            problem=self._problem,
        )

    def set_layers(self, layers: list[LayerMark]) -> None:
        """Where the layers begin. Layers that were passed before this was known give no event."""
        self._layers = layers
        self._layer = 0
        while self._layer < len(layers) and layers[self._layer].offset < self._offset:
            self._layer += 1
        self._set_next_layer()

    # What people and clients ask for

    def pause(self, now: float, reason: str = "user", problem: Problem | None = None) -> None:
        """Stop after the lines in flight. Raises LocalProtocolError unless printing."""
        self._fire(JobTrigger.PAUSE, "paused")
        self._reason = reason
        self._problem = problem
        self._take_time(now)
        self._run_script(self._scripts.on_pause)
        self._advance(now)

    def resume(self, now: float) -> None:
        """Go on. Raises LocalProtocolError unless paused."""
        self._fire(JobTrigger.RESUME, "resumed")
        self._problem = None
        self._running_since = now
        self._run_script(self._scripts.on_resume)
        self._emit(PrintResumed(file=self._order.file, job=self.id, time=self._time(now)))
        self._advance(now)

    def cancel(self, now: float, reason: str = "user") -> None:
        """End before the end. Raises LocalProtocolError where the job has ended or is being
        cancelled."""
        self._fire(JobTrigger.CANCEL, "cancelled")
        self._reason = reason
        dropped = self._conversation.drop_queued(frozenset({Kind.JOB, Kind.SCRIPT}))
        self._lines_in_flight -= dropped.count(Kind.JOB)
        self._break_heat_up()
        self._run_script(self._scripts.on_cancel)
        self._advance(now)
        if self._stalled_at == self._offset:
            self._give_up(now)

    def stalled(self, now: float) -> None:
        """The printer has not answered for long: a job that is being cancelled waits no longer."""
        self._stalled_at = self._offset
        if self._machine.state is JobState.CANCELLING:
            self._give_up(now)

    def fail(self, now: float, problem: Problem, *, line: int | None = None) -> None:
        """End here: the stream can't go on. Nothing happens to a job that has ended."""
        if not self.is_active:
            return
        self._machine.fire(JobTrigger.END)
        self._problem = problem
        self._end(now, Outcome.FAILED)
        if self._conversation.state is ConnectionState.OPERATIONAL:
            self._break_heat_up()
            self._leave_safe()
        self._emit(
            PrintFailed(
                file=self._order.file,
                job=self.id,
                time=self._time(now),
                reason=problem.code,
                error=f"{problem.text} It stopped at line {line or self._line + 1} of the file.",
                offset=self._offset,
                line=self._line,
                position=self._position,
            )
        )

    def _break_heat_up(self) -> None:
        """End a wait for heat, which may take minutes; answered in turn, acted on at once."""
        if self._conversation.has_capability("EMERGENCY_PARSER"):
            self._conversation.send_at_once(b"M108")

    def _leave_safe(self) -> None:
        """Send the script that ends a print, without waiting for its end."""
        for command in self._scripts.on_cancel:
            self._conversation.send(command.encode(), Kind.COMMAND)

    def _give_up(self, now: float) -> None:
        """A cancelled job ends although nobody answers: else the port could never be closed."""
        if self._machine.state is not JobState.CANCELLING:
            return
        self._leave_safe()
        self._finish_cancelling(now)

    def position_reported(self, position: Position) -> None:
        """The printer said where it is: kept for the events that name it."""
        self._position = position

    # Streaming

    def feed(self, now: float) -> None:
        """Hand over the next lines, as many as may be in flight. Raises FileUnreadableError."""
        conversation = self._conversation
        while conversation.ready:
            if self._script:
                conversation.send(self._script.popleft(), Kind.SCRIPT, self._script_run)
                continue
            if self._machine.state is not JobState.PRINTING:
                return
            command = self._next or self._read()
            self._next = None
            if command is None:
                self._advance(now)
                return
            reader = self._reader
            conversation.send(command, Kind.JOB, (reader.offset, reader.line))
            self._lines_in_flight += 1
            return

    def look_ahead(self) -> None:
        """Read and encode the next line while the printer works on the last one."""
        if self._next is None and self._machine.state is JobState.PRINTING and not self._script:
            self._next = self._read()
            if self._next is not None:
                self._conversation.prepare(self._next)

    def _read(self) -> bytes | None:
        """The next line that is for the printer, or None at the end."""
        if self._exhausted:
            return None
        while True:
            command = self._reader.next_command()
            if command is None:
                self._exhausted = True
                return None
            if not command.startswith(NOT_FOR_THE_PRINTER) or _is_for_the_printer(command):
                return command

    def acknowledged(self, line: Sent, now: float) -> None:
        """The printer took a line of this job or of one of its scripts."""
        if line.kind is Kind.SCRIPT:
            if line.tag == self._script_run:
                self._script_lines -= 1
                self._advance(now)
            return
        self._lines_in_flight -= 1
        self._offset, self._line = line.tag
        if self._offset > self._next_layer_at >= 0:
            self._pass_layers()
        if self._offset > self._next_mark_at >= 0:
            self._pass_marks(now)
        if self._exhausted or self._machine.state is not JobState.PRINTING:
            self._advance(now)

    # Moves of the machine

    def _fire(self, trigger: JobTrigger, asked: str) -> None:
        """A move that somebody asked for: refused in words where it is not possible now."""
        if not self._machine.allows(trigger):
            raise LocalProtocolError(f"The job can't be {asked} now: it is {self.state}.")
        self._machine.fire(trigger)

    def _begin(self, now: float) -> None:
        self._machine.fire(JobTrigger.START)
        self._emit(PrintStarted(file=self._order.file, job=self.id, user=self._order.user))
        self._run_script(self._scripts.before_print)
        self._advance(now)

    def _run_script(self, commands: list[str]) -> None:
        self._script_run += 1
        self._script = deque(command.encode() for command in commands)
        self._script_lines = len(self._script)

    def _advance(self, now: float) -> None:
        """Make the moves that wait for acknowledgements, once those are there."""
        state = self._machine.state
        if state is JobState.PRINTING:
            if self._exhausted and self._next is None and not self._lines_in_flight:
                self._machine.fire(JobTrigger.FINISH)
                self._run_script([*self._scripts.after_print, MOVES_END.decode()])
            return
        if self._script_lines or self._lines_in_flight:
            return
        if state in (JobState.STARTING, JobState.RESUMING):
            self._machine.fire(JobTrigger.STREAM)
        elif state is JobState.PAUSING:
            self._machine.fire(JobTrigger.SETTLE)
            self._emit(
                PrintPaused(
                    file=self._order.file,
                    job=self.id,
                    time=self._time(now),
                    reason=self._reason,
                    position=self._position,
                )
            )
        elif state is JobState.FINISHING:
            self._machine.fire(JobTrigger.END)
            self._end(now, Outcome.DONE)
            self._emit(PrintDone(file=self._order.file, job=self.id, time=self._time(now)))
        elif state is JobState.CANCELLING:
            self._finish_cancelling(now)

    def _finish_cancelling(self, now: float) -> None:
        self._machine.fire(JobTrigger.END)
        self._end(now, Outcome.CANCELLED)
        self._emit(
            PrintCancelled(
                file=self._order.file,
                job=self.id,
                time=self._time(now),
                offset=self._offset,
                line=self._line,
                reason=self._reason,
                position=self._position,
            )
        )

    def _end(self, now: float, outcome: Outcome) -> None:
        self._take_time(now)
        self._outcome = outcome
        self._script.clear()
        self._next = None
        self._reader.close()

    # Time, layers and marks

    def _time(self, now: float) -> float:
        """Seconds spent printing, pauses left out."""
        running = 0.0 if self._running_since is None else now - self._running_since
        return self._elapsed + running

    def _take_time(self, now: float) -> None:
        self._elapsed = self._time(now)
        self._running_since = None

    def _set_next_layer(self) -> None:
        more = self._layer < len(self._layers)
        self._next_layer_at = self._layers[self._layer].offset if more else -1

    def _pass_layers(self) -> None:
        while 0 <= self._next_layer_at < self._offset:
            mark = self._layers[self._layer]
            self._layer += 1
            self._set_next_layer()
            self._emit(
                LayerChanged(job=self.id, layer=self._layer, layers=len(self._layers), z=mark.z)
            )

    def _set_next_mark(self) -> None:
        size = self._reader.size
        self._next_mark_at = self._marks[0] / 100 * size if self._marks else -1.0

    def _pass_marks(self, now: float) -> None:
        while 0 <= self._next_mark_at < self._offset:
            completion = self._marks.popleft()
            self._set_next_mark()
            spent = self._time(now)
            self._emit(
                PrintProgress(
                    file=self._order.file,
                    job=self.id,
                    completion=completion,
                    time=spent,
                    time_left=spent * (100 - completion) / completion if completion else None,
                )
            )


def _is_for_the_printer(command: bytes) -> bool:
    """Whether a line that begins with one of NOT_FOR_THE_PRINTER is another command (M1100)."""
    return command.startswith(NUMBERING) and command[len(NUMBERING) :][:1].isdigit()


def unreadable(error: FileUnreadableError | OSError) -> Problem:
    """Why a job could not begin or go on, for people."""
    return Problem(
        code=getattr(error, "code", "file_unreadable"),
        text=str(error),
        hint="Upload the file again.",
    )

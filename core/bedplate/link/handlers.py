"""What a link does on each command of its host, and on each event of its conversation: two
tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bedplate.errors import BadRequestError, ConflictError
from bedplate.gcode.reader import FileUnreadableError
from bedplate.link.channel import Connection
from bedplate.link.job import Job, unreadable
from bedplate.link.runner import Link
from bedplate.messages import commands
from bedplate.messages.events import (
    FirmwareAlarm,
    PrinterConnected,
    PrinterError,
    PrinterStalled,
)
from bedplate.messages.snapshot import Problem
from bedplate.messages.states import ConnectionState, JobState
from bedplate.protocol import events
from bedplate.protocol.conversation import Conversation
from bedplate.protocol.errors import LocalProtocolError
from bedplate.protocol.window import Kind

ALARM_LINES = 40
"""Lines of the conversation kept with an alarm."""
OUT_OF_TURN = frozenset({b"M108", b"M410", b"M876"})
"""What a firmware with an emergency parser acts on at once; queued, it would come too late."""
NOT_CONNECTED = "The printer is not connected."


# Commands


def obey(link: Link, connection: Connection, command: commands.AnyCommand, now: float) -> None:
    """Carry out one command. Raises BedplateError where it can't be."""
    _COMMANDS[type(command)](link, connection, command, now)


def _attach(link: Link, connection: Connection, command: commands.Attach, now: float) -> None:
    link.host.attach(connection, command)


def _acknowledge(
    link: Link, connection: Connection, command: commands.Acknowledge, now: float
) -> None:
    link.host.outbox.acknowledge(command.seq)


def _connect(link: Link, connection: Connection, command: commands.Connect, now: float) -> None:
    _refuse_in_job(link, "The port can't be changed while a job is running. Cancel it first.")
    link.connect(command, now)


def _disconnect(
    link: Link, connection: Connection, command: commands.Disconnect, now: float
) -> None:
    _refuse_in_job(
        link, "The printer can't be disconnected while a job is running. Cancel it first."
    )
    link.line.close()


def _send_gcode(
    link: Link, connection: Connection, command: commands.SendGcode, now: float
) -> None:
    lines = [text.partition(";")[0].strip().encode() for text in command.commands]
    lines = [line for line in lines if line]
    if any(b"\n" in line or b"\r" in line for line in lines):
        raise BadRequestError(
            "One command holds a line break. Send each line as a command of its own."
        )
    if any(_code(line) == b"M112" for line in lines):
        _emergency_stop(link, connection, commands.EmergencyStop(), now)
        return
    conversation = _operational(link)
    for line in lines:
        if _code(line) in OUT_OF_TURN and conversation.has_capability("EMERGENCY_PARSER"):
            conversation.send_at_once(line)
        else:
            conversation.send(line, Kind.COMMAND)


def _start_job(link: Link, connection: Connection, command: commands.StartJob, now: float) -> None:
    conversation = _operational(link)
    _refuse_in_job(link, "A job is running already.")
    try:
        link.line.job = Job(
            command, conversation, link.host.emit, now=now, unix_time=link.unix_time(now)
        )
    except (FileUnreadableError, OSError) as error:
        raise ConflictError(f"The file can't be read: {unreadable(error).text}") from error


def _set_layers(
    link: Link, connection: Connection, command: commands.SetLayers, now: float
) -> None:
    if link.line.job is not None and link.line.job.id == command.job:
        link.line.job.set_layers(command.layers)


def _pause_job(link: Link, connection: Connection, command: commands.PauseJob, now: float) -> None:
    _active_job(link).pause(now, command.reason)


def _resume_job(
    link: Link, connection: Connection, command: commands.ResumeJob, now: float
) -> None:
    _operational(link)
    _active_job(link).resume(now)


def _cancel_job(
    link: Link, connection: Connection, command: commands.CancelJob, now: float
) -> None:
    _active_job(link).cancel(now, command.reason)


def _emergency_stop(
    link: Link, connection: Connection, command: commands.EmergencyStop, now: float
) -> None:
    if link.line.conversation is None:
        raise ConflictError(NOT_CONNECTED)
    link.line.conversation.emergency_stop()


def _watch_terminal(
    link: Link, connection: Connection, command: commands.WatchTerminal, now: float
) -> None:
    link.host.watch_terminal(command.on)


def _shutdown(link: Link, connection: Connection, command: commands.Shutdown, now: float) -> None:
    _refuse_in_job(link, "A job is running.")
    link.end()


def _refuse_in_job(link: Link, sentence: str) -> None:
    if link.line.in_job:
        raise ConflictError(sentence)


def _active_job(link: Link) -> Job:
    job = link.line.job
    if job is None or not job.is_active:
        raise ConflictError("No job is running.")
    return job


def _operational(link: Link) -> Conversation:
    conversation = link.line.conversation
    if conversation is None or conversation.state is not ConnectionState.OPERATIONAL:
        raise ConflictError(NOT_CONNECTED)
    return conversation


def _code(line: bytes) -> bytes:
    """The command word of a line, in capitals."""
    return line.split(None, 1)[0].upper()


_COMMANDS: Mapping[type[commands.Command], Callable[[Link, Connection, Any, float], None]] = {
    commands.Attach: _attach,
    commands.Acknowledge: _acknowledge,
    commands.Connect: _connect,
    commands.Disconnect: _disconnect,
    commands.SendGcode: _send_gcode,
    commands.StartJob: _start_job,
    commands.SetLayers: _set_layers,
    commands.PauseJob: _pause_job,
    commands.ResumeJob: _resume_job,
    commands.CancelJob: _cancel_job,
    commands.EmergencyStop: _emergency_stop,
    commands.WatchTerminal: _watch_terminal,
    commands.Shutdown: _shutdown,
}


# Events of the conversation


def handle(link: Link, event: events.ConversationEvent, now: float) -> None:
    """Act on one event."""
    _EVENTS[type(event)](link, event, now)


def _ready(link: Link, event: events.Ready, now: float) -> None:
    link.line.problem = None
    link.line.polling.start(
        now, enabled=not event.firmware.capabilities.get("AUTOREPORT_TEMP", False)
    )
    link.host.emit(
        PrinterConnected(
            port=link.line.port or "", baudrate=link.line.baudrate, firmware=event.firmware.name
        )
    )
    link.line.note(now, f"Connected to {event.firmware.name}.")


def _failed(link: Link, event: events.ConnectionFailed, now: float) -> None:
    problem = Problem(code=event.code, text=event.text, hint=event.hint)
    if link.line.job is not None:
        link.line.job.fail(now, problem)
    link.host.emit(PrinterError(error=event.text, reason=event.code, port=link.line.port))
    link.line.close(problem)


def _rate_refused(link: Link, event: events.RateRefused, now: float) -> None:
    link.line.try_next_rate(now)


def _reset(link: Link, event: events.PrinterReset, now: float) -> None:
    link.line.note(now, "The printer restarted.")
    link.line.polling.enabled = False
    link.line.problem = None
    if link.line.job is not None:
        problem = Problem(
            code="printer_reset",
            text="The printer restarted in the middle of the print.",
            hint="Look at the printer first: its heaters are off and its position is lost.",
        )
        link.line.job.fail(now, problem)


def _halted(link: Link, event: events.Halted, now: float) -> None:
    link.line.polling.enabled = False
    if event.asked:
        link.line.problem = Problem(
            code="emergency_stop",
            text="The printer was stopped by an emergency stop.",
            hint="Look at the printer, reset it, then connect again.",
        )
    else:
        link.line.problem = Problem(
            code="halted",
            text=f"The printer stopped itself: {event.line}",
            hint="Find the cause, reset the printer, then connect again.",
        )
    link.line.note(now, link.line.problem.text)
    link.host.emit(
        FirmwareAlarm(kind=event.kind, line=event.line, log=link.terminal.last_lines(ALARM_LINES))
    )
    if link.line.job is not None:
        link.line.job.fail(now, link.line.problem)


def _temperatures(link: Link, event: events.TemperaturesReported, now: float) -> None:
    link.line.set_temperatures(event.heaters, link.unix_time(now))


def _position(link: Link, event: events.PositionReported, now: float) -> None:
    link.line.position = event.position
    if link.line.job is not None:
        link.line.job.position_reported(event.position)


def _action(link: Link, event: events.ActionRequested, now: float) -> None:
    act = _ACTIONS.get(event.name)
    if act is None or link.line.job is None or not link.line.job.is_active:
        return
    try:
        act(link.line.job, now)
    except LocalProtocolError:
        link.line.note(now, f"The printer asked for '{event.name}', which is not possible now.")


def _reported(link: Link, event: events.Reported, now: float) -> None:
    link.line.note(now, event.text)


def _broken(link: Link, event: events.StreamBroken, now: float) -> None:
    link.line.note(now, event.text)
    if link.line.job is not None:
        problem = Problem(
            code=event.code,
            text=event.text,
            hint="Check the cable, and keep it away from motors and mains; then print again.",
        )
        link.line.job.fail(now, problem)


def _stalled(link: Link, event: events.Stalled, now: float) -> None:
    link.line.note(now, f"No sign of life from the printer for {event.silence:.0f} s.")
    if link.line.job is not None and link.line.job.is_active:
        link.host.emit(PrinterStalled(since=link.unix_time(now) - event.silence))
        link.line.job.stalled(now)


def _noted(link: Link, event: events.Note, now: float) -> None:
    link.line.note(now, event.text)


_EVENTS: Mapping[type[events.ConversationEvent], Callable[[Link, Any, float], None]] = {
    events.Ready: _ready,
    events.ConnectionFailed: _failed,
    events.RateRefused: _rate_refused,
    events.PrinterReset: _reset,
    events.Halted: _halted,
    events.TemperaturesReported: _temperatures,
    events.PositionReported: _position,
    events.ActionRequested: _action,
    events.Reported: _reported,
    events.StreamBroken: _broken,
    events.Stalled: _stalled,
    events.Note: _noted,
}


def _printer_pauses(job: Job, now: float) -> None:
    if job.state is JobState.PRINTING:
        job.pause(now, "printer")


def _printer_resumes(job: Job, now: float) -> None:
    if job.state is JobState.PAUSED:
        job.resume(now)


def _printer_cancels(job: Job, now: float) -> None:
    job.cancel(now, "printer")


_ACTIONS: Mapping[str, Callable[[Job, float], None]] = {
    "pause": _printer_pauses,
    "paused": _printer_pauses,
    "resume": _printer_resumes,
    "resumed": _printer_resumes,
    "cancel": _printer_cancels,
}
"""What the firmware's host actions do to a running job."""

"""The serial line: the port, the conversation with the printer, the job that streams into it, and
what the printer has said of itself.

The hot path, once for each line of a job: `_ready` reads the printer's `ok`, `_handle_events` tells
the job, `pump` writes the next line and then lets the job read the one after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bedplate.errors import PortError
from bedplate.gcode.reader import FileUnreadableError
from bedplate.link import log
from bedplate.link.job import Job, unreadable
from bedplate.link.poller import HAS_ROOM, Poller
from bedplate.link.polling import TemperaturePolling
from bedplate.link.terminal import Terminal
from bedplate.link.transport import (
    DEFAULT_BAUDRATE,
    Transport,
    is_pseudo_terminal,
    open_transport,
)
from bedplate.messages.commands import Connect
from bedplate.messages.events import (
    PrinterConnecting,
    PrinterDisconnected,
    PrinterError,
    PublicEvent,
)
from bedplate.messages.frames import Direction
from bedplate.messages.snapshot import (
    HeaterReading,
    LineStatistics,
    LinkSnapshot,
    Position,
    Problem,
    Temperatures,
)
from bedplate.messages.states import ConnectionState
from bedplate.protocol.conversation import Conversation
from bedplate.protocol.events import ConversationEvent
from bedplate.protocol.window import Kind, Sent

BAUDRATES = (115200, 250000, 230400, 57600, 38400, 19200, 9600)
"""Tried in this order where the baud rate is not known: by how common they are."""


class SerialLine:
    """One printer's line, open or not.

    `emit` takes public events, `handle` acts on what the conversation has to say, and `changed` is
    told that something else is to be seen in the snapshot.
    """

    def __init__(
        self,
        poller: Poller,
        terminal: Terminal,
        *,
        emit: Callable[[PublicEvent], None],
        handle: Callable[[ConversationEvent, float], None],
        changed: Callable[[], None],
    ) -> None:
        self._poller = poller
        self._terminal = terminal
        self._emit = emit
        self._handle_event = handle
        self._changed = changed

        self._transport: Transport | None = None
        self.conversation: Conversation | None = None
        self.job: Job | None = None
        """The job that streams into this line, or the last that did."""
        self.port: str | None = None
        """The port that was opened last, by the name that people know."""
        self.baudrate: int | None = None
        self._rates: list[int] = []
        """Baud rates that are still to be tried."""
        self._unwritten = b""
        self._awaits_room = False

        self.problem: Problem | None = None
        self.polling = TemperaturePolling(0)
        self._heaters: dict[str, HeaterReading] = {}
        self._temperatures: Temperatures | None = None
        self.position: Position | None = None

    # The port

    def open(self, command: Connect) -> None:
        """Open a port and begin the handshake. Raises PortError; then the state is error."""
        self.close()
        has_rate = "://" not in command.target and not is_pseudo_terminal(command.target)
        detect = has_rate and command.baudrate == 0
        self._rates = list(BAUDRATES) if detect else []
        self.baudrate = self._rates.pop(0) if detect else command.baudrate or DEFAULT_BAUDRATE
        self.port = command.port
        self._emit(PrinterConnecting(port=command.port, baudrate=command.baudrate or None))
        try:
            self._transport = open_transport(command.target, self.baudrate)
        except PortError as error:
            self.problem = Problem(code=error.code, text=error.message)
            self._emit(PrinterError(error=error.message, reason=error.code, port=command.port))
            raise
        self.problem = None
        self.polling = TemperaturePolling(command.settings.temperature_interval)
        self.conversation = Conversation(command.settings)
        # Opening may have taken a while: the handshake's times count from here.
        self.conversation.open(time.monotonic(), detecting=detect)
        self._poller.watch(self._transport.fileno(), self._ready)
        self._changed()

    def close(self, problem: Problem | None = None) -> None:
        """Let go of the port; `problem` says why, where nobody asked for it."""
        if self._transport is not None:
            self._poller.unwatch(self._transport.fileno())
            self._transport.close()
            self._transport = None
            if problem is None and self.port is not None:
                self._emit(PrinterDisconnected(port=self.port))
        if self.conversation is not None:
            self.conversation.close()
            self.conversation = None
        self._unwritten = b""
        self._awaits_room = False
        self._heaters = {}
        self._temperatures = None
        self.position = None
        self.problem = problem
        self.polling.enabled = False
        self._changed()

    def try_next_rate(self, now: float) -> None:
        """Nothing understandable came at the present baud rate."""
        if self.conversation is None or self._transport is None:
            return
        if not self._rates:
            self.conversation.fail(
                "no_answer",
                "The printer does not answer at any of the usual baud rates.",
                "Check that it is switched on and that this is its port, or choose its baud rate.",
            )
            return
        self.baudrate = self._rates.pop(0)
        self._transport.set_baudrate(self.baudrate)
        self.note(now, f"Trying {self.baudrate} baud.")
        self.conversation.rate_changed(now)

    def _lost(self, error: OSError, now: float) -> None:
        reason = error.strerror or str(error)
        self.note(now, f"The port is gone: {reason}.")
        if self.conversation is not None:
            self.conversation.fail(
                "port_lost",
                f"The connection to the printer broke off ({reason}).",
                "Check the cable and the printer's power, then connect again.",
            )
            self._handle_events(now)

    # Reading and writing

    def _ready(self, mask: int, now: float) -> None:
        transport, conversation = self._transport, self.conversation
        if transport is None or conversation is None:
            return
        try:
            if mask & HAS_ROOM:
                self._write(b"", now)
            if not mask & ~HAS_ROOM:
                return
            data = transport.read()
        except OSError as error:
            self._lost(error, now)
            return
        if data:
            self._terminal.record((now, Direction.RECEIVED, data))
            conversation.receive(data, now)
            self._handle_events(now)
            self.pump(now)

    def _handle_events(self, now: float) -> None:
        """What the conversation has to say, acknowledgements first of all."""
        if self.conversation is None:
            return
        for event in self.conversation.take_events():
            if isinstance(event, Sent):
                if self.job is not None and (event.kind is Kind.JOB or event.kind is Kind.SCRIPT):
                    self.job.acknowledged(event, now)
            else:
                self._changed()
                self._handle_event(event, now)

    def pump(self, now: float) -> None:
        """Write everything that may be written, then prepare what comes next."""
        conversation, job = self.conversation, self.job
        if conversation is None:
            return
        try:
            if urgent := conversation.take_urgent():
                # What has waited for room is the rest of a line that nobody needs any more.
                self._write(urgent, now, drop_waiting=True)
            while True:
                if job is not None:
                    job.feed(now)
                data = conversation.take_output(now)
                if not data:
                    break
                self._write(data, now)
            if job is not None:
                job.look_ahead()
        except FileUnreadableError as error:
            if job is not None:
                job.fail(now, unreadable(error))
        except OSError as error:
            self._lost(error, now)

    def _write(self, data: bytes, now: float, *, drop_waiting: bool = False) -> None:
        """Write, now or once there is room. Raises OSError when the port is gone."""
        if self._transport is None:
            return
        if data:
            self._terminal.record((now, Direction.SENT, data))
        rest = data if drop_waiting else self._unwritten + data
        if rest:
            rest = rest[self._transport.write(rest) :]
        if bool(rest) is not self._awaits_room:
            self._awaits_room = bool(rest)
            self._poller.wait_for_room(self._transport.fileno(), self._awaits_room)
        self._unwritten = rest

    def proceed(self, now: float) -> None:
        """The conversation was told something, by a command or by the clock: act on what it says,
        and write what it has to write."""
        self._handle_events(now)
        self.pump(now)

    def tick(self, now: float) -> None:
        """The conversation's deadline has come, or may have."""
        if self.conversation is not None:
            self.conversation.tick(now)
            self.proceed(now)

    def ask_for_temperatures(self, now: float) -> None:
        """Where it is time to, and the last question was answered."""
        if self.conversation is not None and self.polling.is_due(now):
            waiting = self.conversation.waits_for
            if waiting is None or waiting.kind is not Kind.POLL:
                self.conversation.send(b"M105", Kind.POLL)
                self.pump(now)

    # What is known

    @property
    def in_job(self) -> bool:
        """Whether a job owns the printer."""
        return self.job is not None and self.job.is_active

    def note(self, now: float, text: str) -> None:
        """A line in the terminal and in the log."""
        self._terminal.note(now, text)
        log.write(text)

    def set_temperatures(self, heaters: dict[str, HeaterReading], unix_time: float) -> None:
        """A report spoke of these heaters; a target that it does not mention stays."""
        for name, reading in heaters.items():
            before = self._heaters.get(name)
            if reading.target is None and before is not None:
                reading = HeaterReading(reading.actual, before.target)
            self._heaters[name] = reading
        self._temperatures = Temperatures(time=round(unix_time, 3), heaters=dict(self._heaters))

    def snapshot(self, now: float) -> LinkSnapshot:
        """Everything that is known of the printer."""
        conversation = self.conversation
        closed = ConnectionState.ERROR if self.problem is not None else ConnectionState.CLOSED
        connected = conversation is not None
        return LinkSnapshot(
            state=conversation.state if conversation is not None else closed,
            port=self.port if connected else None,
            baudrate=self.baudrate if connected else None,
            firmware=conversation.firmware if conversation is not None else None,
            problem=self.problem,
            temperatures=self._temperatures,
            position=self.position,
            busy=conversation.busy if conversation is not None else None,
            job=self.job.snapshot(now) if self.job is not None else None,
            line=conversation.statistics if conversation is not None else LineStatistics(),
        )

"""The link's loop: serial line, host, timers; the only place of the link that reads the clock.

One thread, no locks. Each turn waits for the port, the socket or the next deadline; a line's way
from its acknowledgement to the next line's first byte is `_serial_ready` -> `_pump`, and everything
else waits for the housekeeping, four times a second.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import msgspec

from bedplate import __version__
from bedplate.durable import write_atomically
from bedplate.errors import BedplateError, ConflictError, ForbiddenError, PortError
from bedplate.gcode.reader import FileUnreadableError
from bedplate.link import log
from bedplate.link.channel import Connection, Listener
from bedplate.link.job import Job, unreadable
from bedplate.link.outbox import Outbox, new_id
from bedplate.link.polling import TemperaturePolling
from bedplate.link.serial_log import SerialLog
from bedplate.link.terminal import Terminal
from bedplate.link.transport import (
    DEFAULT_BAUDRATE,
    Transport,
    is_pseudo_terminal,
    open_transport,
)
from bedplate.messages import commands
from bedplate.messages.checkpoint import checkpoint_of
from bedplate.messages.events import (
    PrinterConnecting,
    PrinterDisconnected,
    PrinterError,
    PublicEvent,
)
from bedplate.messages.frames import (
    PROTOCOL_VERSION,
    Direction,
    Hello,
    LinkOptions,
    LinkRecord,
    Reply,
    ReplyError,
    SnapshotFrame,
)
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

HOUSEKEEPING = 0.25
"""Seconds between looks at everything that is not urgent: telemetry, terminal, polling."""
CHECKPOINT_EVERY = 2.0
"""Seconds between checkpoints of a running job."""
LAST_WORDS = 3.0
"""Seconds that a link which is ended in a job takes to switch the heaters off."""
BAUDRATES = (115200, 250000, 230400, 57600, 38400, 19200, 9600)
"""Tried in this order where the baud rate is not known: by how common they are."""
FAULTS_IN_A_ROW = 20
"""Unexpected exceptions of the loop, one right after the other, before the link gives up."""


class Link:
    """One printer's link, from its start to its end.

    `obey` carries out a command of the host, `handle` an event of the conversation: the tables of
    `bedplate.link.handlers`.
    """

    def __init__(
        self,
        options: LinkOptions,
        *,
        obey: Callable[[Link, Connection, commands.AnyCommand, float], None],
        handle: Callable[[Link, ConversationEvent, float], None],
    ) -> None:
        self._obey_command = obey
        self._handle_event = handle
        self._options = options
        self._directory = Path(options.directory)
        self._name = new_id()
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[int, float], None]] = {}
        self._listener = Listener(options.socket, self._greet)
        self._connections: list[Connection] = []
        self.host: Connection | None = None
        self.host_watches = False
        self.outbox = Outbox(self._directory / f"events.{self._name}.jsonl")
        self._wall_offset = time.time() - time.monotonic()
        self.terminal = Terminal(lambda now: now + self._wall_offset)
        self._serial_log: SerialLog | None = None

        self.transport: Transport | None = None
        self.conversation: Conversation | None = None
        self.job: Job | None = None
        self._job_on_disk: Job | None = None
        self._port: str | None = None
        self._baudrate: int | None = None
        self._rates: list[int] = []
        self.problem: Problem | None = None
        self._heaters: dict[str, HeaterReading] = {}
        self._temperatures: Temperatures | None = None
        self.position: Position | None = None
        self.polling = TemperaturePolling(0)
        self._unwritten = b""
        self._awaits_room = False

        now = time.monotonic()
        self._housekeeping_at = now
        self._checkpoint_at = now
        self._lonely_since: float | None = now
        self._lonely_limit = options.lonely_idle
        self._dirty = True
        self._has_news = False
        """Whether an event was told since the last snapshot: the state follows it at once."""
        self._ended = False

    # Life

    def run(self) -> None:
        """Serve until told to end, or until nobody has been interested for long enough."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._watch(
            self._listener.fileno(), select.POLLIN, lambda mask, now: self._listener.accept()
        )
        self._write_link_file()
        faults = 0
        while not self._ended:
            try:
                self._turn()
                faults = 0
            except Exception:  # noqa: BLE001 (boundary: the link's loop; a bug must not end a print)
                log.write_fault()
                faults += 1
                if faults >= FAULTS_IN_A_ROW:
                    break
        self._close()

    def end(self) -> None:
        """Leave the loop at the end of this turn."""
        self._ended = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        log.write(f"ended by signal {number}")
        self.end()

    def _close(self) -> None:
        now = time.monotonic()
        if self.job is not None and self.job.is_active:
            problem = Problem(
                code="link_ended",
                text="The process that drives the printer was ended.",
                hint="Print the file again.",
            )
            self.job.fail(now, problem)
            self._say_last_words(now)
        self.close_port()
        self.send_snapshot(now)
        self._checkpoint(now, durable=True)
        self.outbox.store_pending()
        (self._directory / "link.json").unlink(missing_ok=True)
        self._listener.close()
        log.write("ended")

    def _say_last_words(self, now: float) -> None:
        """Let what is queued go out: the script that makes the printer safe."""
        self._pump(now)
        until = now + LAST_WORDS
        while now < until and self.conversation is not None and not self.conversation.idle:
            self._turn()
            now = time.monotonic()

    def _write_link_file(self) -> None:
        content = LinkRecord(
            pid=os.getpid(), socket=self._options.socket, protocol=PROTOCOL_VERSION, port=self._port
        )
        write_atomically(self._directory / "link.json", msgspec.json.encode(content), sync=False)

    # The loop

    def _watch(self, fd: int, mask: int, handler: Callable[[int, float], None]) -> None:
        self._handlers[fd] = handler
        self._poll.register(fd, mask)

    def _unwatch(self, fd: int) -> None:
        if self._handlers.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def _turn(self) -> None:
        """Wait for what comes next, and do it."""
        due = self._housekeeping_at
        conversation = self.conversation
        if conversation is not None:
            deadline = conversation.deadline()
            if deadline is not None and deadline < due:
                due = deadline
        ready = self._poll.poll(max(0.0, (due - time.monotonic()) * 1000 + 0.5))
        now = time.monotonic()
        for fd, mask in ready:
            handler = self._handlers.get(fd)
            if handler is not None:
                handler(mask, now)
        if now >= due:
            if self.conversation is not None:
                self.conversation.tick(now)
                self._handle_events(now)
                self._pump(now)
            if now >= self._housekeeping_at:
                self._housekeeping_at = now + HOUSEKEEPING
                self._keep_house(now)
        if self._has_news:
            self.send_snapshot(now)

    def _keep_house(self, now: float) -> None:
        """Everything that can wait a quarter of a second."""
        self._wall_offset = time.time() - now
        if self.conversation is not None and self.polling.is_due(now):
            waiting = self.conversation.waits_for
            if waiting is None or waiting.kind is not Kind.POLL:
                self.conversation.send(b"M105", Kind.POLL)
                self._pump(now)
        frame = self.terminal.take()
        if frame is not None:
            if self._serial_log is not None:
                self._serial_log.write(frame)
            if self.host is not None and self.host_watches:
                self.host.send(frame, telemetry=True)
        self._keep_job(now)
        if self._dirty:
            self.send_snapshot(now)
        self._drop_closed(now)
        active = self.job is not None and self.job.is_active
        lonely = 0.0 if self._lonely_since is None or active else now - self._lonely_since
        if lonely > self._lonely_limit:
            log.write(f"no host has asked for this link for {lonely:.0f} s")
            self.end()

    def _keep_job(self, now: float) -> None:
        """The checkpoint of a running job, and the outcome of one that ended, on disk."""
        if self.job is None or self.job is self._job_on_disk:
            return
        self._dirty = True
        if self.job.is_active:
            if now >= self._checkpoint_at:
                self._checkpoint(now)
            return
        self._checkpoint(now, durable=True)
        self._job_on_disk = self.job
        self._lonely_limit = self._options.lonely_after_job
        if self._lonely_since is not None:
            self._lonely_since = now

    # The serial line

    def open_port(self, command: commands.Connect, now: float) -> None:
        """Open a port and begin the handshake. Raises PortError; then the state is error."""
        self.close_port()
        has_rate = "://" not in command.target and not is_pseudo_terminal(command.target)
        detect = has_rate and command.baudrate == 0
        self._rates = list(BAUDRATES) if detect else []
        self._baudrate = self._rates.pop(0) if detect else command.baudrate or DEFAULT_BAUDRATE
        self._port = command.port
        self._emit_and_show(PrinterConnecting(port=command.port, baudrate=command.baudrate or None))
        try:
            self.transport = open_transport(command.target, self._baudrate)
        except PortError as error:
            self.problem = Problem(code=error.code, text=error.message)
            self.emit(PrinterError(error=error.message, reason=error.code, port=command.port))
            self.send_snapshot(now)
            raise
        self.problem = None
        wants_log = command.settings.serial_log
        self._serial_log = SerialLog(Path(self._options.serial_log)) if wants_log else None
        self._set_watch()
        self.polling = TemperaturePolling(command.settings.temperature_interval)
        self.conversation = Conversation(command.settings)
        self.conversation.open(time.monotonic(), detecting=detect)
        self._watch(self.transport.fileno(), select.POLLIN, self._serial_ready)
        self._write_link_file()
        self.note(now, f"Opened {command.target} at {self._baudrate} baud.")
        self.send_snapshot(now)

    def _emit_and_show(self, event: PublicEvent) -> None:
        self.emit(event)
        self._dirty = True

    def close_port(self, problem: Problem | None = None) -> None:
        """Let go of the port; `problem` says why, where nobody asked for it."""
        if self.transport is not None:
            self._unwatch(self.transport.fileno())
            self.transport.close()
            self.transport = None
            if problem is None and self._port is not None:
                self.emit(PrinterDisconnected(port=self._port))
        self.conversation = None
        self._unwritten = b""
        self._awaits_room = False
        self._heaters = {}
        self._temperatures = None
        self.position = None
        self.problem = problem
        self.polling.enabled = False
        self._dirty = True

    def try_next_rate(self, now: float) -> None:
        """Nothing understandable came at the present baud rate."""
        if self.conversation is None or self.transport is None:
            return
        if not self._rates:
            self.conversation.fail(
                "no_answer",
                "The printer does not answer at any of the usual baud rates.",
                "Check that it is switched on and that this is its port, or choose its baud rate.",
            )
            return
        self._baudrate = self._rates.pop(0)
        self.transport.set_baudrate(self._baudrate)
        self.note(now, f"Trying {self._baudrate} baud.")
        self.conversation.rate_changed(now)

    def _serial_ready(self, mask: int, now: float) -> None:
        transport, conversation = self.transport, self.conversation
        if transport is None or conversation is None:
            return
        try:
            if mask & select.POLLOUT:
                self._write(b"", now)
            if not mask & ~select.POLLOUT:
                return
            data = transport.read()
        except OSError as error:
            self._port_lost(error, now)
            return
        if data:
            self.terminal.record((now, Direction.RECEIVED, data))
            conversation.receive(data, now)
            self._handle_events(now)
            self._pump(now)

    def _handle_events(self, now: float) -> None:
        """What the conversation has to say, acknowledgements first of all."""
        if self.conversation is None:
            return
        for event in self.conversation.take_events():
            if isinstance(event, Sent):
                if self.job is not None and (event.kind is Kind.JOB or event.kind is Kind.SCRIPT):
                    self.job.acknowledged(event, now)
            else:
                self._dirty = True
                self._handle_event(self, event, now)

    def _pump(self, now: float) -> None:
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
            self._port_lost(error, now)

    def _write(self, data: bytes, now: float, *, drop_waiting: bool = False) -> None:
        """Write, now or once there is room. Raises OSError when the port is gone."""
        if self.transport is None:
            return
        if data:
            self.terminal.record((now, Direction.SENT, data))
        rest = data if drop_waiting else self._unwritten + data
        if rest:
            rest = rest[self.transport.write(rest) :]
        if bool(rest) is not self._awaits_room:
            self._awaits_room = bool(rest)
            mask = select.POLLIN | (select.POLLOUT if rest else 0)
            self._poll.modify(self.transport.fileno(), mask)
        self._unwritten = rest

    def _port_lost(self, error: OSError, now: float) -> None:
        reason = error.strerror or str(error)
        self.note(now, f"The port is gone: {reason}.")
        if self.conversation is not None:
            self.conversation.fail(
                "port_lost",
                f"The connection to the printer broke off ({reason}).",
                "Check the cable and the printer's power, then connect again.",
            )
            self._handle_events(now)

    # The host

    def _greet(self, connection: Connection) -> None:
        """Somebody connected to the socket."""
        self._connections.append(connection)
        fd = connection.fileno()
        connection.on_close = lambda: self._unwatch(fd)
        self._watch(
            fd,
            select.POLLIN,
            lambda mask, now: self._connection_ready(connection, mask, now),
        )
        connection.send(
            Hello(
                protocol=PROTOCOL_VERSION,
                printer=self._options.printer,
                pid=os.getpid(),
                link=self._name,
                version=__version__,
            )
        )

    def _connection_ready(self, connection: Connection, mask: int, now: float) -> None:
        if mask & select.POLLOUT:
            connection.flush()
        if mask & ~select.POLLOUT:
            for command in connection.read():
                self._obey(connection, command, now)
        if not connection.is_open:
            self._drop_closed(now)
            return
        self._set_mask(connection)

    def _set_mask(self, connection: Connection) -> None:
        """Wait for room in the socket while something is unsent."""
        if connection.is_open:
            mask = select.POLLIN | (select.POLLOUT if connection.wants_to_write else 0)
            self._poll.modify(connection.fileno(), mask)

    def _drop_closed(self, now: float) -> None:
        for connection in [one for one in self._connections if not one.is_open]:
            self._connections.remove(connection)
            if connection is self.host:
                self.host = None
                self.host_watches = False
                self._set_watch()
                self._lonely_since = now
                active = self.job is not None and self.job.is_active
                options = self._options
                self._lonely_limit = options.lonely_after_job if active else options.lonely_idle
                self.outbox.store_pending()
        for connection in self._connections:
            self._set_mask(connection)

    def _obey(self, connection: Connection, command: commands.AnyCommand, now: float) -> None:
        try:
            if connection is not self.host and not isinstance(
                command, commands.Attach | commands.EmergencyStop
            ):
                raise ForbiddenError("Attach to this link first.")
            self._obey_command(self, connection, command, now)
            error = None
        except BedplateError as refused:
            error = ReplyError(
                code=refused.code, message=refused.message, status=refused.http_status
            )
        self._handle_events(now)
        self._pump(now)
        if command.request:
            self.send_snapshot(now)
            connection.send(Reply(request=command.request, error=error))

    def attach(self, connection: Connection, command: commands.Attach, now: float) -> None:
        """This connection is the host from now on."""
        if command.protocol != PROTOCOL_VERSION:
            raise ConflictError(
                f"This link speaks version {PROTOCOL_VERSION}, the host version"
                f" {command.protocol}. Let the print end; then the host starts a new link."
            )
        if self.host is not None and self.host is not connection:
            self.host.close()
        log.write(f"host {command.host_pid} attached")
        self.host = connection
        self.host_watches = False
        self._lonely_since = None
        known = command.acknowledged if command.link == self._name else 0
        self.outbox.acknowledge(known)
        for frame in self.outbox.frames_after(known):
            connection.send(frame)
        self.outbox.forget_stored()
        self._dirty = True

    def watch_terminal(self, on: bool) -> None:
        """The host has readers for the terminal, or none any more."""
        self.host_watches = on
        if on and self.host is not None:
            frame = self.terminal.take()
            if frame is not None and self._serial_log is not None:
                self._serial_log.write(frame)
            self.host.send(self.terminal.recent(), telemetry=True)
        self._set_watch()

    def _set_watch(self) -> None:
        wanted = self.host_watches or self._serial_log is not None
        if wanted != self.terminal.is_watched:
            self.terminal.watch(wanted)

    # What is told

    def emit(self, event: PublicEvent) -> None:
        """A public event, to the host now and again until it is acknowledged."""
        frame = self.outbox.put(event, time.time(), store=self.host is None)
        log.write(type(event).__name__)
        self._dirty = True
        self._has_news = True
        if self.host is not None:
            self.host.send(frame)

    def note(self, now: float, text: str) -> None:
        """A line in the terminal and in the log."""
        self.terminal.note(now, text)
        log.write(text)

    def set_temperatures(self, heaters: dict[str, HeaterReading], now: float) -> None:
        """A report spoke of these heaters; a target that it does not mention stays."""
        for name, reading in heaters.items():
            before = self._heaters.get(name)
            if reading.target is None and before is not None:
                reading = HeaterReading(reading.actual, before.target)
            self._heaters[name] = reading
        self._temperatures = Temperatures(
            time=round(now + self._wall_offset, 3), heaters=dict(self._heaters)
        )

    @property
    def unix_time(self) -> float:
        """Time of day in Unix seconds."""
        return time.time()

    def snapshot(self, now: float) -> LinkSnapshot:
        """Everything that is known of the printer."""
        conversation = self.conversation
        closed = ConnectionState.ERROR if self.problem is not None else ConnectionState.CLOSED
        connected = conversation is not None
        return LinkSnapshot(
            state=conversation.state if conversation is not None else closed,
            port=self._port if connected else None,
            baudrate=self._baudrate if connected else None,
            firmware=conversation.firmware if conversation is not None else None,
            problem=self.problem,
            temperatures=self._temperatures,
            position=self.position,
            busy=conversation.busy if conversation is not None else None,
            job=self.job.snapshot(now) if self.job is not None else None,
            line=conversation.statistics if conversation is not None else LineStatistics(),
        )

    def send_snapshot(self, now: float) -> None:
        """The newest state to the host; stays due while the host does not read."""
        self._has_news = False
        if self.host is None:
            return
        self._dirty = not self.host.send(SnapshotFrame(snapshot=self.snapshot(now)), telemetry=True)

    def _checkpoint(self, now: float, *, durable: bool = False) -> None:
        self._checkpoint_at = now + CHECKPOINT_EVERY
        if self.job is None:
            return
        checkpoint = checkpoint_of(self.snapshot(now), self.job.source, time.time())
        if checkpoint is None:
            return
        content = msgspec.json.encode(checkpoint)
        try:
            # Waiting for the disk may take a second on a memory card: not while lines are streamed.
            write_atomically(self._directory / "checkpoint.json", content, sync=durable)
        except OSError as error:
            log.write(f"the checkpoint could not be written: {error}")

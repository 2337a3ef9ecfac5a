"""The serial dialogue with one printer, without I/O and without a clock.

Bytes go in (`receive`), bytes come out (`take_output`), events come out (`take_events`), and
`deadline` says until when the owner may sleep before it calls `tick`. `now` is a monotonic time in
seconds, the owner's; nothing here reads a clock.

How exactness comes about: every line carries a number and a checksum and leaves the window only
when the printer acknowledged it. A lost acknowledgement is never guessed: the next numbered M105
asks the printer, and its answer (`ok T:` or `Resend:`) tells which of the two was lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from bedplate.messages.commands import LineSettings
from bedplate.messages.snapshot import Firmware, LineStatistics
from bedplate.messages.states import ConnectionState
from bedplate.protocol import dialects, replies
from bedplate.protocol.errors import LocalProtocolError
from bedplate.protocol.events import (
    ActionRequested,
    ConnectionFailed,
    ConversationEvent,
    Halted,
    Note,
    PositionReported,
    PrinterReset,
    RateRefused,
    Ready,
    Reported,
    Stalled,
    StreamBroken,
    TemperaturesReported,
)
from bedplate.protocol.linebuffer import LineBuffer
from bedplate.protocol.tables import CONNECTION, ConnectionTrigger, Machine
from bedplate.protocol.window import Kind, Sent, Window

GREETING_SETTLES = 0.15
"""Seconds of quiet after a greeting before we speak: Teacup sends a spurious ok right behind it,
and Marlin half a dozen lines."""
HANDSHAKE_RETRY = 2.0
"""Seconds until the handshake begins again: longer than the boot loader of an AVR board listens."""
RESEND_PATIENCE = 0.4
"""Seconds to wait for the ok that belongs to a resend request. Some firmwares ask and never
acknowledge."""
RESEND_DRAIN = 0.1
"""Seconds of quiet before lines are sent again where several were in flight: each of them may
repeat the request, and the answers must not be taken for those to the new lines."""
RESEND_LIMIT = 10
"""Requests for the same line until the stream counts as broken. At 10 % of damaged lines, ten in a
row for one line happen once in 10^10 lines."""
LONG_COMMAND_PATIENCE = 30.0
"""Seconds of silence before even a command that takes long is asked after. The question does no
harm."""
MAX_PROBES = 8
"""Unanswered questions at a time. Three fit into the smallest receive buffer (64 bytes); what a
later one displaces is asked for again."""
PROBE_BACKOFF = (1, 4, 16, 64)
"""Each question waits for longer than the one before, as multiples of the first one's silence."""

HELLO = b"M110 N0"
HANDSHAKE = (b"M115", b"M105")


class Conversation:
    """One printer's dialogue from the opening of the port to its end."""

    def __init__(self, settings: LineSettings) -> None:
        self._settings = settings
        self._machine = Machine(CONNECTION, ConnectionState.CLOSED)
        self._lines = LineBuffer()
        self._window = Window(settings.window)
        self._queue: deque[tuple[bytes, Kind, Any]] = deque()
        self._urgent: list[bytes] = []
        self._output: list[bytes] = []
        self._events: list[ConversationEvent | Sent] = []

        self._timer: float | None = None
        self._on_timer: Callable[[float], None] = self._speak
        self._settle_limit = 0.0
        self._give_up = 0.0
        self._heard_anything = False
        self._steps: deque[bytes] = deque()
        self._identity: dict[str, str] = {}
        self._capabilities: dict[str, bool] = {}

        self._since = 0.0
        """When the oldest line in flight was sent, or was last known to be worked on."""
        self._look_at = 0.0
        """When its silence is looked at next."""
        self._probes = 0
        self._stalled = False
        self._report_was_last = False
        self._answers_in_one_line = False
        """The firmware has answered M105 with `ok T:`, so a bare ok is no answer to M105."""
        self._asking = False
        """A probe is the last line that went out, and nothing was acknowledged since."""
        self._refused_twin = False
        """The next ok belongs to a line that came twice."""
        self._resend_oks = 0
        self._hold_until: float | None = None
        self._hold_drains = False
        self._repeated = -1
        self._repeats = 0
        self._doubted = -1
        self._hellos = 0

        self._resends = 0
        self._lost_oks = 0
        self._oddities = 0
        self._transmitted = 0

        self.dialect = dialects.by_name(settings.dialect) if settings.dialect else dialects.GENERIC
        self.firmware: Firmware | None = None
        self.busy: str | None = None
        """What the firmware says it is busy with."""

    # What the owner may ask

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._machine.state

    @property
    def ready(self) -> bool:
        """Whether a line of a stream may be sent now: nothing waits and there is room."""
        return (
            not self._queue
            and self._window.has_room
            and self._machine.state is ConnectionState.OPERATIONAL
            and not self._window.is_rewound
            and self._hold_until is None
        )

    @property
    def idle(self) -> bool:
        """Whether nothing waits, and nothing is in flight."""
        return not self._queue and not self._window.in_flight and not self._window.is_rewound

    @property
    def waits_for(self) -> Sent | None:
        """The oldest line in flight."""
        return self._window.in_flight[0] if self._window.in_flight else None

    @property
    def statistics(self) -> LineStatistics:
        """Quality of the line since it was opened."""
        return LineStatistics(
            transmitted=self._transmitted,
            resends=self._resends,
            lost_oks=self._lost_oks,
            oddities=self._oddities,
        )

    def has_capability(self, name: str) -> bool:
        """Whether the firmware listed the capability `name` as present (M115)."""
        return self._capabilities.get(name, False)

    # What the owner tells

    def open(self, now: float, *, detecting: bool = False) -> None:
        """The port is open. With `detecting`, silence gives RateRefused instead of a failure."""
        self._fire(ConnectionTrigger.OPEN)
        self._give_up = now + self._settings.greeting_timeout + self._settings.answer_timeout
        self._set_timer(
            now + self._settings.greeting_timeout, self._detect if detecting else self._speak
        )

    def rate_changed(self, now: float) -> None:
        """The port runs at the next baud rate now (after RateRefused)."""
        self._lines.clear()
        self._hellos = 0
        self._detect(now)

    def close(self) -> None:
        """The port was closed on purpose."""
        self._fire(ConnectionTrigger.CLOSE)
        self._forget_lines()
        self._timer = None

    def fail(self, code: str, text: str, hint: str = "") -> None:
        """The port is gone, or the owner gave up."""
        if self._machine.allows(ConnectionTrigger.FAIL):
            self._fire(ConnectionTrigger.FAIL)
            self._forget_lines()
            self._timer = None
            self._events.append(ConnectionFailed(code, text, hint))

    def send(self, command: bytes, kind: Kind = Kind.COMMAND, tag: Any = None) -> None:
        """Queue one command, without comment or line end. Raises LocalProtocolError unless
        operational. A poll is dropped where one waits already."""
        if self._machine.state is not ConnectionState.OPERATIONAL:
            raise LocalProtocolError("The printer is not connected.")
        if kind is Kind.POLL and any(waiting is Kind.POLL for _, waiting, _ in self._queue):
            return
        self._queue.append((command, kind, tag))

    def prepare(self, command: bytes) -> None:
        """`command` will probably be the next one: encode it now, while the printer is at work."""
        self._window.prepare(command)

    def send_at_once(self, command: bytes, *, answered: bool = True) -> None:
        """Send past every queue, without number, in any state: for what acts out of turn.

        Marlin acts on M108 when it arrives, and acknowledges it in turn (`answered`).
        """
        self._urgent.append(b"\n" + command + b"\n")
        if answered:
            self._window.in_flight.append(Sent(-1, command, b"", Kind.COMMAND, None))

    def emergency_stop(self) -> None:
        """M112 at once; the connection is halted from here on."""
        self.send_at_once(b"M112", answered=False)
        if self._machine.allows(ConnectionTrigger.HALT):
            self._halt("killed", "M112")

    def drop_queued(self, kinds: frozenset[Kind]) -> list[Kind]:
        """Take back what was queued and not yet sent; the kinds of what was dropped."""
        dropped = [kind for _, kind, _ in self._queue if kind in kinds]
        self._queue = deque(item for item in self._queue if item[1] not in kinds)
        return dropped

    def take_events(self) -> list[ConversationEvent | Sent]:
        """What happened since the last call; a `Sent` among them was acknowledged."""
        events = self._events
        self._events = []
        return events

    def take_urgent(self) -> bytes:
        """Bytes that have to go out before anything else, even before the rest of a line."""
        urgent = b"".join(self._urgent)
        self._urgent.clear()
        return urgent

    def take_output(self, now: float) -> bytes:
        """Bytes to be written now."""
        window = self._window
        if window.is_rewound:
            self._send_again(now)
        elif self._hold_until is None and not self._asking:
            while self._queue and window.has_room:
                command, kind, tag = self._queue.popleft()
                self._put(window.send(command, kind, tag), now)
        if len(self._output) == 1:
            return self._output.pop()
        data = b"".join(self._output)
        self._output.clear()
        return data

    def deadline(self) -> float | None:
        """When `tick` has to be called at the latest, if nothing arrives before."""
        due = self._timer
        if self._hold_until is not None and (due is None or self._hold_until < due):
            due = self._hold_until
        if (
            self._window.in_flight
            and (due is None or self._look_at < due)
            and self._machine.state is ConnectionState.OPERATIONAL
        ):
            due = self._look_at
        return due

    def tick(self, now: float) -> None:
        """Time has passed."""
        if self._timer is not None and now >= self._timer:
            self._timer = None
            self._on_timer(now)
        if self._hold_until is not None and now >= self._hold_until:
            self._release()
        if (
            now >= self._look_at
            and self._window.in_flight
            and self._machine.state is ConnectionState.OPERATIONAL
        ):
            self._watch_silence(now)

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the printer, in any chunking."""
        for line in self._lines.feed(data):
            if line == b"ok":
                self._acknowledge(replies.PLAIN_OK[0], now)
                continue
            for reply in replies.read_line(line):
                self._heard_anything = True
                _HANDLERS[type(reply)](self, reply, now)
            if self._hold_drains and self._hold_until is not None:
                self._hold_until = now + RESEND_DRAIN

    # Opening and handshake

    def _fire(self, trigger: ConnectionTrigger) -> None:
        self._machine.fire(trigger)

    def _set_timer(self, when: float, action: Callable[[float], None]) -> None:
        self._timer = when
        self._on_timer = action

    def _forget_lines(self) -> None:
        self._queue.clear()
        self._window.restart()
        self._output.clear()
        self._resend_oks = 0
        self._hold_until = None
        self._hold_drains = False
        self._repeated = -1
        self._repeats = 0
        self._doubted = -1
        self._probes = 0
        self._asking = False
        self._refused_twin = False
        self._stalled = False
        self.busy = None

    def _detect(self, now: float) -> None:
        """Say hello at a baud rate that may be wrong."""
        self._fire(ConnectionTrigger.DETECT)
        self._forget_lines()
        self._say_hello(now)
        self._set_timer(now + HANDSHAKE_RETRY, self._refuse_rate)

    def _refuse_rate(self, now: float) -> None:
        self._forget_lines()
        self._events.append(RateRefused())

    def _speak(self, now: float) -> None:
        """Begin, or begin again, with the handshake."""
        if self._machine.state is not ConnectionState.HANDSHAKING:
            self._fire(ConnectionTrigger.SPEAK)
        self._forget_lines()
        self._steps = deque(HANDSHAKE)
        self._say_hello(now)
        self._set_timer(now + HANDSHAKE_RETRY, self._retry_handshake)

    def _say_hello(self, now: float) -> None:
        self._hellos += 1
        self._window.next_number = 0
        self._put(self._window.send(HELLO, Kind.HANDSHAKE), now)

    def _retry_handshake(self, now: float) -> None:
        if now < self._give_up:
            self._speak(now)
        elif self._heard_anything:
            self.fail(
                "not_understood",
                "Something answers on this port, but not as a printer does.",
                "Check the baud rate, and that this is the printer's port.",
            )
        else:
            self.fail(
                "no_answer",
                "The printer does not answer.",
                "Check that it is switched on, that this is its port, and its baud rate.",
            )

    def _handshake_goes_on(self, now: float) -> None:
        """A step of the handshake was answered."""
        if self._machine.state is ConnectionState.DETECTING:
            self._fire(ConnectionTrigger.SPEAK)
            self._steps = deque(HANDSHAKE)
        hellos, self._hellos = self._hellos, 0
        if hellos > 1:
            # A board that was still starting answers every hello: let those answers pass.
            self._set_timer(now + GREETING_SETTLES, self._handshake_goes_on)
            return
        if self._steps:
            self._put(self._window.send(self._steps.popleft(), Kind.HANDSHAKE), now)
            self._set_timer(now + HANDSHAKE_RETRY, self._retry_handshake)
            return
        self._timer = None
        self._fire(ConnectionTrigger.READY)
        if not self._settings.dialect:
            self.dialect = dialects.recognise(self._identity)
        count = self._identity.get("EXTRUDER_COUNT", "")
        self.firmware = Firmware(
            name=self._identity.get("FIRMWARE_NAME", "unknown"),
            dialect=self.dialect.name,
            machine=self._identity.get("MACHINE_TYPE"),
            extruders=int(count) if count.isdecimal() and int(count) else 1,
            capabilities=dict(self._capabilities),
        )
        if self.has_capability("AUTOREPORT_TEMP"):
            interval = max(1, round(self._settings.temperature_interval))
            self.send(b"M155 S%d" % interval, Kind.HANDSHAKE)
        self._events.append(Ready(self.firmware))

    # Acknowledgements

    def _acknowledge(self, ok: replies.Ok, now: float) -> None:
        report_was_last, self._report_was_last = self._report_was_last, False
        window = self._window
        line: Sent | None
        if ok.with_report:
            self._answers_in_one_line = True
        if ok.with_report or (report_was_last and not self.dialect.temperature_answer_has_ok):
            # While a probe is open, the answer is its own: to an older question it would have come
            # long ago, or behind the ok of the line in doubt.
            in_flight = reversed(window.in_flight) if self._asking else iter(window.in_flight)
            line = next((sent for sent in in_flight if sent.asks_temperature), None)
            if line is not None or ok.with_report:
                self._acknowledge_through(line, now)
                return
        if self._resend_oks:
            # The ok after a resend request stands for the line that failed.
            self._resend_oks -= 1
            if not self._resend_oks and not self._hold_drains:
                self._release()
            return
        if ok.number is not None:
            line = next((sent for sent in window.in_flight if sent.number == ok.number), None)
            self._acknowledge_through(line, now)
            return
        line = window.in_flight[0] if window.in_flight else None
        twin, self._refused_twin = self._refused_twin, False
        if line is None or (self._answers_in_one_line and line.command == b"M105" and not twin):
            self._oddities += 1  # said twice, or its question was answered unheard
            return
        window.acknowledge()
        self._acknowledged(line, now)

    def _acknowledge_through(self, line: Sent | None, now: float) -> None:
        """Exactly `line` was acknowledged, so those before it were taken and their oks lost.

        None: the answer to a line that is not in flight any more, said twice.
        """
        if line is None:
            self._oddities += 1
            return
        for sent in self._window.acknowledge_through(line):
            if sent is not line:
                self._lost_oks += 1
                self._events.append(Note(f"The acknowledgement of line {sent.number} was lost."))
            self._acknowledged(sent, now)

    def _acknowledged(self, line: Sent, now: float) -> None:
        self._since = now
        self._look_at = now + self._settings.probe_after
        self._stalled = False
        self._asking = False
        self.busy = None
        if line.kind is Kind.PROBE:
            self._probes = max(0, self._probes - 1)
        if line.acknowledged:
            return
        line.acknowledged = True
        if line.kind is Kind.HANDSHAKE and self._machine.state is not ConnectionState.OPERATIONAL:
            self._handshake_goes_on(now)
        else:
            self._events.append(line)

    def _put(self, line: Sent, now: float) -> None:
        """Write a line that has just entered the window."""
        if len(self._window.in_flight) == 1:
            self._since = now
            self._look_at = now + self._settings.probe_after
        if line.kind is Kind.PROBE:
            self._probes += 1
        self._transmitted += 1
        self._output.append(line.wire)

    # Resending

    def _on_resend(self, request: replies.ResendRequest, now: float) -> None:
        if self._machine.state is not ConnectionState.OPERATIONAL:
            self._resend_oks += 1
            return
        window = self._window
        number = request.number
        self._resends += 1
        self._alive(now)
        if self._hold_until is not None and number == self._repeated:
            self._resend_oks += 1  # one of the lines behind the failed one repeats the request
            return
        if number == window.next_number:
            # Everything was taken. A line that came twice makes the printer say so, and this ok is
            # its answer; M999 too, and has an ok of its own besides.
            self._oddities += 1
            if self.waits_for is not None and self.waits_for.command.startswith(b"M999"):
                self._resend_oks += 1
            else:
                self._refused_twin = True
            return
        line = window.find(number)
        if line is None:
            self._break_stream(
                "resend_impossible",
                number,
                f"The printer asks again for line {number}, which is not among those just sent.",
            )
            return
        if line not in window.in_flight and (
            self._doubted != number or not self.dialect.checks_order
        ):
            # It acknowledged this line before. If it means it, it will refuse the next line as
            # well, and ask again; if it does not, sending the line again would only confuse the two
            # of us.
            self._doubted = number
            self._oddities += 1
            self._resend_oks += 1
            return
        self._repeats = self._repeats + 1 if number == self._repeated else 1
        self._repeated = number
        if self._repeats > RESEND_LIMIT:
            self._break_stream(
                "resend_loop",
                number,
                f"The printer refused the line {line.command.decode('utf-8', 'replace')!r} "
                f"{RESEND_LIMIT} times.",
            )
            return
        self._asking = False
        behind = sum(1 for sent in window.in_flight if sent.number > number)
        for taken in window.rewind(number):
            self._acknowledged(taken, now)
        self._probes = sum(1 for sent in window.in_flight if sent.kind is Kind.PROBE)
        self._resend_oks += 1
        self._hold_drains = behind > 0
        self._hold_until = now + (RESEND_DRAIN if behind else RESEND_PATIENCE)

    def _release(self) -> None:
        """The requests for a resend are over: what was asked for may go out."""
        self._hold_until = None
        self._hold_drains = False
        self._resend_oks = 0

    def _send_again(self, now: float) -> None:
        while self._hold_until is None and self._window.may_send_again:
            self._put(self._window.send_again(), now)

    def _break_stream(self, code: str, number: int, text: str) -> None:
        """Give the present stream up and put the numbering in order for what comes after it."""
        self._forget_lines()
        self._window.next_number = 0
        self._queue.append((HELLO, Kind.HANDSHAKE, None))
        self._events.append(StreamBroken(code, number, text))

    # Silence

    def _watch_silence(self, now: float) -> None:
        """The oldest line in flight has had no answer for a while: ask, report, and set the next
        look."""
        first = self._window.in_flight[0]
        patience = LONG_COMMAND_PATIENCE if first.takes_long else self._settings.probe_after
        patience *= PROBE_BACKOFF[min(self._probes, len(PROBE_BACKOFF) - 1)]
        asks_at = self._since + patience
        stalls_at = self._since + self._settings.stalled_after * (10 if first.takes_long else 1)
        if now >= asks_at and self._hold_until is None:
            if self._window.is_rewound:
                # The next of the lines that go out again is as good a question, room or no room.
                self._put(self._window.send_again(), now)
            elif self._probes < MAX_PROBES:
                self._probe(now)
            asks_at = now + patience * 4
        if now >= stalls_at and not self._stalled:
            self._stalled = True
            self._events.append(Stalled(now - self._since))
        looks = [when for when in (asks_at, stalls_at) if when > now]
        self._look_at = min(looks) if looks else now + self._settings.stalled_after

    def _probe(self, now: float) -> None:
        """Ask whether the line in flight or its acknowledgement was lost."""
        self._put(self._window.send(b"M105", Kind.PROBE), now)
        self._asking = True

    # What else a printer says

    def _alive(self, now: float) -> None:
        """A sign that the printer works on the oldest line in flight."""
        self._since = now
        self._look_at = now + self._settings.probe_after
        self._stalled = False

    def _on_temperatures(self, report: replies.TemperatureReport, now: float) -> None:
        self._events.append(TemperaturesReported(report.heaters))
        self._report_was_last = True
        first = self.waits_for
        if first is not None and first.takes_long:
            self._alive(now)

    def _on_position(self, report: replies.PositionReport, now: float) -> None:
        self._events.append(PositionReported(report.position))

    def _on_busy(self, report: replies.Busy, now: float) -> None:
        self.busy = report.what
        self._alive(now)
        if self._machine.state is ConnectionState.HANDSHAKING:
            self._give_up = now + self._settings.answer_timeout
            self._timer = now + HANDSHAKE_RETRY * 2

    def _on_wait(self, report: replies.Wait, now: float) -> None:
        """Idle, says the printer: then what is in flight, or its ok, was lost."""
        if (
            self._window.in_flight
            and self._machine.state is ConnectionState.OPERATIONAL
            and not self._probes
            and self._hold_until is None
            and not self._window.is_rewound
            and now >= self._since + self._settings.probe_after / 4
        ):
            self._probe(now)

    def _on_greeting(self, report: replies.Greeting, now: float) -> None:
        state = self._machine.state
        if state is ConnectionState.OPENING:
            pass
        elif state is ConnectionState.DETECTING:
            self._forget_lines()
        elif self._machine.allows(ConnectionTrigger.RESET):
            self._fire(ConnectionTrigger.RESET)
            self._forget_lines()
            self._identity.clear()
            self._capabilities.clear()
            if state is not ConnectionState.HANDSHAKING:
                self._events.append(PrinterReset())
        else:
            return
        self._give_up = now + self._settings.greeting_timeout + self._settings.answer_timeout
        self._set_timer(now + GREETING_SETTLES, self._speak)

    def _on_firmware_info(self, report: replies.FirmwareInfo, now: float) -> None:
        self._identity.update(report.fields)

    def _on_capability(self, report: replies.Capability, now: float) -> None:
        self._capabilities[report.name] = report.on

    def _on_action(self, report: replies.Action, now: float) -> None:
        self._events.append(ActionRequested(report.name, report.argument))

    def _on_unknown_command(self, report: replies.UnknownCommand, now: float) -> None:
        self._events.append(Reported(f"Unknown command: {report.command}"))

    def _on_line_error(self, report: replies.LineError, now: float) -> None:
        """The resend request that follows says everything."""

    def _on_error(self, report: replies.ErrorReport, now: float) -> None:
        self._events.append(Reported(report.text))

    def _on_alarm(self, report: replies.Alarm, now: float) -> None:
        if self._machine.allows(ConnectionTrigger.HALT):
            self._halt(report.kind, report.text)

    def _on_information(self, report: replies.Information, now: float) -> None:
        if self._machine.state is ConnectionState.RESETTING:
            self._set_timer(now + GREETING_SETTLES, self._speak)

    def _halt(self, kind: str, line: str) -> None:
        self._fire(ConnectionTrigger.HALT)
        self._forget_lines()
        self._timer = None
        self._events.append(Halted(kind, line))


_HANDLERS: dict[type[replies.Reply], Callable[[Conversation, Any, float], None]] = {
    replies.Ok: Conversation._acknowledge,
    replies.TemperatureReport: Conversation._on_temperatures,
    replies.PositionReport: Conversation._on_position,
    replies.ResendRequest: Conversation._on_resend,
    replies.Busy: Conversation._on_busy,
    replies.Wait: Conversation._on_wait,
    replies.Greeting: Conversation._on_greeting,
    replies.FirmwareInfo: Conversation._on_firmware_info,
    replies.Capability: Conversation._on_capability,
    replies.Action: Conversation._on_action,
    replies.UnknownCommand: Conversation._on_unknown_command,
    replies.LineError: Conversation._on_line_error,
    replies.ErrorReport: Conversation._on_error,
    replies.Alarm: Conversation._on_alarm,
    replies.Information: Conversation._on_information,
}
"""What each reply makes a conversation do."""

"""The serial dialogue with one printer, without I/O and without a clock.

Bytes go in (`receive`), bytes come out (`take_output`), events come out (`take_events`), and
`deadline` says until when the owner may sleep before it calls `tick`. `now` is a monotonic time in
seconds, the owner's; nothing here reads a clock.

Here are the connection and the meaning of what a printer says; how lines are sent, acknowledged and
sent again is `bedplate.protocol.flow`.
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
    PositionReported,
    PrinterReset,
    RateRefused,
    Ready,
    Reported,
    TemperaturesReported,
)
from bedplate.protocol.flow import Flow
from bedplate.protocol.linebuffer import LineBuffer
from bedplate.protocol.tables import CONNECTION, ConnectionTrigger, Machine
from bedplate.protocol.window import Kind, Sent

GREETING_SETTLES = 0.15
"""Seconds of quiet after a greeting before we speak: Teacup sends a spurious ok right behind it,
and Marlin half a dozen lines."""
HANDSHAKE_RETRY = 2.0
"""Seconds until the handshake begins again: longer than the boot loader of an AVR board listens."""
HANDSHAKE = (b"M115", b"M105")
PLAIN_OK = replies.PLAIN_OK[0]


class Conversation:
    """One printer's dialogue from the opening of the port to its end."""

    def __init__(self, settings: LineSettings) -> None:
        self._settings = settings
        self._machine = Machine(CONNECTION, ConnectionState.CLOSED)
        self._lines = LineBuffer()
        self._urgent: list[bytes] = []
        self._events: list[ConversationEvent | Sent] = []
        self._flow = Flow(settings, self._events.append, self._handshake_goes_on)

        self._timer: float | None = None
        self._on_timer: Callable[[float], None] = self._speak
        self._give_up = 0.0
        self._heard_anything = False
        self._steps: deque[bytes] = deque()
        self._identity: dict[str, str] = {}
        self._capabilities: dict[str, bool] = {}
        self._hellos = 0

        self.firmware: Firmware | None = None

    # What the owner may ask

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._machine.state

    @property
    def dialect(self) -> dialects.Dialect:
        """What is peculiar to this firmware."""
        return self._flow.dialect

    @property
    def busy(self) -> str | None:
        """What the firmware says it is busy with."""
        return self._flow.busy

    @property
    def ready(self) -> bool:
        """Whether a line of a stream may be sent now: nothing waits and there is room."""
        return self._flow.ready

    @property
    def idle(self) -> bool:
        """Whether nothing waits, and nothing is in flight."""
        return self._flow.idle

    @property
    def waits_for(self) -> Sent | None:
        """The oldest line in flight."""
        return self._flow.waits_for

    @property
    def statistics(self) -> LineStatistics:
        """Quality of the line since it was opened."""
        return self._flow.statistics

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
        self._flow.forget()
        self._timer = None

    def fail(self, code: str, text: str, hint: str = "") -> None:
        """The port is gone, or the owner gave up."""
        if self._machine.allows(ConnectionTrigger.FAIL):
            self._fire(ConnectionTrigger.FAIL)
            self._flow.forget()
            self._timer = None
            self._events.append(ConnectionFailed(code, text, hint))

    def send(self, command: bytes, kind: Kind = Kind.COMMAND, tag: Any = None) -> None:
        """Queue one command, without comment or line end. Raises LocalProtocolError unless
        operational. A poll is dropped where one waits already."""
        if self._machine.state is not ConnectionState.OPERATIONAL:
            raise LocalProtocolError("The printer is not connected.")
        self._flow.queue(command, kind, tag)

    def prepare(self, command: bytes) -> None:
        """`command` will probably be the next one: encode it now, while the printer is at work."""
        self._flow.window.prepare(command)

    def send_at_once(self, command: bytes, *, answered: bool = True) -> None:
        """Send past every queue, without number, in any state: for what acts out of turn.

        Marlin acts on M108 when it arrives, and acknowledges it in turn (`answered`).
        """
        self._urgent.append(b"\n" + command + b"\n")
        if answered:
            self._flow.expect_answer(command)

    def emergency_stop(self) -> None:
        """M112 at once; the connection is halted from here on."""
        self.send_at_once(b"M112", answered=False)
        if self._machine.allows(ConnectionTrigger.HALT):
            self._halt("killed", "M112", asked=True)

    def drop_queued(self, kinds: frozenset[Kind]) -> list[Kind]:
        """Take back what was queued and not yet sent; the kinds of what was dropped."""
        return self._flow.drop_queued(kinds)

    def take_events(self) -> list[ConversationEvent | Sent]:
        """What happened since the last call; a `Sent` among them was acknowledged."""
        events = self._events.copy()
        self._events.clear()
        return events

    def take_urgent(self) -> bytes:
        """Bytes that have to go out before anything else, even before the rest of a line."""
        urgent = b"".join(self._urgent)
        self._urgent.clear()
        return urgent

    def take_output(self, now: float) -> bytes:
        """Bytes to be written now."""
        return self._flow.take_output(now)

    def deadline(self) -> float | None:
        """When `tick` has to be called at the latest, if nothing arrives before."""
        due, timer = self._flow.deadline(), self._timer
        return timer if due is None or (timer is not None and timer < due) else due

    def tick(self, now: float) -> None:
        """Time has passed."""
        if self._timer is not None and now >= self._timer:
            self._timer = None
            self._on_timer(now)
        self._flow.tick(now)

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the printer, in any chunking."""
        for line in self._lines.feed(data):
            if line == b"ok":
                self._flow.acknowledge(PLAIN_OK, now)
                continue
            for reply in replies.read_line(line):
                self._heard_anything = True
                _HANDLERS[type(reply)](self, reply, now)
            self._flow.heard(now)

    # Opening and handshake

    def _fire(self, trigger: ConnectionTrigger) -> None:
        self._flow.established = self._machine.fire(trigger) is ConnectionState.OPERATIONAL

    def _set_timer(self, when: float, action: Callable[[float], None]) -> None:
        self._timer = when
        self._on_timer = action

    def _detect(self, now: float) -> None:
        """Say hello at a baud rate that may be wrong."""
        self._fire(ConnectionTrigger.DETECT)
        self._flow.forget()
        self._say_hello(now)
        self._set_timer(now + HANDSHAKE_RETRY, self._refuse_rate)

    def _refuse_rate(self, now: float) -> None:
        self._flow.forget()
        self._events.append(RateRefused())

    def _speak(self, now: float) -> None:
        """Begin, or begin again, with the handshake."""
        if self._machine.state is not ConnectionState.HANDSHAKING:
            self._fire(ConnectionTrigger.SPEAK)
        self._flow.forget()
        self._steps = deque(HANDSHAKE)
        self._say_hello(now)
        self._set_timer(now + HANDSHAKE_RETRY, self._retry_handshake)

    def _say_hello(self, now: float) -> None:
        self._hellos += 1
        self._flow.say_hello(now)

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
            self._flow.send_step(self._steps.popleft(), now)
            self._set_timer(now + HANDSHAKE_RETRY, self._retry_handshake)
            return
        self._timer = None
        self._fire(ConnectionTrigger.READY)
        if not self._settings.dialect:
            self._flow.dialect = dialects.recognise(self._identity)
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

    # What else a printer says

    def _on_ok(self, ok: replies.Ok, now: float) -> None:
        self._flow.acknowledge(ok, now)

    def _on_resend(self, request: replies.ResendRequest, now: float) -> None:
        self._flow.resend(request.number, now)

    def _on_temperatures(self, report: replies.TemperatureReport, now: float) -> None:
        self._events.append(TemperaturesReported(report.heaters))
        self._flow.reported(now)

    def _on_position(self, report: replies.PositionReport, now: float) -> None:
        self._events.append(PositionReported(report.position))

    def _on_busy(self, report: replies.Busy, now: float) -> None:
        self._flow.busy = report.what
        self._flow.alive(now)
        if self._machine.state is ConnectionState.HANDSHAKING:
            self._give_up = now + self._settings.answer_timeout
            self._timer = now + HANDSHAKE_RETRY * 2

    def _on_wait(self, report: replies.Wait, now: float) -> None:
        self._flow.printer_waits(now)

    def _on_greeting(self, report: replies.Greeting, now: float) -> None:
        state = self._machine.state
        if state is ConnectionState.OPENING:
            pass
        elif state is ConnectionState.DETECTING:
            self._flow.forget()
        elif self._machine.allows(ConnectionTrigger.RESET):
            self._fire(ConnectionTrigger.RESET)
            self._flow.forget()
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

    def _halt(self, kind: str, line: str, *, asked: bool = False) -> None:
        self._fire(ConnectionTrigger.HALT)
        self._flow.forget()
        self._timer = None
        self._events.append(Halted(kind, line, asked))


_HANDLERS: dict[type[replies.Reply], Callable[[Conversation, Any, float], None]] = {
    replies.Ok: Conversation._on_ok,
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

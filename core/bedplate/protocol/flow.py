"""Flow control: what is sent when, what was acknowledged, what is sent again, what silence means.

How exactness comes about: every line carries a number and a checksum and leaves the window only
when the printer acknowledged it. A lost acknowledgement is never guessed: the next numbered M105
asks the printer, and its answer (`ok T:` or `Resend:`) tells which of the two was lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from bedplate.messages.commands import LineSettings
from bedplate.messages.snapshot import LineStatistics
from bedplate.protocol import dialects, replies
from bedplate.protocol.events import ConversationEvent, Note, Stalled, StreamBroken
from bedplate.protocol.window import Kind, Sent, Window

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
"""Sets the printer's line counter, so that the next line is number 1."""


class Flow:
    """The lines of one printer, from their queue to their acknowledgement.

    `emit` takes events and acknowledged lines; `on_handshake` is told of each acknowledgement that
    comes before the flow is established.
    """

    def __init__(
        self,
        settings: LineSettings,
        emit: Callable[[ConversationEvent | Sent], None],
        on_handshake: Callable[[float], None],
    ) -> None:
        self._settings = settings
        self._emit = emit
        self._on_handshake = on_handshake
        self.window = Window(settings.window)
        self.established = False
        """The handshake is complete: numbers are agreed on, and silence means something."""
        self.dialect = dialects.by_name(settings.dialect) if settings.dialect else dialects.GENERIC
        self.busy: str | None = None
        """What the firmware says it is busy with."""
        self._queue: deque[tuple[bytes, Kind, Any]] = deque()
        self._output: list[bytes] = []

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

        self._resends = 0
        self._lost_oks = 0
        self._oddities = 0
        self._transmitted = 0

    @property
    def ready(self) -> bool:
        """Whether a line of a stream may be sent now: nothing waits and there is room."""
        return (
            self.established
            and not self._queue
            and self.window.has_room
            and not self.window.is_rewound
            and self._hold_until is None
        )

    @property
    def idle(self) -> bool:
        """Whether nothing waits, and nothing is in flight."""
        return not self._queue and not self.window.in_flight and not self.window.is_rewound

    @property
    def waits_for(self) -> Sent | None:
        """The oldest line in flight."""
        return self.window.in_flight[0] if self.window.in_flight else None

    @property
    def statistics(self) -> LineStatistics:
        """Quality of the line since it was opened."""
        return LineStatistics(
            transmitted=self._transmitted,
            resends=self._resends,
            lost_oks=self._lost_oks,
            oddities=self._oddities,
        )

    # Sending

    def queue(self, command: bytes, kind: Kind, tag: Any) -> None:
        """Send a command as soon as there is room. A poll is dropped where one waits already."""
        if kind is Kind.POLL and any(waiting is Kind.POLL for _, waiting, _ in self._queue):
            return
        self._queue.append((command, kind, tag))

    def drop_queued(self, kinds: frozenset[Kind]) -> list[Kind]:
        """Take back what was queued and not yet sent; the kinds of what was dropped."""
        dropped = [kind for _, kind, _ in self._queue if kind in kinds]
        self._queue = deque(item for item in self._queue if item[1] not in kinds)
        return dropped

    def send_step(self, command: bytes, now: float) -> None:
        """Send a line of the handshake, which has the line for itself."""
        self._put(self.window.send(command, Kind.HANDSHAKE), now)

    def say_hello(self, now: float) -> None:
        """Begin the numbering anew, on both sides."""
        self.window.next_number = 0
        self.send_step(HELLO, now)

    def expect_answer(self, command: bytes) -> None:
        """A command went out past the queue, and the printer will acknowledge it in turn."""
        self.window.in_flight.append(Sent(-1, command, b"", Kind.COMMAND, None))

    def forget(self) -> None:
        """Nothing waits and nothing is in flight any more: the other side has forgotten it too."""
        self._queue.clear()
        self.window.restart()
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

    def take_output(self, now: float) -> bytes:
        """Bytes to be written now."""
        window = self.window
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

    # Time

    def deadline(self) -> float | None:
        """When `tick` has to be called at the latest."""
        due = self._hold_until
        if self.established and self.window.in_flight and (due is None or self._look_at < due):
            due = self._look_at
        return due

    def tick(self, now: float) -> None:
        """Time has passed."""
        if self._hold_until is not None and now >= self._hold_until:
            self._release()
        if self.established and now >= self._look_at and self.window.in_flight:
            self._watch_silence(now)

    def alive(self, now: float) -> None:
        """A sign that the printer works on the oldest line in flight."""
        self._since = now
        self._look_at = now + self._settings.probe_after
        self._stalled = False

    def heard(self, now: float) -> None:
        """Anything was received: what still comes belongs to lines that are sent again."""
        if self._hold_drains and self._hold_until is not None:
            self._hold_until = now + RESEND_DRAIN

    def reported(self, now: float) -> None:
        """A temperature report came: an answer, or a sign of life of a command that waits."""
        self._report_was_last = True
        first = self.waits_for
        if first is not None and first.takes_long:
            self.alive(now)

    def printer_waits(self, now: float) -> None:
        """Idle, says the printer: then what is in flight, or its ok, was lost."""
        if (
            self.established
            and self.window.in_flight
            and not self._probes
            and self._hold_until is None
            and not self.window.is_rewound
            and now >= self._since + self._settings.probe_after / 4
        ):
            self._probe(now)

    # Acknowledgements

    def acknowledge(self, ok: replies.Ok, now: float) -> None:
        """The printer said ok."""
        report_was_last, self._report_was_last = self._report_was_last, False
        window = self.window
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
        for sent in self.window.acknowledge_through(line):
            if sent is not line:
                self._lost_oks += 1
                self._emit(Note(f"The acknowledgement of line {sent.number} was lost."))
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
        if line.kind is Kind.HANDSHAKE and not self.established:
            self._on_handshake(now)
        else:
            self._emit(line)

    def _put(self, line: Sent, now: float) -> None:
        """Write a line that has just entered the window."""
        if len(self.window.in_flight) == 1:
            self._since = now
            self._look_at = now + self._settings.probe_after
        if line.kind is Kind.PROBE:
            self._probes += 1
        self._transmitted += 1
        self._output.append(line.wire)

    # Resending

    def resend(self, number: int, now: float) -> None:
        """The printer asks for line `number` again."""
        if not self.established:
            self._resend_oks += 1
            return
        window = self.window
        self._resends += 1
        self.alive(now)
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
        while self._hold_until is None and self.window.may_send_again:
            self._put(self.window.send_again(), now)

    def _break_stream(self, code: str, number: int, text: str) -> None:
        """Give the present stream up and put the numbering in order for what comes after it."""
        self.forget()
        self.window.next_number = 0
        self._queue.append((HELLO, Kind.HANDSHAKE, None))
        self._emit(StreamBroken(code, number, text))

    # Silence

    def _watch_silence(self, now: float) -> None:
        """The oldest line in flight has had no answer for a while: ask, report, and set the next
        look."""
        first = self.window.in_flight[0]
        patience = LONG_COMMAND_PATIENCE if first.takes_long else self._settings.probe_after
        patience *= PROBE_BACKOFF[min(self._probes, len(PROBE_BACKOFF) - 1)]
        asks_at = self._since + patience
        stalls_at = self._since + self._settings.stalled_after * (10 if first.takes_long else 1)
        if now >= asks_at and self._hold_until is None:
            if self.window.is_rewound:
                # The next of the lines that go out again is as good a question, room or no room.
                self._put(self.window.send_again(), now)
            elif self._probes < MAX_PROBES:
                self._probe(now)
            asks_at = now + patience * 4
        if now >= stalls_at and not self._stalled:
            self._stalled = True
            self._emit(Stalled(now - self._since))
        looks = [when for when in (asks_at, stalls_at) if when > now]
        self._look_at = min(looks) if looks else now + self._settings.stalled_after

    def _probe(self, now: float) -> None:
        """Ask whether the line in flight or its acknowledgement was lost."""
        self._put(self.window.send(b"M105", Kind.PROBE), now)
        self._asking = True

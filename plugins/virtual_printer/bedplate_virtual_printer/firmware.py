"""The firmware: bytes and the time in, bytes and the next deadline out.

A line off the wire is checked, put into a queue of four commands, and carried out in turn; its
ok goes out when it is done, or for a move when it is queued. Emergency commands act as soon as
they arrive, ahead of the queue. Behaves like Marlin 2.0.9.5 with EMERGENCY_PARSER, host actions,
prompts and auto-reports, and without an SD card.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from . import heating, motion, reports
from .faults import Switchboard
from .gcode_words import parse
from .machine import Handler, Machine, Steps
from .serial_line import Accepted, Rejected, SerialLine

QUEUE_SLOTS = 4
"""Commands that may wait (Marlin: BUFSIZE)."""

_EMERGENCY = re.compile(
    rb"(?:\A|(?<=[\r\n])) *(?:N[-\d ]*)?M *(108|112|410|876)([^\r\n]*)(?=[\r\n])"
)
_ANSWER = re.compile(rb" *S *\d")

_HANDLERS: dict[str, Handler] = {**motion.COMMANDS, **heating.COMMANDS, **reports.COMMANDS}


@dataclass(frozen=True, slots=True)
class Options:
    """How the printer is built.

    speed: factor on heating, moves and pauses; 0 makes them take no time. seed: of all chance.
    advanced_ok: say `ok N2 P15 B3` instead of `ok`. faults: name to probability.
    """

    speed: float = 1.0
    seed: int = 1
    advanced_ok: bool = False
    faults: Mapping[str, float] = field(default_factory=dict)


class Firmware:
    """A printer's program. Feed it with `receive`, let it work with `poll`, take what it says.

    `now` is any clock that counts seconds and never goes back.
    """

    def __init__(self, options: Options, now: float) -> None:
        if not 0 <= options.speed < math.inf:
            raise ValueError("speed must be 0 or more")
        self.options = options
        self.faults = Switchboard(options.faults, Random(f"{options.seed}/faults"))
        self.machine = Machine(speed=options.speed, seed=options.seed, now=now)
        self._accepted: list[bytes] = []
        self._begin()

    def _begin(self) -> None:
        self.dead = False
        """Halted by M112, or hung: nothing but a reboot helps."""
        self._line = SerialLine()
        self._arriving = b""
        self._queue: deque[Accepted] = deque()
        self._running: Steps | None = None
        self._look_at = math.inf
        self._busy_due = math.inf

    @property
    def last_number(self) -> int:
        """The last line number that was accepted."""
        return self._line.last_number

    @property
    def backlog(self) -> int:
        """Bytes received and not yet looked at."""
        return self._line.pending

    def reboot(self, cause: str = "PowerUp") -> None:
        """Start over: everything lost but the heat in the metal; the greeting names `cause`."""
        self.machine.power_up()
        self._begin()
        self.greet(cause)

    def greet(self, cause: str = "PowerUp") -> None:
        """Say what a board says when it starts. Marlin sends no ok with it."""
        for line in ("start", cause, *reports.GREETING):
            self.machine.say(line)

    def fall_silent(self) -> None:
        """Hang: never do or say anything again. The heaters stay as they are."""
        self.dead = True
        self._arriving = b""
        self._line.flush()
        self._queue.clear()

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes off the wire, and act on emergency commands among them at once."""
        self.machine.now = now
        if self.dead:
            return
        self._watch_for_emergency(data)
        if not self.dead:
            self._line.feed(data)

    def poll(self, now: float) -> None:
        """Do all that can be done at `now`."""
        machine = self.machine
        machine.now = now
        if self.dead:
            return
        while not self.dead:
            self._fill_queue()
            if self._running is not None:
                if not self._drive(self._running):
                    break
            elif self._queue:
                self._start(self._queue[0])
            else:
                break
        if not self.dead:
            self._report(now)

    def deadline(self) -> float:
        """When `poll` is due at the latest; infinity when only new input matters."""
        if self.dead:
            return math.inf
        machine = self.machine
        due = min(machine.temperature_due, machine.position_due)
        if self._running is not None:
            due = min(due, self._look_at, self._busy_due)
        return due

    def take_output(self) -> bytes:
        """What was said since the last call."""
        output = bytes(self.machine.output)
        self.machine.output.clear()
        return output

    def take_accepted(self) -> list[bytes]:
        """The commands accepted since the last call: no number, no checksum, no comment."""
        accepted, self._accepted = self._accepted, []
        return accepted

    # -- input ---------------------------------------------------------------------------------

    def _watch_for_emergency(self, data: bytes) -> None:
        arriving = self._arriving + data if self._arriving else data
        if b"M" in arriving:
            for match in _EMERGENCY.finditer(arriving):
                self._emergency(match.group(1), match.group(2))
                if self.dead:
                    return
        end = max(arriving.rfind(b"\n"), arriving.rfind(b"\r"))
        # The start of a line says what it is; of an endless line no more need be kept.
        self._arriving = arriving[end + 1 :][:128]

    def _emergency(self, code: bytes, rest: bytes) -> None:
        if code == b"112":
            self._accepted.append(b"M112")
            self._kill("echo:M112 Shutdown")
        elif code == b"410":
            self.machine.quick_stop()
        elif code == b"108" or _ANSWER.match(rest):
            self.machine.end_waits()

    def _kill(self, reason: str) -> None:
        self.machine.switch_heaters_off()
        self.machine.planner.stop(self.machine.now)
        for line in (reason, "Error:Printer halted. kill() called!", "//action:poweroff"):
            self.machine.say(line)
        self.fall_silent()

    def _fill_queue(self) -> None:
        while len(self._queue) < QUEUE_SLOTS:
            line = self._line.next_line()
            if line is None:
                return
            checked = self._line.check(self.faults.line(line))
            if isinstance(checked, Rejected):
                self._ask_again(checked.reason)
            else:
                self._accepted.append(checked.command)
                self._queue.append(checked)

    def _ask_again(self, reason: str) -> None:
        # At once, ahead of the oks of commands that still wait in the queue.
        last = self._line.last_number
        self.machine.say(f"Error:{reason}, Last Line: {last}")
        self._line.flush()
        self.machine.say(f"Resend: {last + 1}")
        self.machine.say("ok")

    # -- commands ------------------------------------------------------------------------------

    def _start(self, accepted: Accepted) -> None:
        if self.faults.command(self):
            return
        text = accepted.command.decode("latin-1")
        command = parse(text)
        machine = self.machine
        if command.name == "M105":
            self._finish(f"ok {machine.temperatures()}")
        elif command.name == "M999":
            self._line.flush()
            machine.say(f"Resend: {self.last_number + 1}")
            machine.say("ok")
            self._finish()
        elif (handler := _HANDLERS.get(command.name)) is None:
            machine.say(f'echo:Unknown command: "{text}"')
            self._finish()
        else:
            steps = handler(machine, command)
            if steps is None:
                self._finish()
            else:
                self._running = steps
                self._look_at = machine.now
                self._busy_due = self._next_busy()

    def _drive(self, steps: Steps) -> bool:
        """Let the running command go on; whether it came to its end."""
        try:
            self._look_at = next(steps)
        except StopIteration:
            self._running = None
            self._finish()
            return True
        return False

    def _finish(self, answer: str | None = None) -> None:
        accepted = self._queue[0]
        machine = self.machine
        if machine.set_line_number is not None:
            if accepted.number is None:  # a numbered M110 took effect when it was received
                self._line.last_number = machine.set_line_number
            machine.set_line_number = None
        ok = answer or (self._advanced_ok(accepted) if self.options.advanced_ok else "ok")
        machine.output += self.faults.ok(ok.encode() + b"\n")
        self._queue.popleft()

    def _advanced_ok(self, accepted: Accepted) -> str:
        number = "" if accepted.number is None else f"N{accepted.number} "
        planner = self.machine.planner.free(self.machine.now)
        # The command that is being answered still holds its place.
        return f"ok {number}P{planner} B{QUEUE_SLOTS - len(self._queue)}"

    # -- things that come by themselves --------------------------------------------------------

    def _next_busy(self) -> float:
        interval = self.machine.keepalive_interval
        return self.machine.now + interval if interval > 0 else math.inf

    def _report(self, now: float) -> None:
        machine = self.machine
        if self._running is not None and now >= self._busy_due:
            machine.say(f"echo:busy: {machine.busy_state}")
            self._busy_due = self._next_busy()
        if now >= machine.temperature_due:
            machine.say(f" {machine.temperatures()}")
            machine.temperature_due = now + machine.temperature_interval
        if now >= machine.position_due:
            machine.say(machine.whereabouts())
            machine.position_due = now + machine.position_interval

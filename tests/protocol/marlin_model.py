"""A small model of how Marlin takes lines off a serial port, to check a conversation against.

It knows nothing of the code under test, and of a printer only what matters for exactness: a
receive buffer that overflows, a queue of four commands, numbers and checksums, the flush after an
error, and oks that come when a command is done. What goes wrong is decided by chance, from one
seed.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Mapping
from functools import reduce
from operator import xor
from random import Random

QUEUE = 4
RECEIVE_BUFFER = 128
NUMBERED = re.compile(rb"N(\d+) (.*)\*(\d+)", re.DOTALL)
FAULTS = (
    "corrupt",
    "lose-ok",
    "double-ok",
    "bogus-resend",
    "busy",
    "noise",
    "late-ok",
    "lose-line",
)
NOISE = (
    b"echo: cold extrusion prevented",
    b"\xc2\x80",
    b"\xff\xfe\x00",
    b"",
    b"//action:notification still printing",
    b" T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0",
    b"X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:0 Y:0 Z:0",
)


class MarlinModel:
    """Has the five methods of a simulation's printer. `faults` gives each one's probability."""

    def __init__(self, seed: int, faults: Mapping[str, float], slowest: float = 0.02) -> None:
        unknown = set(faults) - set(FAULTS)
        assert not unknown, unknown
        self._dice = Random(seed)
        self._faults = faults
        self._slowest = slowest
        self._received = b""
        self._queue: deque[bytes] = deque()
        self._done_at = math.inf
        self._later: list[tuple[float, bytes]] = []
        self._output = b""
        self._accepted: list[bytes] = []
        self.last_number = 0

    def receive(self, data: bytes, now: float) -> None:
        if self._happens("lose-line"):
            return
        # What does not fit is lost. (Not half of it: in the halves of two lines on end, one in 256
        # has a checksum that fits, and no host can do anything about that.)
        if len(self._received) + len(data) <= RECEIVE_BUFFER:
            self._received += data

    def deadline(self) -> float:
        return min([self._done_at, *(when for when, _ in self._later)])

    def take_output(self) -> bytes:
        output, self._output = self._output, b""
        return output

    def take_accepted(self) -> list[bytes]:
        accepted, self._accepted = self._accepted, []
        return accepted

    def poll(self, now: float) -> None:
        self._say_late(now)
        if now >= self._done_at:
            self._done_at = math.inf
            self._finish(self._queue.popleft(), now)
        while len(self._queue) < QUEUE and b"\n" in self._received:
            line, self._received = self._received.split(b"\n", 1)
            self._take(self._damaged(line))
        if self._queue and self._done_at == math.inf:
            self._done_at = now + self._dice.uniform(0, self._slowest)

    def _happens(self, fault: str) -> bool:
        chance = self._faults.get(fault, 0)
        return chance > 0 and self._dice.random() < chance

    def _say(self, *lines: bytes) -> None:
        self._output += b"".join(line + b"\n" for line in lines)

    def _say_late(self, now: float) -> None:
        due = [text for when, text in self._later if when <= now]
        self._later = [item for item in self._later if item[0] > now]
        self._say(*due)

    def _damaged(self, line: bytes) -> bytes:
        if not line or not self._happens("corrupt"):
            return line
        at = self._dice.randrange(len(line))
        return line[:at] + bytes([line[at] ^ self._dice.choice((1, 2, 4, 8))]) + line[at + 1 :]

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        if match := NUMBERED.fullmatch(line):
            body = line[: line.rindex(b"*")]
            if reduce(xor, body, 0) != int(match[3]):
                self._ask_again("checksum mismatch")
                return
            number, command = int(match[1]), match[2]
            if command.startswith(b"M110"):
                number = int(command.split(b"N")[1])
            elif number != self.last_number + 1:
                self._ask_again("Line Number is not Last Line Number+1")
                return
            self.last_number = number
        else:
            # A real board would take some damaged lines for unnumbered commands; what it then does
            # no host can know, so this one refuses them.
            self._ask_again("No Checksum with line number")
            return
        self._accepted.append(command)
        self._queue.append(command)

    def _ask_again(self, reason: str) -> None:
        self._received = b""
        self._say(b"Error:%s, Last Line: %d" % (reason.encode(), self.last_number))
        self._say(b"Resend: %d" % (self.last_number + 1), b"ok")

    def _finish(self, command: bytes, now: float) -> None:
        if self._happens("bogus-resend"):
            number = self.last_number - self._dice.randrange(3)
            self._say(b"Resend: %d" % max(1, number), b"ok")
        if self._happens("noise"):
            self._say(self._dice.choice(NOISE))
        if self._happens("busy"):
            self._say(b"echo:busy: processing")
        ok = b"ok T:20.00 /0.00 B:20.00 /0.00 @:0 B@:0" if command == b"M105" else b"ok"
        if self._happens("lose-ok"):
            return
        if self._happens("late-ok"):
            self._later.append((now + self._dice.uniform(0, 0.3), ok))
            return
        self._say(ok)
        if self._happens("double-ok"):
            self._later.append((now + self._dice.uniform(0, 0.05), ok))

"""Two ways to talk to a printer: the firmware with a clock of one's own, and a real process."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from functools import reduce
from operator import xor
from pathlib import Path

from bedplate_virtual_printer.firmware import Firmware, Options

PLUGIN = Path(__file__).resolve().parent.parent
DEADLINE = 20.0
"""Seconds after which a test gives up on a process."""


class Console:
    """A firmware with a clock that only moves when told."""

    def __init__(self, options: Options | None = None) -> None:
        self.now = 0.0
        self.firmware = Firmware(options or Options(speed=0), self.now)

    def send(self, text: str) -> list[str]:
        """Send lines (a line end is added) and answer what comes at once."""
        self.firmware.receive(text.encode("latin-1") + b"\n", self.now)
        return self.wait(0.0)

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, stopping at each deadline of the firmware; what it says meanwhile."""
        until = self.now + seconds
        while True:
            self.firmware.poll(self.now)
            due = max(self.firmware.deadline(), self.now + 0.001)
            if due > until:
                break
            self.now = due
        self.now = until
        self.firmware.poll(until)
        return self.firmware.take_output().decode("latin-1").splitlines()

    def record(self) -> list[str]:
        return [command.decode("latin-1") for command in self.firmware.take_accepted()]


class Printer:
    """The virtual printer as a process, and its port as a host sees it."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bedplate_virtual_printer", *arguments],
            cwd=PLUGIN,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        announced = self.process.stdout.readline()
        assert announced.startswith("PTY /dev/"), announced
        self.path = announced.removeprefix("PTY ").rstrip("\n")
        self._port: int | None = None
        self._received = b""

    def open(self) -> None:
        self._port = os.open(self.path, os.O_RDWR | os.O_NOCTTY)

    def close(self) -> None:
        if self._port is not None:
            os.close(self._port)
            self._port = None
        self._received = b""

    def write(self, data: bytes) -> None:
        assert self._port is not None
        os.write(self._port, data)

    def read_until(self, end: str) -> list[str]:
        """Lines up to and with the first one that starts with `end`."""
        lines: list[str] = []
        until = time.monotonic() + DEADLINE
        while not (lines and lines[-1].startswith(end)):
            lines.append(self._read_line(until, lines))
        return lines

    def _read_line(self, until: float, so_far: list[str]) -> str:
        assert self._port is not None
        while b"\n" not in self._received:
            left = until - time.monotonic()
            ready, _, _ = select.select([self._port], [], [], max(left, 0.0))
            assert ready, f"no answer in time; so far: {so_far} {self._received!r}"
            self._received += os.read(self._port, 4096)
        line, self._received = self._received.split(b"\n", 1)
        return line.decode("latin-1")

    def command(self, text: str) -> list[str]:
        """Send a line; its answer up to the ok."""
        self.write(text.encode() + b"\n")
        return self.read_until("ok")

    def end(self) -> None:
        self.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def numbered(number: int, command: str) -> str:
    """`command` with line number and checksum."""
    line = f"N{number} {command}"
    return f"{line}*{reduce(xor, line.encode(), 0)}"

"""The board: a pseudo-terminal, clock, record, and the loop that joins them to the firmware.

One thread. The pty's slave is the printer's port; that nobody has it open shows on the master as
a hang-up, so the board notices when a host opens or closes the port. A visit between two looks
shows as a second hang-up.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import pty
import select
import termios
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from .firmware import Firmware

OnOpen = Literal["greet", "reset", "silent"]
"""What happens when a host opens the port again. The first time there is always a greeting."""

_LOOK_FOR_HOST = 0.02
"""Seconds between two looks whether a host has opened the port."""
_BOOT = 0.1
"""Seconds from the opening of the port to the greeting. Hosts clear the port's input right after
opening it; a real board boots longer than that takes, too."""
_READ = 4096
_MAX_BACKLOG = 1 << 16
"""Bytes that may wait in the firmware; then reading stops, as on a USB port."""
_MAX_UNSENT = 1 << 20
"""Bytes that may wait for a host that does not read; what is said beyond is lost."""
_LONGEST_SLEEP = 3600.0
"""Seconds; a `G4 S1e30` must not overflow the system call."""
_PATIENCE = 30.0
"""Seconds that a board which ends with its host waits for one."""


class BoardError(Exception):
    """The board can't be set up; the text says why."""


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """link: symbolic link to make to the port. record: file that takes each accepted command.

    on_open: what a host finds when it opens the port again. exit_on_close: end when the host
    closes the port, or when none has opened it within half a minute.
    """

    link: Path | None = None
    record: Path | None = None
    on_open: OnOpen = "greet"
    exit_on_close: bool = False


class Board:
    """A printer that can be opened at `path`. To be used as a context manager.

    Raises BoardError when the link or the record can't be made.
    """

    def __init__(
        self,
        make_firmware: Callable[[float], Firmware],
        options: BoardOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._clock = clock
        self._record: int | None = None
        self.firmware = make_firmware(clock())
        self._unsent = bytearray()
        self._opened_before = False
        self._open = False
        self._was_closed = False
        self._boots_at = 0.0
        self._gives_up_at = clock() + _PATIENCE if options.exit_on_close else math.inf
        self._master, slave = pty.openpty()
        self.path = os.ttyname(slave)
        tty.setraw(slave)  # stays so while the master is open, closed slave or not
        os.close(slave)
        os.set_blocking(self._master, False)
        self._poll = select.poll()
        self._interest = select.POLLIN
        self._poll.register(self._master, self._interest)
        # Edge-triggered: tells each hang-up once, the one of now included.
        self._hang_ups = select.epoll()
        self._hang_ups.register(self._master, select.EPOLLET)
        self._hang_ups.poll(0)
        try:
            self._make_record()
            self._make_link()
        except BoardError:
            self.close()
            raise

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unplug: the port and the link go away."""
        link = self._options.link
        if link is not None:
            with contextlib.suppress(OSError):
                if os.readlink(link) == self.path:
                    link.unlink()
        self._hang_ups.close()
        os.close(self._master)
        if self._record is not None:
            os.close(self._record)
            self._record = None

    def trigger(self, fault: str) -> None:
        """Let a fault of the table in `faults` strike once. Raises UnknownFault."""
        self.firmware.faults.trigger(fault)

    def run(self) -> None:
        """Work until the host closes the port (with `exit_on_close`) or an exception ends it."""
        while not self._finished():
            now = self._clock()
            if not self._open:
                self._wait_for_host(now)
            elif now < self._boots_at:
                time.sleep(self._boots_at - now)
                self._boot()
            else:
                self._serve(now)

    def _finished(self) -> bool:
        if not self._options.exit_on_close or self._open:
            return False
        return self._was_closed or self._clock() >= self._gives_up_at

    # -- the host's coming and going -----------------------------------------------------------

    def _wait_for_host(self, now: float) -> None:
        if self._hung_up():
            if self._hang_ups.poll(_LOOK_FOR_HOST):
                self._was_closed = True  # by a host that came and went since the last look
            self.firmware.poll(now)
            self._write_record()
            self.firmware.take_output()  # nobody is there to hear it
        else:
            self._open = True
            self._boots_at = now + _BOOT

    def _hung_up(self) -> bool:
        return any(events & select.POLLHUP for _, events in self._poll.poll(0))

    def _boot(self) -> None:
        on_open = self._options.on_open if self._opened_before else "reset"
        self._opened_before = True
        if on_open == "reset":
            self.firmware.reboot()
        elif on_open == "greet" and not self.firmware.dead:
            self.firmware.greet()
        self._write(self.firmware.take_output())

    def _close_seen(self) -> None:
        self._open = False
        self._was_closed = True
        self._unsent.clear()
        # What the host has not read must not meet the next one.
        with contextlib.suppress(OSError):
            slave = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                termios.tcflush(slave, termios.TCIFLUSH)
                tty.setraw(slave)
            finally:
                os.close(slave)
        self._hang_ups.poll(0)  # the host's and this one

    # -- the line ------------------------------------------------------------------------------

    def _serve(self, now: float) -> None:
        reading = self.firmware.backlog < _MAX_BACKLOG
        interest = (select.POLLIN if reading else 0) | (select.POLLOUT if self._unsent else 0)
        if interest != self._interest:
            self._poll.modify(self._master, interest)
            self._interest = interest
        due = self.firmware.deadline()
        timeout = None if due == math.inf else min(max(0.0, due - now), _LONGEST_SLEEP) * 1000
        for _, events in self._poll.poll(timeout):
            if events & select.POLLIN:
                self._read()
            elif events & select.POLLHUP:
                self._close_seen()
        self.firmware.poll(self._clock())
        # The record first: whoever sees an ok must find the command in it.
        self._write_record()
        self._write(self.firmware.take_output())

    def _read(self) -> None:
        try:
            data = os.read(self._master, _READ)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._close_seen()  # what Linux answers when the slave was closed
            return
        self.firmware.receive(data, self._clock())

    def _write(self, output: bytes) -> None:
        if not self._open:
            return
        if len(self._unsent) < _MAX_UNSENT:
            self._unsent += output
        if not self._unsent:
            return
        try:
            written = os.write(self._master, self._unsent)
        except BlockingIOError:
            return
        del self._unsent[:written]

    # -- link and record -----------------------------------------------------------------------

    def _make_record(self) -> None:
        if self._options.record is None:
            return
        try:
            self._record = os.open(
                self._options.record, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644
            )
        except OSError as error:
            raise BoardError(f"can't write the record: {error}") from error

    def _write_record(self) -> None:
        accepted = self.firmware.take_accepted()
        if accepted and self._record is not None:
            os.write(self._record, b"\n".join(accepted) + b"\n")

    def _make_link(self) -> None:
        link = self._options.link
        if link is None:
            return
        try:
            if link.is_symlink():
                link.unlink()
            link.symlink_to(self.path)
        except OSError as error:
            raise BoardError(f"can't make the link: {error}") from error

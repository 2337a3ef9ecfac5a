"""The link: its parts put together, its loop, and what it keeps on disk.

One thread, no locks. Each turn waits for the port, the socket or the next deadline; lines are
streamed where the port's bytes arrive (`bedplate.link.line`), and everything that can wait is done
in the housekeeping, four times a second.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import msgspec

from bedplate.durable import remove_unfinished, write_atomically
from bedplate.link import log
from bedplate.link.channel import Connection
from bedplate.link.host_side import HostSide
from bedplate.link.job import Job
from bedplate.link.line import SerialLine
from bedplate.link.poller import Poller
from bedplate.link.serial_log import SerialLog
from bedplate.link.terminal import Readers, Terminal
from bedplate.messages import commands
from bedplate.messages.checkpoint import checkpoint_of
from bedplate.messages.frames import PROTOCOL_VERSION, LinkOptions, LinkRecord
from bedplate.messages.snapshot import LinkSnapshot, Problem
from bedplate.protocol.events import ConversationEvent

HOUSEKEEPING = 0.25
"""Seconds between looks at everything that is not urgent: telemetry, terminal, polling."""
CHECKPOINT_EVERY = 2.0
"""Seconds between checkpoints of a running job."""
LAST_WORDS = 3.0
"""Seconds that a link which is ended in a job takes to switch the heaters off."""
FAULTS_IN_A_ROW = 20
"""Unexpected exceptions of the loop, one right after the other, before the link gives up."""


class Link:
    """One printer's link, from its start to its end.

    `obey` carries out a command of the host, `handle` an event of the conversation: the tables of
    `bedplate.link.handlers`, which reach the parts as `host` and `line`.
    """

    def __init__(
        self,
        options: LinkOptions,
        *,
        obey: Callable[[Link, Connection, commands.AnyCommand, float], None],
        handle: Callable[[Link, ConversationEvent, float], None],
    ) -> None:
        self._obey = obey
        self._options = options
        directory = Path(options.directory)
        self._link_file = directory / "link.json"
        self._checkpoint_file = directory / "checkpoint.json"
        now = time.monotonic()
        self._wall_offset = time.time() - now
        self._poller = Poller()
        self.terminal = Terminal(self.unix_time)
        self._readers = Readers(self.terminal)
        self._serial_log = SerialLog(Path(options.serial_log))
        self.host = HostSide(
            options,
            self._poller,
            self.terminal,
            self._readers,
            now=now,
            carry_out=self._carry_out,
            snapshot=self._snapshot,
        )
        self.line = SerialLine(
            self._poller,
            self.terminal,
            emit=self.host.emit,
            handle=lambda event, now: handle(self, event, now),
            changed=self.host.changed,
        )
        self._job_on_disk: Job | None = None
        self._housekeeping_at = now
        self._checkpoint_at = now
        self._ended = False

    # Life

    def run(self) -> None:
        """Serve until told to end, or until nobody has been interested for long enough."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for path in (self._link_file, self._checkpoint_file):
            remove_unfinished(path)
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
        job = self.line.job
        if job is not None and job.is_active:
            problem = Problem(
                code="link_ended",
                text="The process that drives the printer was ended.",
                hint="Print the file again.",
            )
            job.fail(now, problem)
            self._say_last_words(now)
        self.line.close()
        self._readers.hand_out()
        self.host.send_snapshot(now)
        self._checkpoint(now, durable=True)
        self.host.outbox.store_pending()
        self._link_file.unlink(missing_ok=True)
        self.host.close()
        log.write("ended")

    def _say_last_words(self, now: float) -> None:
        """Let what is queued go out: the script that makes the printer safe."""
        self.line.pump(now)
        until = now + LAST_WORDS
        while (
            now < until and self.line.conversation is not None and not self.line.conversation.idle
        ):
            self._turn()
            now = time.monotonic()

    # The loop

    def _turn(self) -> None:
        """Wait for what comes next, and do it."""
        due = self._housekeeping_at
        conversation = self.line.conversation
        if conversation is not None:
            deadline = conversation.deadline()
            if deadline is not None and deadline < due:
                due = deadline
        now = self._poller.turn(due)
        if now >= due:
            self.line.tick(now)
            if now >= self._housekeeping_at:
                self._housekeeping_at = now + HOUSEKEEPING
                self._keep_house(now)
        if self.host.has_news:
            self.host.send_snapshot(now)

    def _keep_house(self, now: float) -> None:
        """Everything that can wait a quarter of a second."""
        self._wall_offset = time.time() - now
        self.line.ask_for_temperatures(now)
        self._readers.hand_out()
        self._keep_job(now)
        self.host.keep_house(now)
        if not self.line.in_job and self.host.is_lonely_for_too_long(now):
            log.write(f"no host has asked for this link for {self.host.lonely_for(now):.0f} s")
            self.end()

    # What the handlers ask

    def _carry_out(self, connection: Connection, command: commands.AnyCommand, now: float) -> None:
        """Do what a command says, and what follows from it. Raises BedplateError where it can't
        be."""
        try:
            self._obey(self, connection, command, now)
        finally:
            self.line.proceed(now)

    def _snapshot(self, now: float) -> LinkSnapshot:
        return self.line.snapshot(now)

    def connect(self, command: commands.Connect, now: float) -> None:
        """Open a port. Raises PortError."""
        self.line.open(command)
        if command.settings.serial_log:
            self._readers.join(self._serial_log.write)
        else:
            self._readers.hand_out()
            self._readers.leave(self._serial_log.write)
        try:
            self._write_link_file()
        except OSError as error:
            log.write(f"the port could not be noted in {self._link_file.name}: {error}")
        self.line.note(now, f"Opened {command.target} at {self.line.baudrate} baud.")

    def unix_time(self, now: float) -> float:
        """The time of day, in Unix seconds, that the loop's `now` stands for."""
        return now + self._wall_offset

    # What is kept on disk

    def _write_link_file(self) -> None:
        content = LinkRecord(
            pid=os.getpid(),
            socket=self._options.socket,
            protocol=PROTOCOL_VERSION,
            port=self.line.port,
        )
        write_atomically(self._link_file, msgspec.json.encode(content), sync=False)

    def _keep_job(self, now: float) -> None:
        """The checkpoint of a running job, and the outcome of one that ended, on disk."""
        job = self.line.job
        if job is None or job is self._job_on_disk:
            return
        self.host.changed()
        if job.is_active:
            if now >= self._checkpoint_at:
                self._checkpoint(now)
            return
        self._checkpoint(now, durable=True)
        self._job_on_disk = job
        self.host.job_ended(now)

    def _checkpoint(self, now: float, *, durable: bool = False) -> None:
        self._checkpoint_at = now + CHECKPOINT_EVERY
        job = self.line.job
        if job is None:
            return
        checkpoint = checkpoint_of(self.line.snapshot(now), job.source, time.time())
        if checkpoint is None:
            return
        content = msgspec.json.encode(checkpoint)
        try:
            # Waiting for the disk may take a second on a memory card: not while lines are streamed.
            write_atomically(self._checkpoint_file, content, sync=durable)
        except OSError as error:
            log.write(f"the checkpoint could not be written: {error}")

"""The link of one printer as the host has it: started or found, listened to, asked, ended, lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from bedplate.bus import EventBus
from bedplate.errors import ConflictError, LinkError, StorageFullError, UnavailableError
from bedplate.journal import Journal
from bedplate.messages import commands
from bedplate.messages.codec import CodecError, decode_payload
from bedplate.messages.events import LinkLost, PrintFailed
from bedplate.messages.frames import AnyFrame, EventFrame, SnapshotFrame, TerminalFrame
from bedplate.messages.snapshot import JobSnapshot, LinkSnapshot, Problem
from bedplate.messages.states import ACTIVE_JOB_STATES, ConnectionState, JobState, Outcome
from bedplate.printers import leftovers
from bedplate.printers.client import LinkClient
from bedplate.printers.supervisor import LinkProcess

log = logging.getLogger(__name__)

LINK_UNREACHABLE = Problem(
    code="link_unreachable",
    text="The process that drives the printer can't be taken over by this host.",
    hint="It goes on by itself. `bedplate estop` stops the printer; the host's log says more.",
)
LINK_LOST = Problem(
    code="link_lost",
    text="The process that drives the printer ended unexpectedly.",
    hint="Look at the printer, then connect again. The print does not go on by itself.",
)


class LinkSession:
    """What the host has of a printer's link, whether one is there or not.

    `directory` is the printer's own. The link's events go to the bus from here; `on_change` is
    called when `snapshot`, `pid` or `problem` is new, `on_terminal` with terminal lines.
    """

    def __init__(
        self,
        printer: str,
        process: LinkProcess,
        directory: Path,
        bus: EventBus,
        journal: Journal,
        *,
        on_change: Callable[[], None],
        on_terminal: Callable[[TerminalFrame], None],
    ) -> None:
        self.snapshot = LinkSnapshot()
        """What the link told last; without a link, the last job alone."""
        self.pid: int | None = None
        """Process id of the link, None without one."""
        self.problem: Problem | None = None
        """What is wrong with the link itself."""
        self._printer = printer
        self._process = process
        self._directory = directory
        self._bus = bus
        self._journal = journal
        self._on_change = on_change
        self._on_terminal = on_terminal
        self._client: LinkClient | None = None
        self._client_lock = asyncio.Lock()
        self._name = ""
        self._watching = False
        self._incoming: deque[EventFrame] = deque()
        """Events of the link that are not in the journal yet, as the disk is full."""

    @property
    def is_attached(self) -> bool:
        """Whether there is a link to ask."""
        return self._client is not None

    @property
    def job(self) -> JobSnapshot | None:
        """The running job, None where none owns the printer."""
        job = self.snapshot.job
        return job if job is not None and job.state in ACTIVE_JOB_STATES else None

    # Life

    async def open(self) -> None:
        """Take over a link that is there, or find out what the last one left."""
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._process.find()
        if path is not None:
            try:
                await self._attach(path)
                return
            except (OSError, LinkError) as error:
                log.warning("printer %s: its link can't be taken over: %s", self._printer, error)
        if self._process.is_running():
            self.problem = LINK_UNREACHABLE
            self._on_change()
            return
        self._take_leftovers()

    async def connect(self, command: commands.Connect) -> None:
        """Let the link open a port; one is started where there is none. Raises LinkError."""
        self.problem = None
        async with self._client_lock:
            client = self._client or await self._attach(await self._process.start())
        await client.request(command)

    async def end(self) -> None:
        """End a link that nothing is asked of, so that it takes no memory; its problem goes too."""
        client = self._client
        if client is None:
            self.problem = None
            self._on_change()
            return
        try:
            # First the port: the event of it is to be acknowledged while the link is there.
            await client.request(commands.Disconnect())
            await client.request(commands.Shutdown())
        except LinkError as error:
            log.info("printer %s: its link did not end when told: %s", self._printer, error)
            return
        await client.close()
        self._forget(LinkSnapshot(job=self.snapshot.job))
        await self._process.ended()

    async def close(self) -> None:
        """Let go: a link without a job is ended, one with a job goes on printing."""
        if self._client is None:
            return
        if self.job is not None:
            log.warning("printer %s goes on printing without this host", self._printer)
        else:
            await self.end()
        if self._client is not None:
            await self._client.close()
            self._client = None

    # Asking

    async def request(self, command: commands.AnyCommand) -> None:
        """Let the link carry out a command. Raises ConflictError without a link, LinkError."""
        if self._client is None:
            raise ConflictError("The printer is not connected. Connect it first.")
        await self._client.request(command)

    def watch_terminal(self, on: bool) -> None:
        """Ask for the terminal's lines or no more, now and of every later link."""
        self._watching = on
        if self._client is not None:
            # Where the link is gone, its end is noticed and told elsewhere.
            with contextlib.suppress(LinkError):
                self._client.tell(commands.WatchTerminal(on=on))

    # The connection to it

    async def _attach(self, path: str) -> LinkClient:
        client = await LinkClient.connect(path, self._on_frame, self._on_closed)
        self._client = client

        def acknowledged(name: str) -> int:
            self._name = name
            self._incoming.clear()  # they come again
            return self._journal.link_acknowledged(self._printer, name)

        try:
            hello = await client.attach(lambda hello: acknowledged(hello.link))
        except (OSError, LinkError):
            self._client = None
            await client.close()
            raise
        self.pid = hello.pid
        if self._watching:
            self.watch_terminal(True)
        self._on_change()
        return client

    def _forget(self, left: LinkSnapshot) -> None:
        self._client = None
        self.pid = None
        self.snapshot = left
        self._process.reap()
        self._on_change()

    def _on_closed(self) -> None:
        """The link is gone, and nobody asked it to go."""
        job = self.job
        orderly = job is None and self.snapshot.state is ConnectionState.CLOSED
        ended = None if job is None else _failed(job, LINK_LOST)
        if not orderly:
            log.error("printer %s: its link ended unexpectedly", self._printer)
            self.problem = LINK_LOST
        self._forget(LinkSnapshot(job=ended or self.snapshot.job))
        if not orderly:
            self._bus.publish(
                LinkLost(reason=LINK_LOST.text, job=None if job is None else job.id), self._printer
            )
        if ended is not None:
            self._publish_failure(ended)
            leftovers.interrupted_job(self._directory)  # told: not again at the next start

    # What it says

    def _on_frame(self, frame: AnyFrame) -> None:
        if isinstance(frame, SnapshotFrame):
            # A new link knows nothing of the last print; people want to see how it ended.
            job = frame.snapshot.job or self.snapshot.job
            self.snapshot = msgspec.structs.replace(frame.snapshot, job=job)
            self._on_change()
        elif isinstance(frame, EventFrame):
            self._incoming.append(frame)
        elif isinstance(frame, TerminalFrame):
            self._on_terminal(frame)
        while self._incoming and self._store(self._incoming[0]):
            self._incoming.popleft()

    def _store(self, frame: EventFrame) -> bool:
        """Put an event of the link into the journal, then let the link forget it.

        False: the disk is full; the event waits here, and those behind it, until the next frame.
        """
        try:
            self._publish(self._name, frame)
        except (StorageFullError, UnavailableError) as error:
            log.error("printer %s: event %s waits: %s", self._printer, frame.event, error)
            return False
        if self._client is not None:
            # Where the link is gone, it will be sent again, and known by its number.
            with contextlib.suppress(LinkError):
                self._client.tell(commands.Acknowledge(seq=frame.seq))
        return True

    def _publish(self, link: str, frame: EventFrame) -> None:
        event = decode_payload(frame.event, frame.payload)
        self._bus.publish_from_link(self._printer, link, frame.seq, frame.id, frame.time, event)

    # What it left

    def _take_leftovers(self) -> None:
        """Events and a job's end that nobody has heard of yet."""
        for path, link, frames in leftovers.stored_events(self._directory):
            try:
                for frame in frames:
                    self._publish(link, frame)
            except (StorageFullError, UnavailableError) as error:
                log.error("printer %s: stored events stay on disk: %s", self._printer, error)
                return
            except CodecError as error:
                log.error("printer %s: a stored event can't be read: %s", self._printer, error)
            path.unlink(missing_ok=True)
        last = leftovers.last_job(self._directory)
        interrupted = leftovers.interrupted_job(self._directory)
        self.snapshot = LinkSnapshot(job=interrupted or last)
        self._on_change()
        if interrupted is not None:
            self._publish_failure(interrupted)

    def _publish_failure(self, job: JobSnapshot) -> None:
        problem = job.problem or LINK_LOST
        self._bus.publish(
            PrintFailed(
                file=job.file,
                job=job.id,
                time=job.elapsed,
                reason=problem.code,
                error=f"{problem.text} It stopped at line {job.line + 1} of the file.",
                offset=job.offset,
                line=job.line,
            ),
            self._printer,
        )


def _failed(job: JobSnapshot, problem: Problem) -> JobSnapshot:
    return msgspec.structs.replace(
        job, state=JobState.IDLE, outcome=Outcome.FAILED, problem=problem
    )

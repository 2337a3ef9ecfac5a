"""One printer on the host's side: what clients ask of it, and what they see of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from bedplate.bus import EventBus, SnapshotChanged, Subscription, TemperatureSample, TerminalLines
from bedplate.config.schema import PrinterSettings
from bedplate.errors import (
    ConflictError,
    LinkError,
    NotFoundError,
    PortError,
    StorageFullError,
    UnavailableError,
)
from bedplate.files.library import Library
from bedplate.gcode.records import Analysis
from bedplate.journal import Journal
from bedplate.messages import commands
from bedplate.messages.codec import CodecError, decode_payload
from bedplate.messages.events import FileAnalysed, FileRemoved, LinkLost, PrintFailed
from bedplate.messages.frames import (
    AnyFrame,
    EventFrame,
    SnapshotFrame,
    TerminalFrame,
    TerminalLine,
)
from bedplate.messages.printer import PrinterSnapshot
from bedplate.messages.snapshot import (
    FileRef,
    JobSnapshot,
    LinkSnapshot,
    Problem,
    Temperatures,
)
from bedplate.messages.states import ACTIVE_JOB_STATES, ConnectionState, JobState, Outcome
from bedplate.plugin import Port
from bedplate.printers import leftovers, moves, scripts
from bedplate.printers.client import LinkClient
from bedplate.printers.ports import PortInfo, is_target, machine_ports
from bedplate.printers.supervisor import LinkProcess
from bedplate.printers.view import view

log = logging.getLogger(__name__)

HISTORY = 1800
"""Temperature reports kept: half an hour of one each second."""
TERMINAL_LINES = 500
"""Terminal lines kept while somebody reads them."""
AUTO = "AUTO"
"""The port's name where it is to be found by itself."""
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


class PluginPorts(Protocol):
    """Where the ports of plugins come from."""

    def ports(self, printer_id: str) -> Awaitable[Sequence[tuple[str, Port]]]:
        """Plugin id and port, for each."""


class Printer:
    """A printer. All methods run on the host's loop."""

    def __init__(
        self,
        id: str,
        settings: PrinterSettings,
        *,
        process: LinkProcess,
        directory: Path,
        bus: EventBus,
        journal: Journal,
        library: Library,
        plugins: PluginPorts,
    ) -> None:
        self.id = id
        self.settings = settings
        self.selected: FileRef | None = None
        self._process = process
        self._directory = directory
        self._bus = bus
        self._journal = journal
        self._library = library
        self._plugins = plugins
        self._client: LinkClient | None = None
        self._client_lock = asyncio.Lock()
        self._link_name = ""
        self._link_pid: int | None = None
        self._link = LinkSnapshot()
        self._incoming: deque[EventFrame] = deque()
        """Events of the link that are not in the journal yet, as the disk is full."""
        self._problem: Problem | None = None
        self._analysis: Analysis | None = None
        self._analysis_of: str | None = None
        self._history: deque[Temperatures] = deque(maxlen=HISTORY)
        self._terminal: deque[TerminalLine] = deque(maxlen=TERMINAL_LINES)
        self._watchers = 0
        self._subscription: Subscription | None = None
        self._snapshot = self._view()

    # What clients see

    @property
    def name(self) -> str:
        """The name that people gave it."""
        return self.settings.name

    @property
    def snapshot(self) -> PrinterSnapshot:
        """The newest state."""
        return self._snapshot

    @property
    def history(self) -> Sequence[Temperatures]:
        """Temperature reports, oldest first."""
        return self._history

    @property
    def terminal(self) -> Sequence[TerminalLine]:
        """Terminal lines since somebody reads them, oldest first."""
        return self._terminal

    @property
    def is_operational(self) -> bool:
        """Whether it takes commands."""
        return self._link.state is ConnectionState.OPERATIONAL

    @property
    def is_active(self) -> bool:
        """Whether a job owns it."""
        return self._link.job is not None and self._link.job.state in ACTIVE_JOB_STATES

    @property
    def printing(self) -> str | None:
        """Path of the file that the running job prints."""
        return self._link.job.file.path if self._link.job is not None and self.is_active else None

    # Life

    async def open(self) -> None:
        """Find out what went on while no host was there, and take over a link that is."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._subscription = self._bus.subscribe(
            f"printer {self.id}", self._on_file_event, events=(FileRemoved, FileAnalysed)
        )
        path = self._process.find()
        if path is not None:
            try:
                await self._attach(path)
                return
            except (OSError, LinkError) as error:
                log.warning("printer %s: its link can't be taken over: %s", self.id, error)
        if self._process.is_running():
            self._problem = LINK_UNREACHABLE
            self._refresh()
            return
        self._take_leftovers()

    async def close(self) -> None:
        """Let go: a link without a job is ended, one with a job goes on printing."""
        if self._subscription is not None:
            self._subscription.close()
        if self._client is None:
            return
        if self.is_active:
            log.warning("printer %s goes on printing without this host", self.id)
        else:
            await self._end_link()
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def list_ports(self) -> list[PortInfo]:
        """Ports to choose from: the machine's, then those of plugins."""
        found = await asyncio.to_thread(machine_ports)
        offered = await self._plugins.ports(self.id)
        return found + [PortInfo(port.name, port.label) for _, port in offered]

    # The connection

    async def connect(self, port: str | None = None, baudrate: int | None = None) -> None:
        """Connect; returns once the port is open. Without a port: the one in the settings.

        Raises PortError (unknown, busy, forbidden), ConflictError while a job runs.
        """
        if self.is_active:
            raise ConflictError("A job is running. Cancel it before you connect anew.")
        name = port or self.settings.port or AUTO
        target = await self._resolve(name)
        rate = self.settings.baudrate if baudrate is None else baudrate
        self._problem = None
        client = await self._ensure_link()
        shown = target if name == AUTO else name
        await client.request(
            commands.Connect(port=shown, target=target, baudrate=rate, settings=self.settings.line)
        )

    async def _resolve(self, name: str) -> str:
        """What to open for a port's name."""
        if name == AUTO:
            found = await asyncio.to_thread(machine_ports)
            if not found:
                raise PortError(
                    "No serial port was found. Is the printer plugged in and switched on?"
                )
            return found[0].name
        for _, offered in await self._plugins.ports(self.id):
            if offered.name == name:
                return await asyncio.to_thread(offered.open)
        if not is_target(name):
            raise PortError(f"There is no port {name}. Choose one of the list.")
        return name

    async def disconnect(self) -> None:
        """Close the port. Raises ConflictError while a job runs."""
        if self._client is None:
            self._problem = None
            self._refresh()
            return
        if self.is_active:
            raise ConflictError("A job is running. Cancel it before you disconnect.")
        await self._end_link()

    # G-code

    async def send(self, gcode: list[str], origin: str) -> None:
        """Send commands ahead of a job's own lines. M112 among them stops at once."""
        await self._request(commands.SendGcode(commands=gcode, origin=origin))

    async def emergency_stop(self) -> None:
        """M112 at once, whatever the state. Raises ConflictError where nothing is connected."""
        await self._request(commands.EmergencyStop())

    async def set_targets(self, targets: dict[str, float]) -> None:
        """Set temperatures in °C by heater name, without waiting for them."""
        await self.send(moves.targets(targets, self.settings.extruders), "control")

    async def jog(
        self,
        *,
        x: float | None = None,
        y: float | None = None,
        z: float | None = None,
        absolute: bool = False,
        speed: float | None = None,
    ) -> None:
        """Move the head by (or to) these mm, at `speed` mm/min. Raises ConflictError in a job."""
        self._refuse_in_job("move")
        wanted = {"x": x, "y": y, "z": z}
        distances = {axis: value for axis, value in wanted.items() if value is not None}
        speeds = self.settings.speeds
        slowest = min(getattr(speeds, axis) for axis in distances)
        await self.send(moves.jog(distances, speed or slowest, absolute=absolute), "control")

    async def home(self, axes: list[str]) -> None:
        """Home axes. Raises ConflictError in a job."""
        self._refuse_in_job("home")
        await self.send(moves.home(axes), "control")

    async def extrude(self, amount: float, speed: float | None = None) -> None:
        """Push (or pull) filament, in mm and mm/min. Raises ConflictError in a job."""
        self._refuse_in_job("extrude")
        await self.send(moves.extrude(amount, speed or self.settings.speeds.e), "control")

    async def feed_rate(self, percent: float) -> None:
        """Feed rate factor (M220)."""
        await self.send([f"M220 S{moves.number(percent)}"], "control")

    async def flow_rate(self, percent: float) -> None:
        """Flow factor (M221)."""
        await self.send([f"M221 S{moves.number(percent)}"], "control")

    async def select_tool(self, tool: int) -> None:
        """Select an extruder. Raises ConflictError in a job."""
        self._refuse_in_job("change the tool")
        if tool >= self.settings.extruders:
            raise NotFoundError(f"There is no tool{tool}.")
        await self.send([f"T{tool}"], "control")

    def _refuse_in_job(self, what: str) -> None:
        if self.is_active:
            raise ConflictError(f"You can't {what} while a job is running. Pause or cancel it.")

    # Jobs

    def select(self, path: str | None) -> None:
        """Choose the file that `start` prints. Raises NotFoundError, ConflictError in a job."""
        if self.is_active:
            raise ConflictError("A job is running. Another file can be chosen after it.")
        if path is None:
            self.selected = None
        else:
            entry = self._library.file(path)
            self.selected = FileRef(path=entry.path, origin="local", size=entry.size)
        self._refresh()

    async def start(self, path: str | None = None, user: str | None = None) -> None:
        """Print a file, or the chosen one. Raises NotFoundError, ConflictError."""
        if not self.is_operational:
            raise ConflictError("The printer is not connected. Connect it first.")
        if self.is_active:
            raise ConflictError("A job is running already.")
        if path is not None:
            self.select(path)
        if self.selected is None:
            raise ConflictError("No file is chosen.")
        selected = self.selected
        analysis = self._library.analysis(selected.path)
        await self._request(
            commands.StartJob(
                job=str(uuid.uuid4()),
                file=selected,
                source=str(self._library.local_path(selected.path)),
                layers=_marks(analysis),
                scripts=scripts.render(self.settings, selected.path),
                progress_marks=list(self.settings.progress_marks),
                user=user,
            )
        )

    async def pause(self) -> None:
        """Pause the job. Raises ConflictError unless it prints."""
        await self._request(commands.PauseJob())

    async def resume(self) -> None:
        """Resume the job. Raises ConflictError unless it is paused."""
        await self._request(commands.ResumeJob())

    async def cancel(self) -> None:
        """Cancel the job. Raises ConflictError where there is none."""
        await self._request(commands.CancelJob())

    # The terminal

    def watch_terminal(self) -> Callable[[], None]:
        """Somebody reads the terminal from now on; call the result when they stop."""
        self._watchers += 1
        if self._watchers == 1:
            self._terminal.clear()
            self._tell_watching()
        stopped = False

        def stop() -> None:
            nonlocal stopped
            if not stopped:
                stopped = True
                self._watchers -= 1
                if not self._watchers:
                    self._tell_watching()

        return stop

    def _tell_watching(self) -> None:
        if self._client is not None:
            try:
                self._client.tell(commands.WatchTerminal(on=self._watchers > 0))
            except LinkError:
                return  # its end is noticed and told elsewhere

    # The link

    async def _request(self, command: commands.AnyCommand) -> None:
        if self._client is None:
            raise ConflictError("The printer is not connected. Connect it first.")
        await self._client.request(command)

    async def _ensure_link(self) -> LinkClient:
        async with self._client_lock:
            if self._client is not None:
                return self._client
            return await self._attach(await self._process.start())

    async def _attach(self, path: str) -> LinkClient:
        client = await LinkClient.connect(path, self._on_frame, self._on_link_closed)
        self._client = client

        def acknowledged(name: str) -> int:
            self._link_name = name
            self._incoming.clear()  # they come again
            return self._journal.link_acknowledged(self.id, name)

        try:
            hello = await client.attach(lambda hello: acknowledged(hello.link))
        except (OSError, LinkError):
            self._client = None
            await client.close()
            raise
        self._link_pid = hello.pid
        if self._watchers:
            self._tell_watching()
        self._refresh()
        return client

    async def _end_link(self) -> None:
        """End a link that nothing is asked of, so that it takes no memory."""
        client = self._client
        if client is None:
            return
        try:
            # First the port: the event of it is to be acknowledged while the link is there.
            await client.request(commands.Disconnect())
            await client.request(commands.Shutdown())
        except LinkError as error:
            log.info("printer %s: its link did not end when told: %s", self.id, error)
            return
        await client.close()
        self._forget_link(LinkSnapshot(job=self._link.job))
        await self._process.ended()

    def _forget_link(self, left: LinkSnapshot) -> None:
        self._client = None
        self._link_pid = None
        self._link = left
        self._process.reap()
        self._refresh()

    def _on_frame(self, frame: AnyFrame) -> None:
        if isinstance(frame, SnapshotFrame):
            self._take_snapshot(frame.snapshot)
        elif isinstance(frame, EventFrame):
            self._incoming.append(frame)
        elif isinstance(frame, TerminalFrame):
            self._terminal.extend(frame.lines)
            self._bus.telemetry(TerminalLines(self.id, frame.lines, frame.skipped))
        while self._incoming and self._store(self._incoming[0]):
            self._incoming.popleft()

    def _store(self, frame: EventFrame) -> bool:
        """Put an event of the link into the journal, then let the link forget it.

        False: the disk is full; the event waits here, and those behind it, until the next frame.
        """
        try:
            self._take_event(self._link_name, frame)
        except (StorageFullError, UnavailableError) as error:
            log.error("printer %s: event %s waits: %s", self.id, frame.event, error)
            return False
        if self._client is not None:
            # Where the link is gone, it will be sent again, and known by its number.
            with contextlib.suppress(LinkError):
                self._client.tell(commands.Acknowledge(seq=frame.seq))
        return True

    def _take_event(self, link: str, frame: EventFrame) -> None:
        event = decode_payload(frame.event, frame.payload)
        self._bus.publish_from_link(self.id, link, frame.seq, frame.id, frame.time, event)

    def _take_snapshot(self, snapshot: LinkSnapshot) -> None:
        before, self._link = self._link, snapshot
        if snapshot.job is not None:
            self._know_file(snapshot.job)
            if snapshot.job.outcome is None:
                self.selected = snapshot.job.file
        if snapshot.temperatures is not None and snapshot.temperatures != before.temperatures:
            self._history.append(snapshot.temperatures)
            self._bus.telemetry(TemperatureSample(self.id, snapshot.temperatures))
        self._refresh()

    def _on_link_closed(self) -> None:
        """The link is gone, and nobody asked it to go."""
        job = self._link.job if self.is_active else None
        orderly = job is None and self._link.state is ConnectionState.CLOSED
        ended = None if job is None else _failed(job, LINK_LOST)
        if not orderly:
            log.error("printer %s: its link ended unexpectedly", self.id)
            self._problem = LINK_LOST
        self._forget_link(LinkSnapshot(job=ended or self._link.job))
        if not orderly:
            self._bus.publish(
                LinkLost(reason=LINK_LOST.text, job=None if job is None else job.id), self.id
            )
        if ended is not None:
            self._publish_failure(ended)
            leftovers.interrupted_job(self._directory)  # told: not again at the next start

    def _take_leftovers(self) -> None:
        """Events and a job's end that nobody has heard of yet."""
        for path, link, frames in leftovers.stored_events(self._directory):
            try:
                for frame in frames:
                    self._take_event(link, frame)
            except (StorageFullError, UnavailableError) as error:
                log.error("printer %s: stored events stay on disk: %s", self.id, error)
                return
            except CodecError as error:
                log.error("printer %s: a stored event can't be read: %s", self.id, error)
            path.unlink(missing_ok=True)
        interrupted = leftovers.interrupted_job(self._directory)
        if interrupted is not None:
            self._link = LinkSnapshot(job=interrupted.job)
            self._know_file(interrupted.job)
            self._refresh()
            self._publish_failure(interrupted.job)

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
            self.id,
        )

    # Files

    def _know_file(self, job: JobSnapshot) -> None:
        """Keep the analysis of the job's file at hand."""
        if self._analysis_of != job.id:
            self._analysis_of = job.id
            self._analysis = self._analysis_or_none(job.file.path)

    def _analysis_or_none(self, path: str) -> Analysis | None:
        try:
            return self._library.analysis(path)
        except NotFoundError:
            return None

    async def _on_file_event(self, envelope: object) -> None:
        event = getattr(envelope, "payload", None)
        if isinstance(event, FileRemoved):
            selected = self.selected
            if selected is not None and selected.path == event.path and not self.is_active:
                self.selected = None
                self._refresh()
        elif isinstance(event, FileAnalysed) and event.ok and event.path == self.printing:
            job = self._link.job
            self._analysis = self._analysis_or_none(event.path)
            if self._client is not None and job is not None:
                await self._client.request(
                    commands.SetLayers(job=job.id, layers=_marks(self._analysis))
                )

    # The snapshot

    def _view(self) -> PrinterSnapshot:
        return view(
            self._link,
            printer=self.id,
            name=self.name,
            time=round(time.time(), 3),
            link_pid=self._link_pid,
            selected=self.selected,
            analysis=self._analysis,
            problem=self._problem,
        )

    def _refresh(self) -> None:
        self._snapshot = self._view()
        self._bus.telemetry(SnapshotChanged(self.id, self._snapshot))


def _marks(analysis: Analysis | None) -> list[commands.LayerMark]:
    layers: Iterable[tuple[int, float]] = (
        () if analysis is None else ((layer.offset, layer.z) for layer in analysis.layers)
    )
    return [commands.LayerMark(offset, z) for offset, z in layers]


def _failed(job: JobSnapshot, problem: Problem) -> JobSnapshot:
    return msgspec.structs.replace(
        job, state=JobState.IDLE, outcome=Outcome.FAILED, problem=problem
    )

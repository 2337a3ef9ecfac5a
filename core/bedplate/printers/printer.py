"""One printer on the host's side: what clients ask of it, and what they see of it."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bedplate.bus import EventBus, SnapshotChanged, Subscription, TemperatureSample, TerminalLines
from bedplate.config.schema import PrinterSettings
from bedplate.errors import ConflictError, NotFoundError
from bedplate.files.library import Library
from bedplate.gcode.records import Analysis
from bedplate.journal import Journal
from bedplate.messages import commands
from bedplate.messages.events import FileAnalysed, FileRemoved
from bedplate.messages.frames import TerminalFrame, TerminalLine
from bedplate.messages.printer import PrinterSnapshot
from bedplate.messages.snapshot import FileRef, JobSnapshot, Temperatures
from bedplate.messages.states import ConnectionState
from bedplate.printers import moves, ports, scripts
from bedplate.printers.session import LinkSession
from bedplate.printers.supervisor import LinkProcess
from bedplate.printers.view import view

HISTORY = 1800
"""Temperature reports kept: half an hour of one each second."""
TERMINAL_LINES = 500
"""Terminal lines kept while somebody reads them."""


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
        plugins: ports.PluginPorts,
    ) -> None:
        self.id = id
        self.settings = settings
        self.selected: FileRef | None = None
        self._bus = bus
        self._library = library
        self._plugins = plugins
        self._link = LinkSession(
            id,
            process,
            directory,
            bus,
            journal,
            on_change=self._on_link_change,
            on_terminal=self._on_terminal,
        )
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
        return self._link.snapshot.state is ConnectionState.OPERATIONAL

    @property
    def is_active(self) -> bool:
        """Whether a job owns it."""
        return self._link.job is not None

    @property
    def printing(self) -> str | None:
        """Path of the file that the running job prints."""
        return None if self._link.job is None else self._link.job.file.path

    # Life

    async def open(self) -> None:
        """Find out what went on while no host was there, and take over a link that is."""
        self._subscription = self._bus.subscribe(
            f"printer {self.id}", self._on_file_event, events=(FileRemoved, FileAnalysed)
        )
        await self._link.open()

    async def close(self) -> None:
        """Let go: a link without a job is ended, one with a job goes on printing."""
        if self._subscription is not None:
            self._subscription.close()
        await self._link.close()

    async def list_ports(self) -> list[ports.PortInfo]:
        """Ports to choose from: the machine's, then those of plugins."""
        return await ports.choices(self.id, self._plugins)

    # The connection

    async def connect(self, port: str | None = None, baudrate: int | None = None) -> None:
        """Connect; returns once the port is open. Without a port: the one in the settings.

        Raises PortError (unknown, busy, forbidden), ConflictError while a job runs.
        """
        if self.is_active:
            raise ConflictError("A job is running. Cancel it before you connect anew.")
        name = port or self.settings.port or ports.AUTO
        target = await ports.resolve(name, self.id, self._plugins)
        rate = self.settings.baudrate if baudrate is None else baudrate
        shown = target if name == ports.AUTO else name
        await self._link.connect(
            commands.Connect(port=shown, target=target, baudrate=rate, settings=self.settings.line)
        )

    async def disconnect(self) -> None:
        """Close the port. Raises ConflictError while a job runs."""
        if self.is_active:
            raise ConflictError("A job is running. Cancel it before you disconnect.")
        await self._link.end()

    # G-code

    async def send(self, gcode: list[str], origin: str) -> None:
        """Send commands ahead of a job's own lines. M112 among them stops at once."""
        await self._link.request(commands.SendGcode(commands=gcode, origin=origin))

    async def emergency_stop(self) -> None:
        """M112 at once, whatever the state. Raises ConflictError where nothing is connected."""
        await self._link.request(commands.EmergencyStop())

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
        await self._link.request(
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
        await self._link.request(commands.PauseJob())

    async def resume(self) -> None:
        """Resume the job. Raises ConflictError unless it is paused."""
        await self._link.request(commands.ResumeJob())

    async def cancel(self) -> None:
        """Cancel the job. Raises ConflictError where there is none."""
        await self._link.request(commands.CancelJob())

    # The terminal

    def watch_terminal(self) -> Callable[[], None]:
        """Somebody reads the terminal from now on; call the result when they stop."""
        self._watchers += 1
        if self._watchers == 1:
            self._terminal.clear()
            self._link.watch_terminal(True)
        stopped = False

        def stop() -> None:
            nonlocal stopped
            if not stopped:
                stopped = True
                self._watchers -= 1
                if not self._watchers:
                    self._link.watch_terminal(False)

        return stop

    # What the link tells

    def _on_terminal(self, frame: TerminalFrame) -> None:
        self._terminal.extend(frame.lines)
        self._bus.telemetry(TerminalLines(self.id, frame.lines, frame.skipped))

    def _on_link_change(self) -> None:
        link = self._link.snapshot
        if link.job is not None:
            self._know_file(link.job)
            if link.job.outcome is None:
                self.selected = link.job.file
        newest = self._history[-1] if self._history else None
        if link.temperatures is not None and link.temperatures != newest:
            self._history.append(link.temperatures)
            self._bus.telemetry(TemperatureSample(self.id, link.temperatures))
        self._refresh()

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
            if self._link.is_attached and job is not None:
                await self._link.request(
                    commands.SetLayers(job=job.id, layers=_marks(self._analysis))
                )

    # The snapshot

    def _view(self) -> PrinterSnapshot:
        return view(
            self._link.snapshot,
            printer=self.id,
            name=self.name,
            time=round(time.time(), 3),
            link_pid=self._link.pid,
            selected=self.selected,
            analysis=self._analysis,
            problem=self._link.problem,
        )

    def _refresh(self) -> None:
        self._snapshot = self._view()
        self._bus.telemetry(SnapshotChanged(self.id, self._snapshot))


def _marks(analysis: Analysis | None) -> list[commands.LayerMark]:
    layers: Iterable[tuple[int, float]] = (
        () if analysis is None else ((layer.offset, layer.z) for layer in analysis.layers)
    )
    return [commands.LayerMark(offset, z) for offset, z in layers]

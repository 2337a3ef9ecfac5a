"""A host for the tests of the web part: everything is the real thing but the printer.

The printer's other side is a link process and a machine; here it is an object that keeps what it
was told and whose state the test sets.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bedplate import __version__
from bedplate.bus import EventBus, SnapshotChanged, TemperatureSample, TerminalLines
from bedplate.config.schema import PrinterSettings
from bedplate.config.store import SettingsStore
from bedplate.errors import ConflictError
from bedplate.files.library import Library
from bedplate.files.metadata import MetadataStore
from bedplate.journal import Journal
from bedplate.messages.frames import Direction, TerminalLine
from bedplate.messages.printer import PrinterSnapshot
from bedplate.messages.snapshot import (
    FileRef,
    HeaterReading,
    JobSnapshot,
    LinkSnapshot,
    Problem,
    Temperatures,
)
from bedplate.messages.states import ConnectionState, JobState, Outcome
from bedplate.printers.ports import PortInfo
from bedplate.printers.view import view

MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STARTED = 1_795_000_000.5

LINK = LinkSnapshot(
    temperatures=Temperatures(
        time=STARTED,
        heaters={"tool0": HeaterReading(214.8, 220.0), "bed": HeaterReading(50.2, 60.0)},
    )
)


class PrinterDouble:
    """Has the methods of `bedplate.printers.printer.Printer`; `told` has every call."""

    def __init__(self, id: str, settings: PrinterSettings, library: Library, bus: EventBus) -> None:
        self.id = id
        self.settings = settings
        self.name = settings.name
        self.selected: FileRef | None = None
        self.history: deque[Temperatures] = deque(maxlen=1800)
        self.terminal: deque[TerminalLine] = deque(maxlen=500)
        self.watchers = 0
        self.told: list[tuple[Any, ...]] = []
        self.refusal: Exception | None = None
        self.ports = [PortInfo("VIRTUAL", "Virtual printer"), PortInfo("/dev/ttyACM0", "Board")]
        self.link = LINK
        self._library = library
        self._bus = bus
        self._analysis = None

    # what clients see

    @property
    def snapshot(self) -> PrinterSnapshot:
        return view(
            self.link,
            printer=self.id,
            name=self.name,
            time=STARTED,
            link_pid=4711,
            selected=self.selected,
            analysis=self._analysis,
        )

    @property
    def is_operational(self) -> bool:
        return self.link.state is ConnectionState.OPERATIONAL

    @property
    def is_active(self) -> bool:
        return self.link.job is not None and self.link.job.state is not JobState.IDLE

    # what the test does

    def become(self, state: ConnectionState, problem: Problem | None = None) -> None:
        """The connection changes."""
        self.link = msgspec.structs.replace(
            self.link, state=state, port="VIRTUAL", baudrate=115200, problem=problem
        )
        self.changed()

    def run_job(self, path: str, size: int = 1000, **changes: Any) -> None:
        """A job is in some state; an outcome ends it."""
        job = JobSnapshot(
            id="job-1",
            file=FileRef(path=path, origin="local", size=size),
            state=JobState.PRINTING,
            started=STARTED,
            user="local",
        )
        self.link = msgspec.structs.replace(
            self.link,
            state=ConnectionState.OPERATIONAL,
            job=msgspec.structs.replace(job, **changes),
        )
        self.changed()

    def end_job(self, outcome: Outcome) -> None:
        assert self.link.job is not None
        job = msgspec.structs.replace(self.link.job, state=JobState.IDLE, outcome=outcome)
        self.link = msgspec.structs.replace(self.link, job=job)
        self.changed()

    def changed(self) -> None:
        self._bus.telemetry(SnapshotChanged(self.id, self.snapshot))

    def report(self, time: float, **actual: float) -> None:
        """A temperature report."""
        heaters = {name: HeaterReading(value, 0.0) for name, value in actual.items()}
        sample = Temperatures(time=time, heaters=heaters)
        self.link = msgspec.structs.replace(self.link, temperatures=sample)
        self.history.append(sample)
        self._bus.telemetry(TemperatureSample(self.id, sample))
        self.changed()

    def say(self, lines: Iterable[tuple[str, str]]) -> None:
        """Terminal lines, as the link sends them only while somebody watches."""
        if self.watchers:
            new = [TerminalLine(STARTED, Direction(way), text) for way, text in lines]
            self.terminal.extend(new)
            self._bus.telemetry(TerminalLines(self.id, new))

    def _tell(self, *call: Any) -> None:
        self.told.append(call)
        if self.refusal is not None:
            raise self.refusal

    # what the host does

    def watch_terminal(self) -> Callable[[], None]:
        self.watchers += 1
        stopped = itertools.count()

        def stop() -> None:
            if next(stopped) == 0:
                self.watchers -= 1

        return stop

    async def list_ports(self) -> list[PortInfo]:
        return self.ports

    async def connect(self, port: str | None = None, baudrate: int | None = None) -> None:
        self._tell("connect", port, baudrate)
        self.become(ConnectionState.OPERATIONAL)

    async def disconnect(self) -> None:
        self._tell("disconnect")
        self.become(ConnectionState.CLOSED)

    async def send(self, commands: list[str], origin: str) -> None:
        self._tell("send", commands)

    async def emergency_stop(self) -> None:
        self._tell("emergency_stop")
        self.become(ConnectionState.HALTED)

    def select(self, path: str | None) -> None:
        if self.is_active:
            raise ConflictError("A job is running.")
        self._tell("select", path)
        self.selected = None
        if path is not None:
            entry = self._library.file(path)
            self.selected = FileRef(path=entry.path, origin="local", size=entry.size)
        self.changed()

    async def start(self, path: str | None = None, user: str | None = None) -> None:
        self._tell("start", path)
        if path is not None:
            self.select(path)
        assert self.selected is not None
        self.run_job(self.selected.path, self.selected.size)

    async def pause(self) -> None:
        self._tell("pause")
        assert self.link.job is not None
        self.run_job(self.link.job.file.path, state=JobState.PAUSED)

    async def resume(self) -> None:
        self._tell("resume")
        assert self.link.job is not None
        self.run_job(self.link.job.file.path, state=JobState.PRINTING)

    async def cancel(self) -> None:
        self._tell("cancel")
        self.end_job(Outcome.CANCELLED)

    async def set_targets(self, targets: dict[str, float]) -> None:
        self._tell("set_targets", targets)

    async def jog(self, **wanted: Any) -> None:
        self._tell("jog", {name: value for name, value in wanted.items() if value is not None})

    async def home(self, axes: list[str]) -> None:
        self._tell("home", axes)

    async def extrude(self, amount: float, speed: float | None = None) -> None:
        self._tell("extrude", amount, speed)

    async def feed_rate(self, percent: float) -> None:
        self._tell("feed_rate", percent)

    async def flow_rate(self, percent: float) -> None:
        self._tell("flow_rate", percent)

    async def select_tool(self, tool: int) -> None:
        self._tell("select_tool", tool)


class Asked:
    """Takes the wishes for an analysis."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def analyse(self, path: str) -> None:
        self.paths.append(path)


class NoPlugins:
    """A host without plugins."""

    def list(self) -> list[msgspec.Struct]:
        return []


class HostDouble:
    """Real settings, journal, bus and files in `directory`; printers are doubles."""

    def __init__(self, directory: Path, printers: tuple[str, ...] = ("default",)) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.version = __version__
        self.started_at = MOMENT
        self.store = SettingsStore(directory / "config.yaml")
        self.store.load()
        self.journal = Journal(directory / "journal.sqlite")
        numbers = itertools.count(1)
        self.bus = EventBus(
            self.journal, lambda: MOMENT, lambda: f"00000000-0000-0000-0000-{next(numbers):012}"
        )
        self.metadata = MetadataStore(directory / "library.sqlite")
        self.library = Library(
            directory / "uploads", self.metadata, self.bus, self._in_use, clock=lambda: 0.0
        )
        self.analysis = Asked()
        self.plugins = NoPlugins()
        settings = PrinterSettings(name="Printer")
        self.printers = {id: PrinterDouble(id, settings, self.library, self.bus) for id in printers}

    @property
    def printer(self) -> PrinterDouble:
        return next(iter(self.printers.values()))

    def _in_use(self, path: str) -> bool:
        return any(
            printer.is_active
            and printer.link.job is not None
            and printer.link.job.file.path == path
            for printer in self.printers.values()
        )

    async def change_settings(self, changes: Mapping[str, object]) -> None:
        self.store.set(changes)

    async def close(self) -> None:
        await self.bus.close()
        self.metadata.close()
        self.journal.close()

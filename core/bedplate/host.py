"""The composition root: makes the parts of a host in the right order, starts them and stops
them."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import IO

from bedplate import __version__
from bedplate.bus import EventBus
from bedplate.config.store import SettingsStore
from bedplate.errors import BedplateError, DataDirectoryInUseError
from bedplate.files.analysis import AnalysisQueue
from bedplate.files.history import HistoryKeeper
from bedplate.files.library import Library
from bedplate.files.metadata import MetadataStore
from bedplate.journal import Journal
from bedplate.log import setup_logging
from bedplate.messages.events import SettingsChanged
from bedplate.plugins import PluginManager
from bedplate.printers.printer import Printer
from bedplate.printers.supervisor import LinkProcess, remove_runtime_directory, runtime_directory

log = logging.getLogger(__name__)

DEMO_PORT = "VIRTUAL"
JOURNAL_EVENTS = 50_000
"""Events that the journal keeps in any case: some 10 MB, a year of a busy printer."""
JOURNAL_AGE = timedelta(days=30)
"""Younger ones are kept too, however many."""
DAY = 86400.0


class Host:
    """Everything that one data directory holds, running. Make it on the loop that it shall run on.

    Raises DataDirectoryInUseError where another host runs on the same directory, SettingsError
    where its settings are wrong.
    """

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.version = __version__
        self.data_dir = data_dir.resolve()
        self.started_at = datetime.now(UTC)
        self._lock = _lock(self.data_dir)
        self._pruning: asyncio.Task[None] | None = None
        self.store = SettingsStore(self.data_dir / "config.yaml")
        settings = self.store.load()
        self._close_log = setup_logging(self.data_dir / "logs", settings.log.level)
        self.journal = Journal(self.data_dir / "journal.sqlite")
        self.bus = EventBus(self.journal, lambda: datetime.now(UTC), lambda: str(uuid.uuid4()))
        self.plugins = PluginManager(self.store, self.data_dir, self.bus)
        self._metadata = MetadataStore(self.data_dir / "library.sqlite")
        self.library = Library(
            self.data_dir / "uploads",
            self._metadata,
            self.bus,
            self._is_printing,
            keep_free=settings.files.keep_free,
        )
        self.history = HistoryKeeper(self._metadata, self.bus, self.journal)
        self.analysis = AnalysisQueue(self.library, self._metadata, self.bus)
        self._runtime = runtime_directory(self.data_dir)
        self.printers = {
            id: Printer(
                id,
                printer,
                process=LinkProcess(
                    id, self.data_dir / "printers" / id, self.data_dir / "logs", self._runtime
                ),
                directory=self.data_dir / "printers" / id,
                bus=self.bus,
                journal=self.journal,
                library=self.library,
                plugins=self.plugins,
            )
            for id, printer in settings.printers.items()
        }

    async def start(self) -> None:
        """Load plugins, take over running printers, begin to analyse files."""
        log.info("Bedplate %s on %s", self.version, self.data_dir)
        self.history.start()
        self.plugins.load()
        await self.plugins.startup()
        for printer in self.printers.values():
            await printer.open()
        if self.store.settings.files.analyse:
            self.analysis.start()
        for printer in self.printers.values():
            if printer.settings.autoconnect and not printer.is_operational:
                await self._connect(printer)
        self._pruning = asyncio.create_task(self._prune(), name="prune the journal")

    async def start_demo(self) -> None:
        """Bring the sample files, and connect the virtual printer."""
        samples = resources.files("bedplate") / "samples"
        for sample in samples.iterdir():
            present = (self.library.root / sample.name).exists()
            if sample.name.endswith(".gcode") and not present:
                with self.library.begin_upload("", sample.name) as upload:
                    await upload.write(sample.read_bytes())
                    await upload.commit()
        printer = next(iter(self.printers.values()))
        if not printer.is_operational and not printer.is_active:
            await self._connect(printer, DEMO_PORT)

    async def stop(self) -> None:
        """Stop in order. A printer that prints goes on printing."""
        if self._pruning is not None:
            self._pruning.cancel()
        for printer in self.printers.values():
            await printer.close()
        await self.analysis.close()
        await self.plugins.shutdown()
        await self.bus.close()
        self.history.close()
        self._metadata.close()
        self.journal.close()
        self._close_log()
        remove_runtime_directory(self._runtime)
        self._lock.close()

    async def change_settings(self, changes: Mapping[str, object]) -> None:
        """Change settings at dotted keys, all or none, and tell. Raises SettingsError."""
        changed = await asyncio.to_thread(self.store.set, changes)
        for id, printer in self.printers.items():
            printer.settings = self.store.settings.printers.get(id, printer.settings)
        if changed:
            self.bus.publish(SettingsChanged(keys=changed))

    async def _prune(self) -> None:
        """Keep the journal small, once a day and in small steps."""
        while True:
            oldest = datetime.now(UTC) - JOURNAL_AGE
            while self.journal.prune(keep=JOURNAL_EVENTS, before=oldest):
                await asyncio.sleep(0)
            await asyncio.sleep(DAY)

    async def _connect(self, printer: Printer, port: str | None = None) -> None:
        try:
            await printer.connect(port)
        except BedplateError as error:
            log.warning("printer %s could not be connected: %s", printer.id, error)

    def _is_printing(self, path: str) -> bool:
        """Whether a running job prints the file at `path`, or one in the folder `path`."""
        printing = [printer.printing for printer in self.printers.values()]
        return any(one == path or (one or "").startswith(f"{path}/") for one in printing)


def _lock(data_dir: Path) -> IO[str]:
    """Keep a second host out. The lock ends with this process, however it ends."""
    lock = (data_dir / ".host.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise DataDirectoryInUseError(
            f"Another Bedplate runs on {data_dir} already. Stop it first, or choose another"
            " directory with --data."
        ) from None
    return lock

"""Reading new files in a process of low priority, one at a time, and storing what it finds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

import bedplate
from bedplate.bus import EventBus, Subscription
from bedplate.errors import BedplateError
from bedplate.files.library import ORIGIN, Library
from bedplate.files.metadata import MetadataStore
from bedplate.files.scan import Stamp
from bedplate.gcode.records import Analysis
from bedplate.gcode.worker import Done, Refused
from bedplate.messages.events import (
    Envelope,
    FilamentUse,
    FileAdded,
    FileAnalysed,
    FileRemoved,
)

log = logging.getLogger(__name__)

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes that a worker may print: 100,000 layers and the pictures take about 10 MB."""

WORKER = (sys.executable, "-P", "-m", "bedplate.gcode.worker")
"""`-P`: the folder in which the host was started is no place to import from."""


def time_limit(size: int) -> float:
    """Seconds that the analysis of a file of `size` bytes may take: 100 kB/s, and a minute to
    begin.

    A Raspberry Pi reads 1 to 2 MB/s; beside a running print it gets what is left.
    """
    return 60 + size / 100_000


class _Ended(Exception):
    """The worker came to no good end, for the reason that the message gives."""


class AnalysisQueue:
    """Analyses what is uploaded or appears, from `start` to `close`.

    Each file ends with a `FileAnalysed`. The reason of a failure is stored, and the file is not
    tried again before it changes or somebody asks (`analyse`).
    """

    def __init__(
        self,
        library: Library,
        store: MetadataStore,
        bus: EventBus,
        *,
        worker: Sequence[str] = WORKER,
        time_limit: Callable[[int], float] = time_limit,
    ) -> None:
        self._library = library
        self._store = store
        self._bus = bus
        self._worker = worker
        self._time_limit = time_limit
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._current: str | None = None
        self._running: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._subscription: Subscription | None = None

    @property
    def waiting(self) -> list[str]:
        """Paths of the files to be analysed, the one in work first."""
        return [*([self._current] if self._current else []), *self._waiting]

    def start(self) -> None:
        """Begins with all files that have no analysis of their present content."""
        self._subscription = self._bus.subscribe(
            "file analysis", self._on_event, events=(FileAdded, FileRemoved)
        )
        for path in self._library.paths():
            self._add(path)
        self._task = asyncio.create_task(self._work(), name="file analysis")

    async def close(self) -> None:
        """Ends the worker; what is not done is done after the next start."""
        if self._subscription is not None:
            self._subscription.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def analyse(self, path: str) -> None:
        """Analyses a file next, again if need be. Raises NotFoundError."""
        self._library.file(path)
        self._waiting[path] = None
        self._waiting.move_to_end(path, last=False)
        self._wake.set()

    def _on_event(self, envelope: Envelope) -> None:
        event = envelope.payload
        if isinstance(event, FileAdded):
            self._add(event.path)
        elif isinstance(event, FileRemoved):
            self._waiting.pop(event.path, None)
            if event.path == self._current and self._running is not None:
                self._running.cancel()

    def _add(self, path: str) -> None:
        stamp = self._library.stamp(path)
        if stamp is None:
            return
        facts = self._store.facts(path, stamp)
        if facts.analysis is None and facts.error is None:
            self._waiting[path] = None
            self._wake.set()

    async def _work(self) -> None:
        try:
            while True:
                while not self._waiting:
                    self._wake.clear()
                    await self._wake.wait()
                self._current, _ = self._waiting.popitem(last=False)
                self._running = asyncio.create_task(self._analyse(self._current))
                await asyncio.wait([self._running])
                if not self._running.cancelled() and (error := self._running.exception()):
                    log.error("analysis of %s failed", self._current, exc_info=error)
                self._current = None
        finally:
            if self._running is not None and not self._running.done():
                self._running.cancel()
                await asyncio.wait([self._running])

    async def _analyse(self, path: str) -> None:
        stamp = self._library.stamp(path)
        if stamp is None:
            return
        try:
            answer = await self._ask_worker(self._library.local_path(path), stamp)
        except (_Ended, BedplateError) as error:
            answer = Refused(code="analysis_failed", message=str(error))
        if self._library.stamp(path) != stamp:
            self._add(path)  # it changed meanwhile, or it is gone
            return
        if isinstance(answer, Done):
            thumbnails = await asyncio.to_thread(
                self._store.write_thumbnails, answer.analysis.sha1, answer.thumbnails
            )
            self._store.set_analysis(path, stamp, answer.analysis, thumbnails)
            self._bus.publish(_analysed(path, answer.analysis))
        else:
            log.warning("%s could not be analysed: %s", path, answer.message)
            self._store.set_error(path, stamp, answer.message)
            self._bus.publish(FileAnalysed(path=path, origin=ORIGIN, ok=False))

    async def _ask_worker(self, file: Path, stamp: Stamp) -> Done | Refused:
        limit = self._time_limit(stamp.size)
        process = await asyncio.create_subprocess_exec(
            *self._worker,
            str(file),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
        )
        try:
            async with asyncio.timeout(limit):
                output = await _read(process)
                status = await process.wait()
        except TimeoutError:
            raise _Ended(f"The analysis took longer than {limit:.0f} s.") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if status != 0:
            raise _Ended(f"The analysis ended unexpectedly ({_how_it_ended(status)}).")
        return _decode(output)


async def _read(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    output = bytearray()
    while chunk := await process.stdout.read(65536):
        output += chunk
        if len(output) > MAX_ANSWER:
            raise _Ended("The analysis has more to say than can be stored.")
    return bytes(output)


class _Status(msgspec.Struct):
    ok: bool


def _decode(output: bytes) -> Done | Refused:
    try:
        if msgspec.json.decode(output, type=_Status).ok:
            return msgspec.json.decode(output, type=Done)
        return msgspec.json.decode(output, type=Refused)
    except msgspec.DecodeError as error:
        raise _Ended(f"The analysis can't be understood: {error}.") from error


def _how_it_ended(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"


def _environment() -> dict[str, str]:
    """The host's own, with the place where the host's code was imported from."""
    root = str(Path(bedplate.__file__).parent.parent)
    rest = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, *([rest] if rest else [])])}


def _analysed(path: str, analysis: Analysis) -> FileAnalysed:
    return FileAnalysed(
        path=path,
        origin=ORIGIN,
        ok=True,
        layers=len(analysis.layers),
        estimated_time=analysis.estimated_time,
        filament={
            f"tool{tool}": FilamentUse(length=used.length, volume=used.volume)
            for tool, used in sorted(analysis.filament.items())
        },
    )

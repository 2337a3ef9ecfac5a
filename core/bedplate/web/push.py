"""The push clients of one printer: who gets what, and when.

Events go out as they come. State is coalesced: a client that is ready gets the newest, at most
twice a second as OctoPrint's `current`, at most four times a second as our `snapshot`; lines and
samples since its last one come along, bounded. Each message is encoded once for all clients that
get the same. All calls come from the loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

import msgspec

from bedplate.bus import SnapshotChanged, Subscription, TemperatureSample, TerminalLines
from bedplate.messages.events import (
    Envelope,
    FileAdded,
    FileAnalysed,
    FileRemoved,
    PrintCancelled,
    PrintDone,
    PrintFailed,
)
from bedplate.messages.frames import Direction, TerminalLine
from bedplate.messages.snapshot import Temperatures
from bedplate.messages.states import JobState
from bedplate.web import octoprint, octoprint_events
from bedplate.web.access import Access
from bedplate.web.context import Host, Printer
from bedplate.web.documents import (
    HistoryPoint,
    JobDocument,
    ProgressDocument,
    StateDocument,
)
from bedplate.web.facts import FactsCache
from bedplate.web.permissions import MONITOR_TERMINAL, STATUS, Actor
from bedplate.web.push_client import (
    CURRENT_INTERVAL,
    MAX_THROTTLE,
    PushClient,
    Transport,
    parse_subscription,
)
from bedplate.web.wire import Wire

log = logging.getLogger(__name__)

SNAPSHOT_INTERVAL = 0.25
"""Seconds between two of our snapshots to a client at least."""

KEEP_ALIVE = 20.0
"""Seconds after which a `current` goes out although nothing changed: clients call a socket dead
that is silent for 30."""

MAX_LINES = 300
"""Terminal lines in one message: what OctoPrint's history holds."""

MAX_SAMPLES = 600

FILE_EVENTS = (FileAdded, FileRemoved, FileAnalysed, PrintDone, PrintFailed, PrintCancelled)
"""After these, what is known of the job's file may be something else."""

MAX_CLIENTS = 256
"""Sockets of one printer; a browser opens one a page."""


class CurrentDocument(Wire, frozen=True):
    """The state as OctoPrint's clients get it: `temps`, `logs`, `messages` are new since the
    last."""

    state: StateDocument
    job: JobDocument
    progress: ProgressDocument
    current_z: float | None
    offsets: dict[str, float]
    resends: dict[str, float]
    temps: list[HistoryPoint]
    logs: list[str]
    messages: list[str]
    server_time: float
    busy_files: list[dict[str, str]]
    markings: list[dict[str, str | float]]


def encode(message: Mapping[str, Any]) -> str:
    """A message as it goes out. msgspec writes no NaN: JavaScript would not read it."""
    return msgspec.json.encode(message).decode()


class PushHub:
    """All push clients of one printer. Takes part in the bus only while there are any."""

    def __init__(self, host: Host, printer: Printer, access: Access) -> None:
        self._host = host
        self._printer = printer
        self._access = access
        self._facts = FactsCache(host.library)
        self._clients: list[PushClient] = []
        self._subscription: Subscription | None = None
        self._unwatch: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._keep_alive: asyncio.TimerHandle | None = None
        self._version = 0
        self._last = printer.snapshot
        self._lines: deque[TerminalLine] = deque(maxlen=MAX_LINES)
        self._line_count = 0
        self._samples: deque[Temperatures] = deque(maxlen=MAX_SAMPLES)
        self._sample_count = 0
        self._next_current = 0.0
        self._next_snapshot = 0.0

    @property
    def clients(self) -> int:
        """How many there are."""
        return len(self._clients)

    # -- clients come and go -----------------------------------------------------------------------

    def connect(self, transport: Transport, actor: Actor) -> PushClient | None:
        """A new client: greets it and, since nobody has to log in, sends it the state at once.

        Answers None where there are too many already; the transport is to be closed then.
        """
        if len(self._clients) >= MAX_CLIENTS:
            return None
        if not self._clients:
            self._start()
        client = PushClient(transport, actor)
        self._clients.append(client)
        client.offer(encode({"connected": self._greeting()}))
        self._watch_terminal()
        self._send_history(client)
        self._wake()
        return client

    def disconnect(self, client: PushClient) -> None:
        """A client is gone."""
        if client in self._clients:
            self._clients.remove(client)
        self._watch_terminal()
        if not self._clients:
            self._stop()

    def receive(self, client: PushClient, text: str) -> None:
        """A message of a client. What is no message is ignored, as clients expect."""
        try:
            message = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        throttle = message.get("throttle")
        if isinstance(throttle, int) and not isinstance(throttle, bool):
            client.throttle = max(1, min(throttle, MAX_THROTTLE))
        wanted = message.get("subscribe")
        if isinstance(wanted, dict):
            client.subscription = parse_subscription(wanted)
            client.snapshot_seen = -1
            self._watch_terminal()
            self._send_history(client)
            self._wake()

    def _greeting(self) -> dict[str, Any]:
        return {
            "version": octoprint.SERVER_VERSION,
            "display_version": octoprint.SERVER_VERSION,
            "bedplate_version": self._host.version,
        }

    def _start(self) -> None:
        self._last = self._printer.snapshot
        self._subscription = self._host.bus.subscribe(
            f"push {self._printer.id}",
            self._take,
            telemetry=(SnapshotChanged, TemperatureSample, TerminalLines),
        )
        self._keep_alive = asyncio.get_running_loop().call_later(KEEP_ALIVE, self._stay_alive)

    def _stop(self) -> None:
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        for timer in (self._timer, self._keep_alive):
            if timer is not None:
                timer.cancel()
        self._timer = self._keep_alive = None
        self._lines.clear()
        self._samples.clear()

    def _watch_terminal(self) -> None:
        """Terminal lines come from the link only while a client wants them."""
        wanted = any(
            client.subscription.terminal and self._access.may(client.actor, MONITOR_TERMINAL)
            for client in self._clients
        )
        if wanted and self._unwatch is None:
            self._unwatch = self._printer.watch_terminal()
        elif not wanted and self._unwatch is not None:
            self._unwatch()
            self._unwatch = None

    async def close(self) -> None:
        """Ends every connection."""
        for client in list(self._clients):
            client.close()
            self.disconnect(client)

    # -- what there is to send ---------------------------------------------------------------------

    def event(self, name: str, payload: Mapping[str, Any] | None) -> None:
        """An event in OctoPrint's form, to all who want it."""
        self._broadcast(
            {"event": {"type": name, "payload": payload}},
            (client for client in self._clients if client.subscription.wants_event(name)),
        )

    def plugin_message(self, plugin: str, data: Any) -> None:
        """A plugin's message, to all who want it."""
        self._broadcast(
            {"plugin": {"plugin": plugin, "data": data}},
            (client for client in self._clients if client.subscription.wants_plugin(plugin)),
        )

    def _broadcast(self, message: Mapping[str, Any], clients: Iterable[PushClient]) -> None:
        text: str | None = None
        for client in list(clients):
            if self._access.may(client.actor, STATUS):
                text = text or encode(message)
                client.offer(text)

    def _take(self, item: Envelope | SnapshotChanged | TemperatureSample | TerminalLines) -> None:
        """From the bus."""
        if item.printer is not None and item.printer != self._printer.id:
            return
        if isinstance(item, Envelope):
            if isinstance(item.payload, FILE_EVENTS):
                self._facts.forget()
                self._version += 1
            for name, payload in octoprint_events.translate(item.payload):
                self.event(name, payload)
            self._wake()
            return
        if isinstance(item, SnapshotChanged):
            before, self._last = self._last, item.snapshot
            self._version += 1
            for name, payload in octoprint_events.changes(before, item.snapshot):
                self.event(name, payload)
        elif isinstance(item, TemperatureSample):
            self._samples.append(item.temperatures)
            self._sample_count += 1
            self._version += 1
        else:
            self._lines.extend(item.lines)
            self._line_count += len(item.lines)
        self._wake()

    # -- when it is sent ---------------------------------------------------------------------------

    def _stay_alive(self) -> None:
        self._version += 1
        self._keep_alive = asyncio.get_running_loop().call_later(KEEP_ALIVE, self._stay_alive)
        self._wake()

    def _wake(self, pause: float = 0.0) -> None:
        """Sends what is due as soon as it may, but not before `pause` seconds have passed."""
        due = self._due()
        if due is None:
            return
        loop = asyncio.get_running_loop()
        when = max(due, loop.time() + pause)
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._tick)

    def _due(self) -> float | None:
        """When something may go out next; None while every client has everything."""
        times = []
        for client in self._clients:
            if client.subscription.snapshot and client.snapshot_seen != self._version:
                times.append(self._next_snapshot)
            if self._is_behind(client):
                times.append(max(self._next_current, client.next_current))
        return min(times, default=None)

    def _is_behind(self, client: PushClient) -> bool:
        """Whether a `current` would tell the client something."""
        wanted = client.subscription
        return wanted.state and (
            client.current_seen != self._version
            or (wanted.terminal and client.lines_seen != self._line_count)
        )

    def _tick(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        # Asked once: whoever has just got the one message is not ready for the other any more.
        ready = [client for client in self._clients if client.ready]
        if now >= self._next_snapshot and self._send_snapshots(ready):
            self._next_snapshot = now + SNAPSHOT_INTERVAL
        if now >= self._next_current and self._send_currents(ready, now):
            self._next_current = now + CURRENT_INTERVAL
        # Whoever is still behind does not read at the moment: no hurry to look again.
        self._wake(SNAPSHOT_INTERVAL)

    def _send_snapshots(self, clients: Iterable[PushClient]) -> bool:
        text: str | None = None
        for client in clients:
            wants = client.subscription.snapshot and client.snapshot_seen != self._version
            if wants and self._access.may(client.actor, STATUS):
                text = text or encode({"snapshot": self._printer.snapshot})
                client.snapshot_seen = self._version
                client.offer(text)
        return text is not None

    def _send_currents(self, clients: Iterable[PushClient], now: float) -> bool:
        cache: dict[tuple[int, int, bool, bool], str] = {}
        for client in clients:
            if not self._is_behind(client) or now < client.next_current:
                continue
            if not self._access.may(client.actor, STATUS):
                continue
            logs, messages = self._lines_wanted(client)
            key = (client.samples_seen, client.lines_seen, logs, messages)
            if key not in cache:
                cache[key] = encode({"current": self._current(*key)})
            self._mark_seen(client)
            # A little less than the interval: the hub's own rhythm must not make it two.
            client.next_current = now + CURRENT_INTERVAL * (client.throttle - 0.1)
            client.offer(cache[key])
        return bool(cache)

    def _lines_wanted(self, client: PushClient) -> tuple[bool, bool]:
        if not self._access.may(client.actor, MONITOR_TERMINAL):
            return False, False
        return client.subscription.logs, client.subscription.messages

    def _mark_seen(self, client: PushClient) -> None:
        client.current_seen = self._version
        client.samples_seen = self._sample_count
        client.lines_seen = self._line_count

    def _current(
        self, samples_seen: int, lines_seen: int, logs: bool, messages: bool
    ) -> CurrentDocument:
        samples = _newest(self._samples, self._sample_count - samples_seen)
        lines = _newest(self._lines, self._line_count - lines_seen) if logs or messages else []
        return self._document(samples, lines, logs, messages)

    def _send_history(self, client: PushClient) -> None:
        """What a client needs to begin with: the whole graph, the recent lines, the state."""
        if not client.subscription.state or not self._access.may(client.actor, STATUS):
            return
        logs, messages = self._lines_wanted(client)
        lines = _newest(self._printer.terminal, MAX_LINES) if logs or messages else []
        document = self._document(list(self._printer.history), lines, logs, messages)
        self._mark_seen(client)
        client.current_seen = -1
        client.offer(encode({"history": document}))

    def _document(
        self,
        samples: list[Temperatures],
        lines: list[TerminalLine],
        logs: bool,
        messages: bool,
    ) -> CurrentDocument:
        snapshot = self._printer.snapshot
        active = octoprint.job_state(snapshot) is not JobState.IDLE
        job = snapshot.job
        statistics = snapshot.line
        sent, again = statistics.transmitted, statistics.resends
        z = job.z if active and job is not None else None
        if z is None and snapshot.position is not None:
            z = snapshot.position.z
        return CurrentDocument(
            state=octoprint.state_document(snapshot),
            job=octoprint.job_document(snapshot, self._facts.of(snapshot)),
            progress=octoprint.progress(snapshot),
            current_z=z,
            offsets={},
            resends={
                "count": again,
                "transmitted": sent,
                "ratio": int(100 * again / sent) if sent else 0,
            },
            temps=octoprint.history_points(samples),
            logs=[octoprint.log_line(line) for line in lines] if logs else [],
            messages=(
                [line.text for line in lines if line.direction is Direction.RECEIVED]
                if messages
                else []
            ),
            server_time=time.time(),
            busy_files=(
                [{"origin": job.file.origin, "path": job.file.path}] if active and job else []
            ),
            markings=([{"type": "print", "label": "Start", "time": job.started}] if job else []),
        )


def _newest(items: Any, count: int) -> list[Any]:
    """The last `count` of a sequence, as far as it holds them."""
    size = len(items)
    return list(islice(items, max(0, size - max(0, count)), size))

"""Publish and subscribe: typed events, journaled before delivery, and telemetry, which is not.

Each subscriber has a queue and a task of its own: it gets everything in order, at its own pace, and
what it raises or how long it takes harms no other. Events are never left out. Telemetry beyond a
subscriber's bound is: the oldest goes first, and of a printer's snapshots only the newest waits.

All calls come from the thread of the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec

from bedplate.errors import StorageFullError, UnavailableError
from bedplate.journal import Journal, timestamp
from bedplate.messages.events import Envelope, PublicEvent
from bedplate.messages.frames import TerminalLine
from bedplate.messages.printer import PrinterSnapshot
from bedplate.messages.snapshot import Temperatures

log = logging.getLogger(__name__)

BREATH = 32
"""Deliveries in a row after which the loop gets a turn: plain handlers of a long queue don't hold
it.
"""

BACKLOG_WARNING = 1_000
"""Waiting events of one subscriber that are worth a line in the log; again at each doubling."""


class SnapshotChanged(msgspec.Struct, frozen=True):
    """Telemetry: what clients see of a printer has changed."""

    printer: str
    snapshot: PrinterSnapshot


class TemperatureSample(msgspec.Struct, frozen=True):
    """Telemetry: a temperature report of a printer."""

    printer: str
    temperatures: Temperatures


class TerminalLines(msgspec.Struct, frozen=True):
    """Telemetry: lines of a printer's terminal; `skipped` before them were left out."""

    printer: str
    lines: list[TerminalLine]
    skipped: int = 0


Telemetry = SnapshotChanged | TemperatureSample | TerminalLines

Handler = Callable[[Any], Awaitable[None] | None]
"""Takes an Envelope, or the telemetry asked for."""


class Subscription:
    """One subscriber's queue. `dropped` counts telemetry left out, `failures` what the handler
    raised.
    """

    def __init__(
        self,
        name: str,
        handler: Handler,
        events: tuple[type[PublicEvent], ...] | None,
        telemetry: tuple[type, ...],
        queue: int,
        on_close: Callable[[Subscription], None],
    ) -> None:
        self.name = name
        self.dropped = 0
        self.failures = 0
        self._handler = handler
        self._events = events
        self._telemetry = telemetry
        self._bound = queue
        self._on_close = on_close
        self._number = 0
        self._waiting: OrderedDict[int, Envelope | Telemetry] = OrderedDict()
        self._waiting_telemetry: OrderedDict[int, None] = OrderedDict()
        self._waiting_snapshots: dict[str, int] = {}
        self._warn_at = BACKLOG_WARNING
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """Events and telemetry that the handler has not taken yet."""
        return len(self._waiting)

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The delivery that is going on, None while nothing waits."""
        return self._task if self._task and not self._task.done() else None

    def offer_event(self, envelope: Envelope) -> None:
        """Queues an event, if it is of a class that the subscriber wants."""
        if self._events is None or isinstance(envelope.payload, self._events):
            self._put(envelope)
            if len(self._waiting) >= self._warn_at:
                log.warning("subscriber %s is behind by %d events", self.name, len(self._waiting))
                self._warn_at *= 2

    def offer_telemetry(self, item: Telemetry) -> None:
        """Queues telemetry, if the subscriber wants it, in the place of what it makes obsolete."""
        if self._closed or not isinstance(item, self._telemetry):
            return
        if isinstance(item, SnapshotChanged):
            obsolete = self._waiting_snapshots.get(item.printer)
            if obsolete is not None:
                self._remove(obsolete)
        while len(self._waiting_telemetry) >= self._bound:
            self._remove(next(iter(self._waiting_telemetry)))
            self.dropped += 1
        number = self._put(item)
        self._waiting_telemetry[number] = None
        if isinstance(item, SnapshotChanged):
            self._waiting_snapshots[item.printer] = number

    def close(self) -> None:
        """Ends the subscription at once: what waits is not delivered, a running handler is
        cancelled.

        A handler may close its own subscription; it then runs to its end.
        """
        if self._closed:
            return
        self._closed = True
        self._waiting.clear()
        self._on_close(self)
        if self._task and self._task is not asyncio.current_task():
            self._task.cancel()

    def _put(self, item: Envelope | Telemetry) -> int:
        self._number += 1
        if not self._closed:
            self._waiting[self._number] = item
            if self._task is None or self._task.done():
                loop = asyncio.get_running_loop()
                self._task = loop.create_task(self._deliver(), name=f"deliver to {self.name}")
        return self._number

    def _remove(self, number: int) -> Envelope | Telemetry:
        item = self._waiting.pop(number)
        self._waiting_telemetry.pop(number, None)
        if isinstance(item, SnapshotChanged):
            self._waiting_snapshots.pop(item.printer, None)
        return item

    async def _deliver(self) -> None:
        delivered = 0
        while self._waiting:
            item = self._remove(next(iter(self._waiting)))
            try:
                result = self._handler(item)
                if inspect.isawaitable(result):
                    await result
            except Exception:  # boundary: a subscriber harms only itself
                self.failures += 1
                what = item.type if isinstance(item, Envelope) else type(item).__name__
                log.exception("subscriber %s failed on %s", self.name, what)
            delivered += 1
            if delivered % BREATH == 0:
                await asyncio.sleep(0)
        self._warn_at = BACKLOG_WARNING


class EventBus:
    """Journals and delivers. `clock` gives an event's time, `new_id` its id (a UUID as text)."""

    def __init__(
        self, journal: Journal, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._subscriptions: tuple[Subscription, ...] = ()

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """Who listens, for the page that shows their health."""
        return self._subscriptions

    def publish(self, event: PublicEvent, printer: str | None = None) -> Envelope:
        """Journals an event of the host itself and hands it to every subscriber's queue.

        Where the journal can't be written (full disk) it is delivered all the same, with `seq` 0.
        """
        id, time = self._new_id(), timestamp(self._clock())
        try:
            envelope = self._journal.append(id=id, time=time, event=event, printer=printer)
        except (StorageFullError, UnavailableError) as error:
            log.error("%s is not in the journal: %s", type(event).__name__, error)
            envelope = Envelope(
                id=id, type=type(event).__name__, printer=printer, seq=0, time=time, payload=event
            )
        if envelope is None:
            raise RuntimeError(f"event id {id} was given twice")
        self._hand_out(envelope)
        return envelope

    def publish_from_link(
        self, printer: str, link: str, link_seq: int, id: str, time: str, event: PublicEvent
    ) -> Envelope | None:
        """The same for an event that a link sent; None where it was known already.

        Once this returns, the link may be told that it can forget the event. Raises
        StorageFullError where that is not so; the link keeps the event, and nobody has heard of it.
        """
        envelope = self._journal.append_from_link(
            printer=printer, link=link, link_seq=link_seq, id=id, time=time, event=event
        )
        if envelope is not None:
            self._hand_out(envelope)
        return envelope

    def telemetry(self, item: Telemetry) -> None:
        """Hands telemetry to the queues of those who want it; it is not journaled."""
        for subscription in self._subscriptions:
            subscription.offer_telemetry(item)

    def subscribe(
        self,
        name: str,
        handler: Handler,
        *,
        events: tuple[type[PublicEvent], ...] | None = None,
        telemetry: tuple[type, ...] = (),
        queue: int = 256,
    ) -> Subscription:
        """Calls `handler` from now on with events of these classes (None: all) and telemetry of
        these.

        `queue` bounds the telemetry that waits. A handler that returns an awaitable is awaited
        before it gets the next item.
        """
        subscription = Subscription(name, handler, events, telemetry, queue, self._forget)
        self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    async def close(self, timeout: float = 2.0) -> None:
        """Waits up to `timeout` seconds until every queue is empty, then ends all subscriptions."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while tasks := self._deliveries():
                    await asyncio.wait(tasks)
        running = self._deliveries()
        for subscription in self._subscriptions:
            if subscription.waiting:
                log.warning("%d items for %s are lost", subscription.waiting, subscription.name)
            subscription.close()
        await asyncio.gather(*running, return_exceptions=True)

    def _deliveries(self) -> list[asyncio.Task[None]]:
        return [task for s in self._subscriptions if (task := s.task) is not None]

    def _hand_out(self, envelope: Envelope) -> None:
        for subscription in self._subscriptions:
            subscription.offer_event(envelope)

    def _forget(self, subscription: Subscription) -> None:
        self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)

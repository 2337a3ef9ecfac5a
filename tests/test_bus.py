"""The bus: journal first, then every subscriber in order, each at its own pace."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import eventually

from bedplate.bus import EventBus, SnapshotChanged, TemperatureSample, TerminalLines
from bedplate.errors import UnavailableError
from bedplate.journal import Journal
from bedplate.messages.events import Envelope, FileAdded, FileRemoved, PrintDone
from bedplate.messages.printer import ConnectionView, PrinterSnapshot
from bedplate.messages.snapshot import FileRef, LineStatistics, Temperatures
from bedplate.messages.states import ConnectionState


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def bus(journal: Journal) -> EventBus:
    ids = map(str, itertools.count(1))
    return EventBus(journal, lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: next(ids))


def added(number: int) -> FileAdded:
    return FileAdded(path=str(number), origin="local")


def sample(number: float) -> TemperatureSample:
    return TemperatureSample("default", Temperatures(time=number, heaters={}))


def snapshot(number: float, printer: str = "default") -> SnapshotChanged:
    connection = ConnectionView(
        state=ConnectionState.CLOSED, text="Offline", port=None, baudrate=None, problem=None
    )
    return SnapshotChanged(
        printer,
        PrinterSnapshot(
            printer=printer,
            name="x",
            time=number,
            link_pid=None,
            connection=connection,
            firmware=None,
            temperatures=None,
            position=None,
            busy=None,
            line=LineStatistics(),
            selected=None,
            job=None,
        ),
    )


class Gate:
    """A handler that takes one item at a time, when it is told to."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._open = asyncio.Semaphore(0)

    async def __call__(self, item: Any) -> None:
        self.items.append(item)
        await self._open.acquire()

    def release(self) -> None:
        for _ in range(10_000):
            self._open.release()


async def test_every_subscriber_gets_every_event_in_order(bus: EventBus, journal: Journal) -> None:
    plain: list[Envelope] = []
    slow: list[Envelope] = []

    async def take(envelope: Envelope) -> None:
        await asyncio.sleep(0)
        slow.append(envelope)

    bus.subscribe("plain", plain.append)
    bus.subscribe("slow", take)
    published = [bus.publish(added(n)) for n in range(200)]
    await bus.close()
    assert plain == slow == published == journal.read(0)


async def test_an_event_is_in_the_journal_before_anybody_hears_of_it(
    bus: EventBus, journal: Journal
) -> None:
    seen: list[int] = []
    bus.subscribe("reader", lambda envelope: seen.append(journal.last_seq() - envelope.seq))
    bus.publish(added(1))
    assert seen == []
    await bus.close()
    assert seen == [0]


async def test_envelopes_carry_time_id_type_and_printer(bus: EventBus) -> None:
    event = PrintDone(file=FileRef(path="a", origin="local", size=1), job="j", time=1.0)
    envelope = bus.publish(event, "default")
    assert (envelope.id, envelope.type, envelope.printer) == ("1", "PrintDone", "default")
    assert envelope.time == "2026-01-01T00:00:00.000Z"


async def test_subscribers_get_only_what_they_asked_for(bus: EventBus) -> None:
    got: dict[str, list[Any]] = {"none": [], "removed": [], "temperatures": [], "events": []}
    bus.subscribe("none", got["none"].append, events=())
    bus.subscribe("removed", got["removed"].append, events=(FileRemoved,))
    bus.subscribe(
        "temperatures", got["temperatures"].append, events=(), telemetry=(TemperatureSample,)
    )
    bus.subscribe("events", got["events"].append)
    bus.publish(added(1))
    bus.publish(FileRemoved(path="1", origin="local"))
    bus.telemetry(sample(1))
    bus.telemetry(TerminalLines("default", []))
    await bus.close()
    assert got["none"] == []
    assert [e.type for e in got["removed"]] == ["FileRemoved"]
    assert got["temperatures"] == [sample(1)]
    assert [e.type for e in got["events"]] == ["FileAdded", "FileRemoved"]


async def test_a_failing_subscriber_harms_only_itself(
    bus: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    got: list[Any] = []

    def fail(envelope: Envelope) -> None:
        raise ValueError("broken on purpose")

    failing = bus.subscribe("failing", fail)
    bus.subscribe("good", got.append)
    for n in range(3):
        bus.publish(added(n))
    with caplog.at_level(logging.ERROR):
        await bus.close()
    assert failing.failures == 3
    assert len(got) == 3
    assert "failing failed on FileAdded" in caplog.text


async def test_a_slow_subscriber_loses_old_telemetry_but_no_event(bus: EventBus) -> None:
    gate = Gate()
    subscription = bus.subscribe("slow", gate, telemetry=(TemperatureSample,), queue=4)
    bus.publish(added(0))
    await eventually(lambda: gate.items)
    for n in range(1, 101):
        bus.publish(added(n))
        bus.telemetry(sample(n))
    assert subscription.waiting == 104
    gate.release()
    await eventually(lambda: len(gate.items) == 105)
    events = [item.payload.path for item in gate.items if isinstance(item, Envelope)]
    samples = [i.temperatures.time for i in gate.items if isinstance(i, TemperatureSample)]
    assert events == [str(n) for n in range(101)]
    assert samples == [97, 98, 99, 100]
    assert subscription.dropped == 96
    await bus.close()


async def test_of_a_printers_snapshots_only_the_newest_waits(bus: EventBus) -> None:
    gate = Gate()
    subscription = bus.subscribe("slow", gate, telemetry=(SnapshotChanged,), queue=4)
    bus.publish(added(0))
    await eventually(lambda: gate.items)
    for n in range(100):
        bus.telemetry(snapshot(n))
        bus.telemetry(snapshot(n, "other"))
    bus.publish(added(1))
    bus.telemetry(snapshot(100))
    gate.release()
    await eventually(lambda: len(gate.items) == 4)
    _, other, event, last = gate.items
    assert (other.printer, other.snapshot.time) == ("other", 99)
    assert isinstance(event, Envelope)
    assert (last.printer, last.snapshot.time) == ("default", 100)
    assert subscription.dropped == 0
    await bus.close()


async def test_a_link_event_that_comes_again_is_delivered_once(bus: EventBus) -> None:
    got: list[Any] = []
    bus.subscribe("all", got.append)
    sent = [
        bus.publish_from_link("default", "link", 1, "a", "2026-01-01T00:00:00.000Z", added(1))
        for _ in range(3)
    ]
    await bus.close()
    assert [envelope is not None for envelope in sent] == [True, False, False]
    assert len(got) == 1


async def test_a_closed_subscription_gets_nothing_more(bus: EventBus) -> None:
    got: list[Any] = []
    subscription = bus.subscribe("closing", got.append)
    bus.publish(added(1))
    subscription.close()
    subscription.close()
    bus.publish(added(2))
    await bus.close()
    assert got == []
    assert bus.subscriptions == ()


async def test_a_handler_may_close_its_own_subscription(bus: EventBus) -> None:
    done: list[str] = []

    async def once(envelope: Envelope) -> None:
        subscription.close()
        await asyncio.sleep(0)
        done.append(envelope.id)

    subscription = bus.subscribe("once", once)
    bus.publish(added(1))
    bus.publish(added(2))
    await eventually(lambda: done)
    await bus.close()
    assert done == ["1"]


async def test_closing_cancels_a_handler_that_hangs(bus: EventBus) -> None:
    gate = Gate()
    bus.subscribe("hanging", gate)
    bus.publish(added(1))
    bus.publish(added(2))
    await bus.close(timeout=0.05)
    assert len(gate.items) == 1
    assert bus.subscriptions == ()


async def test_plain_handlers_of_a_long_queue_let_the_loop_breathe(bus: EventBus) -> None:
    got: list[Any] = []
    bus.subscribe("long", got.append)
    for n in range(1000):
        bus.publish(added(n))
    turns = 0
    while len(got) < 1000:
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    await bus.close()


async def test_on_a_full_disk_events_are_still_delivered(
    bus: EventBus, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    got: list[Any] = []
    bus.subscribe("all", got.append)
    journal._database.execute("PRAGMA max_page_count = 1")
    with caplog.at_level(logging.ERROR):
        while bus.publish(added(1)).seq:
            pass
    await bus.close()
    assert got[-1].seq == 0
    assert len(got) == len(journal.read(0, 100_000)) + 1
    assert "not in the journal" in caplog.text


async def test_subscribing_and_publishing_inside_a_handler_works(bus: EventBus) -> None:
    got: list[Any] = []
    answer: Callable[[Envelope], Any] = lambda envelope: (  # noqa: E731
        bus.publish(FileRemoved(path="x", origin="local"))
        if isinstance(envelope.payload, FileAdded)
        else got.append(envelope)
    )
    bus.subscribe("answering", answer)
    bus.publish(added(1))
    await bus.close()
    assert [e.type for e in got] == ["FileRemoved"]


def test_the_journal_of_a_bus_belongs_to_one_thread(bus: EventBus) -> None:
    async def publish() -> None:
        await asyncio.to_thread(bus.publish, added(1))

    with pytest.raises(sqlite3.ProgrammingError):
        asyncio.run(publish())


async def test_a_locked_journal_stops_no_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.database.BUSY_TIMEOUT", 0.01)
    journal = Journal(tmp_path / "locked.sqlite")
    bus = EventBus(journal, lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: "id")
    got: list[Any] = []
    bus.subscribe("all", got.append)
    other = sqlite3.connect(tmp_path / "locked.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError):
        bus.publish_from_link("default", "link", 1, "a", "t", added(1))
    assert bus.publish(added(2)).seq == 0
    other.execute("ROLLBACK")
    other.close()
    again = bus.publish_from_link("default", "link", 1, "a", "t", added(1))
    assert again is not None
    assert again.seq == 1
    await bus.close()
    assert [envelope.payload.path for envelope in got] == ["2", "1"]
    journal.close()

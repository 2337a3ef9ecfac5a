"""The journal keeps every event, in order, whatever ends the host."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import bedplate
from bedplate.errors import StorageFullError
from bedplate.journal import PRUNE_AT_ONCE, Journal, timestamp
from bedplate.messages.events import FileAdded, FileRemoved, LayerChanged, PublicEvent

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def add(
    journal: Journal,
    number: int,
    event: PublicEvent | None = None,
    printer: str | None = None,
    time: datetime = NOON,
) -> None:
    event = event or FileAdded(path=f"{number}.gcode", origin="local")
    assert journal.append(id=f"id-{number}", time=timestamp(time), event=event, printer=printer)


def numbers(journal: Journal, after: int = 0) -> list[int]:
    return [envelope.seq for envelope in journal.read(after)]


def test_what_is_appended_is_read_back_in_order(journal: Journal) -> None:
    first = journal.append(
        id="a", time=timestamp(NOON), event=FileAdded(path="ä b.gcode", origin="local")
    )
    second = journal.append(
        id="b",
        time=timestamp(NOON),
        event=LayerChanged(job="j", layer=1, layers=2, z=0.2),
        printer="default",
    )
    assert first is not None
    assert second is not None
    assert (first.seq, second.seq) == (1, 2)
    assert journal.read(0) == [first, second]
    assert journal.read(1) == [second]
    assert journal.last_seq() == 2


def test_the_same_id_is_taken_once(journal: Journal) -> None:
    add(journal, 1)
    event = FileRemoved(path="x", origin="local")
    assert journal.append(id="id-1", time=timestamp(NOON), event=event) is None
    assert numbers(journal) == [1]


def test_reading_can_be_narrowed(journal: Journal) -> None:
    for number in range(6):
        kind = FileAdded if number % 2 else FileRemoved
        add(journal, number, kind(path="x", origin="local"), printer=f"p{number % 3}")
    assert [e.seq for e in journal.read(0, types=["FileAdded"])] == [2, 4, 6]
    assert [e.seq for e in journal.read(0, printer="p0")] == [1, 4]
    assert [e.seq for e in journal.read(0, limit=2)] == [1, 2]
    assert journal.read(0, types=[]) == []
    assert journal.read(0, types=["NoSuchEvent"]) == []


def test_events_that_this_version_does_not_know_are_left_out_but_stay(
    journal: Journal, tmp_path: Path
) -> None:
    add(journal, 1)
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        other.execute("INSERT INTO events VALUES (2, 'x', 'FromTheFuture', NULL, 't', '{}')")
        other.execute("INSERT INTO events VALUES (3, 'y', 'FileAdded', NULL, 't', '{\"path\": 1}')")
    other.close()
    add(journal, 4)
    assert numbers(journal) == [1, 4]
    assert [e.seq for e in journal.read(1, limit=1)] == [4]


def test_a_links_event_and_its_number_are_stored_together(journal: Journal) -> None:
    def store(seq: int, id: str) -> bool:
        stored = journal.append_from_link(
            printer="default",
            link="l1",
            link_seq=seq,
            id=id,
            time=timestamp(NOON),
            event=LayerChanged(job="j", layer=seq, layers=9, z=1.0),
        )
        return stored is not None

    assert journal.link_acknowledged("default", "l1") == 0
    assert store(1, "a")
    assert store(2, "b")
    assert not store(1, "a")
    assert not store(2, "b")
    assert journal.link_acknowledged("default", "l1") == 2
    assert journal.link_acknowledged("default", "l2") == 0
    assert journal.link_acknowledged("other", "l1") == 0
    assert not store(3, "a"), "an id that is there is not stored again, but acknowledged"
    assert journal.link_acknowledged("default", "l1") == 3
    assert numbers(journal) == [1, 2]


def test_cursors_are_kept(journal: Journal, tmp_path: Path) -> None:
    assert journal.get_cursor("webhooks") is None
    journal.set_cursor("webhooks", 4)
    journal.set_cursor("webhooks", 7)
    other = Journal(tmp_path / "journal.sqlite")
    assert other.get_cursor("webhooks") == 7
    other.remove_cursor("webhooks")
    other.close()
    assert journal.get_cursor("webhooks") is None


def test_pruning_keeps_the_newest_and_never_gives_a_number_twice(journal: Journal) -> None:
    for number in range(10):
        add(journal, number)
    assert journal.prune(keep=3) == 7
    assert numbers(journal) == [8, 9, 10]
    assert journal.prune(keep=0) == 3
    assert journal.last_seq() == 10
    add(journal, 11)
    assert numbers(journal) == [11]


def test_pruning_by_age_and_number_keeps_what_either_keeps(journal: Journal) -> None:
    for number in range(10):
        add(journal, number, time=NOON + timedelta(days=number))
    assert journal.prune(keep=2, before=NOON + timedelta(days=3)) == 3
    assert journal.prune(keep=100, before=NOON + timedelta(days=99)) == 0


def test_pruning_waits_for_the_slowest_reader(journal: Journal) -> None:
    for number in range(10):
        add(journal, number)
    journal.set_cursor("slow", 4)
    journal.set_cursor("fast", 9)
    assert journal.prune(keep=0) == 4
    journal.remove_cursor("slow")
    assert journal.prune(keep=0) == 5
    assert numbers(journal) == [10]


def test_pruning_takes_a_bounded_number_at_a_time(journal: Journal, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        other.executemany(
            "INSERT INTO events (id, type, time, payload) VALUES (?, 'FileAdded', 't', '{}')",
            [(str(n),) for n in range(PRUNE_AT_ONCE + 10)],
        )
    other.close()
    assert [journal.prune(keep=0) for _ in range(3)] == [PRUNE_AT_ONCE, 10, 0]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 6789, UTC), "2026-01-02T03:04:05.006Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 999999, UTC), "2026-01-02T03:04:05.999Z"),
        (
            datetime(2026, 1, 2, 0, 0, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-01T22:00:00.000Z",
        ),
    ],
)
def test_times_are_rfc_3339_in_utc(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text
    assert datetime.fromisoformat(text).tzinfo == UTC


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"this was a journal" * 1000)
    journal = Journal(path)
    add(journal, 1)
    journal.close()
    assert (tmp_path / "journal.sqlite.damaged").read_bytes().startswith(b"this was")


def test_another_thread_is_refused(journal: Journal) -> None:
    caught: list[type[BaseException]] = []

    def read() -> None:
        try:
            journal.last_seq()
        except sqlite3.ProgrammingError as error:
            caught.append(type(error))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert caught == [sqlite3.ProgrammingError]


WRITER = """
import sys; from pathlib import Path
from bedplate.journal import Journal
from bedplate.messages.events import FileAdded
journal = Journal(Path(sys.argv[1]))
n = journal.link_acknowledged("p", "l")
while True:
    n += 1
    event = FileAdded(path=str(n), origin="local")
    journal.append_from_link(printer="p", link="l", link_seq=n, id=f"{n}", time="t", event=event)
    print(n, flush=True)
"""


def test_a_kill_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=_environment()
        )
        assert process.stdout is not None
        with process.stdout:
            for _ in range(50):
                process.stdout.readline()
            process.kill()
            said = [int(line) for line in process.stdout.read().split()]
            process.wait()
        journal = Journal(path)
        stored = journal.last_seq()
        assert journal.link_acknowledged("p", "l") == stored >= max(said, default=50)
        paths = [
            e.payload.path for e in journal.read(0, 10_000) if isinstance(e.payload, FileAdded)
        ]
        assert paths == [str(n) for n in range(1, stored + 1)]
        journal.close()


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    """SQLite's own limit on pages gives the same error as a full disk."""
    journal = Journal(tmp_path / "journal.sqlite")
    journal._database.execute("PRAGMA max_page_count = 20")
    stored = 0
    for number in range(10_000):
        try:
            add(journal, number)
        except StorageFullError:
            break
        stored += 1
    assert 10 < stored < 10_000
    assert len(journal.read(0, 10_000)) == stored
    journal._database.execute("PRAGMA max_page_count = 10000")
    add(journal, 10_001)
    journal.close()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(bedplate.__file__).parent.parent)}

"""The small parts of a link: terminal, outbox, serial log, polling."""

from __future__ import annotations

import re
import socket
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.link import serial_log
from bedplate.link.channel import Connection
from bedplate.link.outbox import Outbox, new_id, rfc3339
from bedplate.link.polling import TemperaturePolling
from bedplate.link.serial_log import SerialLog
from bedplate.link.terminal import FRAME_LINES, UNSEEN, Readers, Terminal, for_the_host
from bedplate.messages.codec import frame_decoder
from bedplate.messages.events import PrinterDisconnected
from bedplate.messages.frames import (
    AnyFrame,
    Direction,
    EventFrame,
    Reply,
    TerminalFrame,
    TerminalLine,
)

SENT, RECEIVED, NOTE = Direction.SENT, Direction.RECEIVED, Direction.NOTE


# Terminal


def terminal() -> Terminal:
    return Terminal(lambda now: now + 1000)


def texts(frame: TerminalFrame | None) -> list[str]:
    return [] if frame is None else [line.text for line in frame.lines]


def test_a_terminal_that_nobody_watches_makes_no_lines_but_remembers() -> None:
    term = terminal()
    term.record((1.0, SENT, b"N1 M105*37\n"))
    term.record((2.0, RECEIVED, b"ok T:20\n"))
    term.note(3.0, "a note")
    assert term.take() is None
    assert term.recent().lines == [
        TerminalLine(1001.0, SENT, "N1 M105*37"),
        TerminalLine(1002.0, RECEIVED, "ok T:20"),
        TerminalLine(1003.0, NOTE, "a note"),
    ]


@given(st.lists(st.integers(1, 12)))
def test_received_lines_are_whole_however_they_arrive(sizes: list[int]) -> None:
    content = b"ok\nT:20.0 /0.0 B:21\r\necho:busy: processing\nok\n"
    term = terminal()
    term.watch(True)
    seen: list[str] = []
    for size in [*sizes, len(content)]:
        piece, content = content[:size], content[size:]
        if piece:
            term.record((0.0, RECEIVED, piece))
        seen += texts(term.take())
    assert seen == ["ok", "T:20.0 /0.0 B:21", "echo:busy: processing", "ok"]
    assert term.take() is None


def test_the_host_is_shown_the_last_lines_and_what_was_not_shown_is_counted() -> None:
    term = terminal()
    term.watch(True)
    for number in range(FRAME_LINES + 7):
        term.record((0.0, SENT, b"G1 X%d\n" % number))
    taken = term.take()
    assert taken is not None
    assert (len(taken.lines), taken.skipped) == (FRAME_LINES + 7, 0)
    frame = for_the_host(taken)
    assert (len(frame.lines), frame.skipped) == (FRAME_LINES, 7)
    assert frame.lines[-1].text == f"G1 X{FRAME_LINES + 6}"
    assert for_the_host(frame) == frame
    for number in range(UNSEEN + 5):
        term.record((0.0, SENT, b"G1 X%d\n" % number))
    taken = term.take()
    assert taken is not None
    assert (len(taken.lines), taken.skipped) == (UNSEEN, 5)
    assert for_the_host(taken).skipped == UNSEEN + 5 - FRAME_LINES
    assert len(term.recent().lines) == FRAME_LINES


def test_watching_begins_anew_each_time() -> None:
    term = terminal()
    term.watch(True)
    term.record((0.0, RECEIVED, b"half a li"))
    assert term.take() is None
    term.watch(False)
    assert not term.is_watched
    term.record((0.0, RECEIVED, b"ne\n"))
    term.watch(True)
    term.record((0.0, RECEIVED, b"ok\n"))
    assert texts(term.take()) == ["ok"]


def test_every_reader_gets_every_line_from_when_it_joined() -> None:
    term = terminal()
    readers = Readers(term)
    first: list[TerminalFrame] = []
    second: list[TerminalFrame] = []
    for number, change in enumerate(
        [
            lambda: readers.join(first.append),
            lambda: readers.join(second.append),
            lambda: readers.join(second.append),
            lambda: readers.leave(first.append),
            lambda: readers.leave(first.append),
        ]
    ):
        change()
        for _ in range(FRAME_LINES + 1):
            term.record((0.0, SENT, b"G1 X%d\n" % number))
        readers.hand_out()
        readers.hand_out()
    assert [(frame.lines[0].text, len(frame.lines)) for frame in first] == [
        (f"G1 X{number}", FRAME_LINES + 1) for number in (0, 1, 2)
    ]
    assert [frame.lines[0].text for frame in second] == [f"G1 X{n}" for n in (1, 2, 3, 4)]
    readers.leave(second.append)
    assert not term.is_watched


def test_the_last_lines_for_an_alarm_are_those_of_the_printer() -> None:
    term = terminal()
    for number in range(5):
        term.record((0.0, SENT, b"G1 X%d\n" % number))
        term.record((0.0, RECEIVED, b"ok %d\r\n\n" % number))
    assert term.last_lines(2) == ["ok 3", "ok 4"]


# Outbox


def numbers(frames: list[bytes]) -> list[int]:
    found = [frame for f in frames for frame in frame_decoder().feed(f)]
    return [frame.seq for frame in found if isinstance(frame, EventFrame)]


def put(outbox: Outbox, store: bool) -> None:
    outbox.put(PrinterDisconnected(port="x"), 0.0, store=store)


def test_the_outbox_keeps_what_is_not_acknowledged(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "events.jsonl")
    for _ in range(4):
        put(outbox, store=False)
    outbox.acknowledge(2)
    assert numbers(outbox.frames_after(0)) == [3, 4]
    assert numbers(outbox.frames_after(3)) == [4]
    outbox.acknowledge(99)
    assert outbox.frames_after(0) == []
    put(outbox, store=False)
    assert numbers(outbox.frames_after(0)) == [5]


def test_events_are_stored_once_each_while_no_host_is_there(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    outbox = Outbox(path)
    outbox.store_pending()
    assert not path.exists()
    put(outbox, store=False)
    put(outbox, store=False)
    outbox.acknowledge(1)
    outbox.store_pending()
    put(outbox, store=True)
    outbox.store_pending()
    assert numbers([path.read_bytes()]) == [2, 3]
    outbox.forget_stored()
    assert not path.exists()
    put(outbox, store=False)
    outbox.store_pending()
    assert numbers([path.read_bytes()]) == [2, 3, 4]


def test_a_full_disk_does_not_disturb_the_outbox(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "missing" / "events.jsonl")
    put(outbox, store=True)
    assert numbers(outbox.frames_after(0)) == [1]


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1.9996, "1970-01-01T00:00:02.000Z"),
        (1700000000.25, "2023-11-14T22:13:20.250Z"),
    ],
)
def test_times_of_day(time: float, text: str) -> None:
    assert rfc3339(time) == text


def test_ids_are_random_uuids() -> None:
    made = {new_id() for _ in range(100)}
    assert len(made) == 100
    for text in made:
        number = uuid.UUID(text)
        assert (number.version, number.variant) == (4, uuid.RFC_4122)
        assert str(number) == text


# Serial log


def test_the_serial_log_shows_time_and_direction(tmp_path: Path) -> None:
    path = tmp_path / "serial.log"
    log = SerialLog(path)
    log.write(TerminalFrame(lines=[TerminalLine(1.25, SENT, "M105")]))
    log.write(TerminalFrame(lines=[TerminalLine(2.0, RECEIVED, "ok")], skipped=3))
    first, left_out, second = path.read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.250 > M105", first)
    assert left_out == "# 3 lines left out"
    assert second.endswith(" < ok")


def test_a_large_serial_log_is_put_aside_and_one_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_log, "SIZE_LIMIT", 1000)
    path = tmp_path / "serial.log"
    log = SerialLog(path)
    for number in range(100):
        log.write(TerminalFrame(lines=[TerminalLine(0.0, SENT, f"M117 {number}")]))
    aside = tmp_path / "serial.log.1"
    assert {entry.name for entry in tmp_path.iterdir()} <= {path.name, aside.name}
    assert 1000 < aside.stat().st_size < 1100
    kept = aside.read_text() + (path.read_text() if path.exists() else "")
    assert kept.splitlines()[-1].endswith("M117 99")


def test_a_serial_log_that_can_not_be_written_is_no_fault(tmp_path: Path) -> None:
    SerialLog(tmp_path).write(TerminalFrame(lines=[TerminalLine(0.0, SENT, "M105")]))


# Polling


def test_a_question_each_interval_and_none_where_the_printer_reports_by_itself() -> None:
    polling = TemperaturePolling(2.0)
    assert not polling.is_due(100.0)
    polling.start(100.0, enabled=True)
    asked = [now / 10 for now in range(1000, 1100) if polling.is_due(now / 10)]
    assert asked == [102.0, 104.0, 106.0, 108.0]
    polling.start(110.0, enabled=False)
    assert not polling.is_due(200.0)


# Connection


def test_a_connection_that_is_not_read_drops_telemetry_and_keeps_events() -> None:
    near, far = socket.socketpair()
    connection = Connection(near)
    lines = [TerminalLine(0.0, SENT, "x" * 1000)] * 20
    sent = 0
    while connection.send(TerminalFrame(lines=lines), telemetry=True):
        sent += 1
        assert sent < 1000, "it grows without bound"
    assert connection.wants_to_write
    assert connection.send(Reply(request=7))
    decoder = frame_decoder()
    seen: list[AnyFrame] = []
    far.settimeout(5)
    while Reply(request=7) not in seen:
        connection.flush()
        seen += decoder.feed(far.recv(1 << 20))
    assert [type(frame) for frame in seen] == [TerminalFrame] * sent + [Reply]
    assert not connection.wants_to_write
    assert connection.send(TerminalFrame(lines=lines), telemetry=True)
    connection.close()
    far.close()


def test_the_end_of_a_connection_is_told_once_while_its_descriptor_is_its_own() -> None:
    near, far = socket.socketpair()
    connection = Connection(near)
    told: list[int] = []
    connection.on_close = lambda: told.append(connection.fileno())
    number = near.fileno()
    far.close()
    assert connection.read() == []
    connection.close()
    assert not connection.send(Reply(request=1))
    assert told == [number]

"""Lines, numbers and checksums are judged as Marlin judges them."""

from __future__ import annotations

import pytest
from plugins.virtual_printer.tests.conversation import numbered

from bedplate_virtual_printer.serial_line import MAX_LINE, Accepted, Rejected, SerialLine


def lines_of(data: bytes, *, pieces: int = 1) -> list[bytes]:
    line = SerialLine()
    for start in range(0, len(data), pieces):
        line.feed(data[start : start + pieces])
    found = []
    while (taken := line.next_line()) is not None:
        found.append(taken)
    return found


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"M105\n", [b"M105"]),
        (b"M105\r\n", [b"M105"]),
        (b"M105\r", [b"M105"]),
        (b"M105\nM114\n", [b"M105", b"M114"]),
        (b"\n\n  \n", []),
        (b"; a comment\n", []),
        (b"M105 ; temperature\n", [b"M105 "]),
        (b"   M105\n", [b"M105"]),
        (b"M10", []),
        (b"\xff\xfe\x00\x80M105\n", [b"\xff\xfe"]),
        (b"M117 " + b"x" * 120 + b"\n", [b"M117 " + b"x" * (MAX_LINE - 5)]),
        (b"x" * 10_000 + b"\nM105\n", [b"x" * MAX_LINE, b"M105"]),
    ],
)
@pytest.mark.parametrize("pieces", [1, 7, 100_000])
def test_a_stream_is_cut_into_lines(data: bytes, lines: list[bytes], pieces: int) -> None:
    assert lines_of(data, pieces=pieces) == lines


@pytest.mark.parametrize(
    ("last", "line", "verdict", "last_then"),
    [
        (0, b"N1 M105*38", Accepted(b"M105", 1), 1),
        (0, b"M105", Accepted(b"M105", None), 0),
        (4, b"M105*35", Accepted(b"M105", None), 4),
        (2, b"N3 M105*37", Rejected("checksum mismatch"), 2),
        (3, b"N9 M105*46", Rejected("Line Number is not Last Line Number+1"), 3),
        (3, b"N3 M105*36", Rejected("Line Number is not Last Line Number+1"), 3),
        (4, b"N5 M105", Rejected("No Checksum with line number"), 4),
        (7, b"N-1 M110*15", Accepted(b"M110", -1), -1),
        (7, b"N0 M110 N0*125", Accepted(b"M110 N0", 0), 0),
        (7, b"N100 M110 N100*125", Accepted(b"M110 N100", 100), 100),
        (101, b"N0 M110 N0*126", Rejected("checksum mismatch"), 101),
        (0, b"N1 M117 a*b*44", Accepted(b"M117 a*b", 1), 1),
    ],
)
def test_a_line_is_checked(
    last: int, line: bytes, verdict: Accepted | Rejected, last_then: int
) -> None:
    subject = SerialLine()
    subject.last_number = last
    assert subject.check(line) == verdict
    assert subject.last_number == last_then


def test_a_numbered_line_that_is_too_long_loses_its_checksum() -> None:
    subject = SerialLine()
    subject.feed(numbered(1, "M117 " + "x" * 90).encode() + b"\n")
    line = subject.next_line()
    assert line is not None
    assert subject.check(line) == Rejected("No Checksum with line number")


def test_a_flush_forgets_half_a_line_too() -> None:
    subject = SerialLine()
    subject.feed(b"M105\nM1")
    subject.flush()
    subject.feed(b"14\n")
    assert subject.next_line() == b"14"

"""Taking one line of G-code apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.gcode.words import command_of, words


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"G1 X10 Y-5.5", [("G", 1), ("X", 10), ("Y", -5.5)]),
        (b"G1X10Y5", [("G", 1), ("X", 10), ("Y", 5)]),
        (b"g1 x.2 e-.8", [("G", 1), ("X", 0.2), ("E", -0.8)]),
        (b"G1 Z1. F+1800", [("G", 1), ("Z", 1), ("F", 1800)]),
        (b"G1 X 10 Y 20", [("G", 1), ("X", 10), ("Y", 20)]),
        (b"G01 X1", [("G", 1), ("X", 1)]),
        (b"G28 X Y", [("G", 28), ("X", None), ("Y", None)]),
        (b"G28 W ; home all", [("G", 28), ("W", None)]),
        (b"M862.3 P1", [("M", 862.3), ("P", 1)]),
        (b"G1 X1E5", [("G", 1), ("X", 1), ("E", 5)]),
        (b"N3 G1 X2*57", [("G", 1), ("X", 2)]),
        (b"N12G28*9 ; home", [("G", 28)]),
        (b"G1 X1*43", [("G", 1), ("X", 1)]),
        (b"G1 (a note) X2 (another", [("G", 1), ("X", 2)]),
        (b"  \tM105\r\n", [("M", 105)]),
        (b"\xef\xbb\xbfG21", [("G", 21)]),
        (b"M117 Layer 3 (of 40)", [("M", 117)]),
        (b"M23 /X2.GCO", [("M", 23)]),
        (b"G1 X0 Y{depth} Z5", [("G", 1), ("X", 0), ("Y", None)]),
        (b"G1 X99999999999", [("G", 1), ("X", None)]),
        (b"", []),
        (b"; G1 X1", []),
        (b"(G1 X1)", []),
        (b"START_PRINT BED=60", []),
        (b"@pause", []),
        (b"\xff\xfe\x00", []),
    ],
)
def test_words_of_a_line(line: bytes, expected: list[tuple[str, float | None]]) -> None:
    assert words(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"G1 X1 ; wall", b"G1 X1"),
        (b"N7 G1 X1 *99\n", b"G1 X1"),
        (b"M117 50% (half); shown", b"M117 50% (half)"),
        (b"N5 M117 2*3*80", b"M117 2*3"),
        (b"M117 2*3", b"M117 2*3"),
        (b"SET_PIN PIN=fan VALUE=1", b"SET_PIN PIN=fan VALUE=1"),
        (b" ;only a comment", b""),
    ],
)
def test_the_command_of_a_line(line: bytes, expected: bytes) -> None:
    assert command_of(line) == expected


@given(st.binary())
def test_any_bytes_give_words_with_believable_numbers(line: bytes) -> None:
    for letter, value in words(line):
        assert letter.isascii()
        assert letter.isupper()
        assert value is None or abs(value) <= 1e6


@given(
    st.lists(
        st.tuples(st.sampled_from("XYZEFIJ"), st.integers(-99999, 99999).map(lambda n: n / 100)),
        max_size=6,
    )
)
def test_what_is_written_is_read_with_or_without_blanks(parts: list[tuple[str, float]]) -> None:
    expected = [("G", 1.0), *parts]
    for blank in ("", " "):
        line = "G1" + "".join(f"{blank}{letter}{value:.2f}" for letter, value in parts)
        assert words(line.encode()) == expected

"""Bytes to lines, in any chunking."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bedplate.protocol.linebuffer import LINE_LIMIT, LineBuffer


def test_a_line_comes_out_when_its_end_arrives() -> None:
    lines = LineBuffer()
    assert lines.feed(b"o") == []
    assert lines.feed(b"") == []
    assert lines.feed(b"k") == []
    assert lines.feed(b"\nT:2") == [b"ok"]
    assert lines.feed(b"0\n\nwait\n") == [b"T:20", b"", b"wait"]


def test_a_carriage_return_stays() -> None:
    assert LineBuffer().feed(b"ok\r\nok\n") == [b"ok\r", b"ok"]


def test_a_begun_line_can_be_forgotten() -> None:
    lines = LineBuffer()
    lines.feed(b"\xff\xfe\x00")
    lines.clear()
    assert lines.feed(b"start\n") == [b"start"]


def test_noise_without_an_end_is_cut() -> None:
    lines = LineBuffer()
    assert lines.feed(b"x" * LINE_LIMIT) == []
    assert lines.feed(b"x") == [b"x" * LINE_LIMIT]
    assert lines.feed(b"y\nok\n") == [b"xy", b"ok"]


@given(
    st.lists(st.binary(max_size=30).map(lambda part: part.replace(b"\n", b"")), max_size=8),
    st.lists(st.integers(0, 3 * LINE_LIMIT), max_size=3),
    st.data(),
)
def test_chunking_makes_no_difference(
    parts: list[bytes], long: list[int], data: st.DataObject
) -> None:
    text = b"".join(part + b"\n" for part in [*parts, *(b"z" * length for length in long)]) + b"end"
    whole = LineBuffer().feed(text)
    assert all(len(line) <= LINE_LIMIT for line in whole)
    assert b"".join(whole) + b"end" == text.replace(b"\n", b"")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    lines = LineBuffer()
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert [line for piece in pieces for line in lines.feed(piece)] == whole

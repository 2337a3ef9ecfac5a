"""Numbers, checksums and line ends."""

from __future__ import annotations

from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.protocol.encode import checksum, numbered


@pytest.mark.parametrize(
    ("number", "command", "wire"),
    [
        # Lines that real firmwares accepted.
        (1, b"M105", b"N1 M105*38\n"),
        (2, b"M105", b"N2 M105*37\n"),
        (0, b"M110", b"N0 M110*35\n"),
        (0, b"M110 N0", b"N0 M110 N0*125\n"),
        (1, b"G21", b"N1 G21*27\n"),
        (6, b"G1 X80.000 Y60.000 E0.0100 F6000", b"N6 G1 X80.000 Y60.000 E0.0100 F6000*59\n"),
    ],
)
def test_lines_as_firmwares_take_them(number: int, command: bytes, wire: bytes) -> None:
    assert numbered(number, command) == wire


@given(st.binary(max_size=2000))
def test_the_checksum_is_the_exclusive_or_of_all_bytes(line: bytes) -> None:
    assert checksum(line) == reduce(xor, line, 0)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 255, 1000, 4096])
def test_the_checksum_of_lines_of_every_length(length: int) -> None:
    for fill in (b"\xff", b"\x01", b"X"):
        assert checksum(fill * length) == reduce(xor, fill * length, 0)
        assert checksum(bytes(length) + b"\x42") == 0x42
        assert checksum(b"\x42" + bytes(length)) == 0x42

"""A file in blocks of whole lines, in bounded memory whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol

CHUNK = 64 * 1024
"""Bytes read at a time: larger ones are no faster, and each line of a block costs about 15 times
its size."""

MAX_LINE = 64 * 1024
"""Longer lines are cut here; the longest that slicers write (their settings, as comments) have a
few KiB."""


class Hash(Protocol):
    """What the blocks need of a hash."""

    def update(self, data: bytes, /) -> None: ...


class Block(NamedTuple):
    """Whole lines (the last of the file may lack its `\\n`) and the byte offset of the first."""

    offset: int
    data: bytes
    cut: bool = False
    """The block is one line, of which only the first `MAX_LINE` bytes are here."""


def blocks(stream: BinaryIO, digest: Hash, chunk_size: int = CHUNK) -> Iterator[Block]:
    """Read a stream to its end; `digest` is fed every byte. How it is chunked changes no line."""
    offset = 0  # of the first byte of `rest`
    rest = b""
    skipping = 0  # bytes of an overlong line that were dropped so far
    while data := stream.read(chunk_size):
        digest.update(data)
        if skipping:
            end = data.find(b"\n") + 1
            if not end:
                skipping += len(data)
                continue
            offset += skipping + end
            skipping = 0
            data = data[end:]
        rest += data
        end = rest.rfind(b"\n") + 1
        if end:
            yield from _shortened(offset, rest[:end])
            offset += end
            rest = rest[end:]
        if len(rest) > MAX_LINE:
            yield Block(offset, rest[:MAX_LINE], cut=True)
            skipping = len(rest)
            rest = b""
    if rest:
        yield Block(offset, rest)


def _shortened(offset: int, data: bytes) -> Iterator[Block]:
    """Give a block as it is, or line by line where one is overlong."""
    if len(data) <= MAX_LINE:
        yield Block(offset, data)
        return
    lines = data[:-1].split(b"\n")
    if max(map(len, lines)) <= MAX_LINE:
        yield Block(offset, data)
        return
    for line in lines:
        if len(line) > MAX_LINE:
            yield Block(offset, line[:MAX_LINE], cut=True)
        else:
            yield Block(offset, line + b"\n")
        offset += len(line) + 1

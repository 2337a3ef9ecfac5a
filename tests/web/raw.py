"""HTTP by hand over a socket: for requests that no well-meaning client sends."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

TIMEOUT = 10


@dataclass
class RawAnswer:
    """Status, headers (lower case) and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Raw:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> Raw:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(TIMEOUT):
            await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next answer."""
        async with asyncio.timeout(TIMEOUT):
            head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        return int(first.split()[1]), headers

    async def answer(self) -> RawAnswer:
        """The next answer, whole."""
        status, headers = await self.head()
        async with asyncio.timeout(TIMEOUT):
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return RawAnswer(status, headers, body)

    async def rest(self) -> bytes:
        """All until the other side closes."""
        async with asyncio.timeout(TIMEOUT):
            return await self.reader.read()

    async def close(self) -> None:
        """Ends the connection, whatever the other side does."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


def request(
    method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> bytes:
    """A request as bytes; without a body there is no Content-Length."""
    lines = {"Host": "127.0.0.1", **(headers or {})}
    if body:
        lines.setdefault("Content-Length", str(len(body)))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body

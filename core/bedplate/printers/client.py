"""The host's end of a link's socket: requests with replies, and frames as they come."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from typing import Any

import msgspec

from bedplate.errors import LinkError
from bedplate.messages.codec import CodecError, encode, frame_decoder
from bedplate.messages.commands import Acknowledge, AnyCommand, Attach, WatchTerminal
from bedplate.messages.frames import PROTOCOL_VERSION, AnyFrame, Hello, Reply

REPLY_TIMEOUT = 15.0
"""Seconds for a link to answer: opening a port may take some, everything else is at once."""
READ_SIZE = 65536


class LinkClient:
    """One connection to a link, attached."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_frame: Callable[[AnyFrame], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Reply]] = {}
        self._decoder = frame_decoder()
        self._hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._read(), name="frames of a link")

    @classmethod
    async def connect(
        cls, path: str, on_frame: Callable[[AnyFrame], None], on_closed: Callable[[], None]
    ) -> LinkClient:
        """Connect to the socket at `path`. Raises OSError."""
        reader, writer = await asyncio.open_unix_connection(path)
        return cls(reader, writer, on_frame, on_closed)

    async def attach(self, acknowledged: Callable[[Hello], int]) -> Hello:
        """Take the link over; `acknowledged` tells its last event that is in the journal.

        Raises LinkError where the link speaks another version or does not answer.
        """
        async with asyncio.timeout(REPLY_TIMEOUT):
            hello = await self._hello
        await self.request(
            Attach(
                protocol=PROTOCOL_VERSION,
                host_pid=os.getpid(),
                link=hello.link,
                acknowledged=acknowledged(hello),
            )
        )
        return hello

    async def request(self, command: AnyCommand) -> None:
        """Send a command and wait until the link has carried it out. Raises LinkError."""
        number = next(self._numbers)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._replies[number] = future
        try:
            self.tell(msgspec.structs.replace(command, request=number))
            async with asyncio.timeout(REPLY_TIMEOUT):
                reply = await future
        except TimeoutError:
            raise LinkError("The printer's link does not answer.", "link_silent", 503) from None
        finally:
            del self._replies[number]
        if reply.error is not None:
            raise LinkError(reply.error.message, reply.error.code, reply.error.status)

    def tell(self, command: AnyCommand | Acknowledge | WatchTerminal) -> None:
        """Send a command that needs no answer. Raises LinkError when the link is gone."""
        if self._writer.is_closing():
            raise LinkError("The printer's link is gone.", "link_lost", 503)
        self._writer.write(encode(command))

    async def close(self) -> None:
        """End the connection; the link goes on."""
        self._on_closed = lambda: None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(READ_SIZE):
                for frame in self._decoder.feed(data):
                    if isinstance(frame, Reply):
                        future = self._replies.get(frame.request)
                        if future is not None and not future.done():
                            future.set_result(frame)
                    elif isinstance(frame, Hello):
                        self._hello.set_result(frame)
                    else:
                        self._on_frame(frame)
        except (OSError, CodecError):
            pass
        finally:
            self._writer.close()
            waiting: list[asyncio.Future[Any]] = [*self._replies.values(), self._hello]
            for future in waiting:
                if not future.done():
                    future.set_exception(LinkError("The printer's link is gone.", "link_lost", 503))
                    future.exception()  # nobody may be waiting: that is no fault to be logged
            self._on_closed()

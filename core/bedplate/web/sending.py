"""Files as answers: in pieces, with ranges and validators, always as an attachment or a named
type."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from bedplate.errors import NotFoundError

CHUNK = 256 * 1024
"""Bytes held at a time for a client: large enough to be fast, small enough for many clients."""


@dataclass(frozen=True, kw_only=True)
class SentFile:
    """A file to send. With `attachment` (the name to save it under) browsers never show it."""

    path: Path
    media_type: str
    attachment: str | None = None
    cache_control: str = "no-cache"


def content_disposition(name: str) -> str:
    """An attachment under any name: ASCII for old clients, UTF-8 for the others (RFC 6266)."""
    plain = re.sub(r'[^\x20-\x7e]|["\\]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def etag_of(size: int, mtime_ns: int) -> str:
    """Strong validator of a file: it is replaced as a whole, so size and time tell versions
    apart."""
    return f'"{size:x}-{mtime_ns:x}"'


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a single range; None: send everything. Raises ValueError for a range
    outside of the file (RFC 9110: 416)."""
    match = re.fullmatch(r"bytes=\s*([0-9]*)-([0-9]*)\s*", header)
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        start = max(size - int(last), 0)
        if int(last) == 0 or size == 0:
            raise ValueError(header)
        return start, size - 1
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise ValueError(header)
    return int(first), min(int(last), size - 1) if last else size - 1


async def send_file(handler: RequestHandler, sent: SentFile) -> None:
    """Answers a request with a file. Raises NotFoundError where it is gone."""
    try:
        file = await asyncio.to_thread(sent.path.open, "rb")
    except OSError:
        raise NotFoundError("The file is not there any more.") from None
    with file:
        await _send(handler, file, sent)


async def _send(handler: RequestHandler, file: BinaryIO, sent: SentFile) -> None:
    state = os.fstat(file.fileno())
    etag = etag_of(state.st_size, state.st_mtime_ns)
    modified = datetime.fromtimestamp(int(state.st_mtime), UTC)
    handler.set_header("Content-Type", sent.media_type)
    handler.set_header("ETag", etag)
    handler.set_header("Last-Modified", format_datetime(modified, usegmt=True))
    handler.set_header("Cache-Control", sent.cache_control)
    handler.set_header("Accept-Ranges", "bytes")
    if sent.attachment is not None:
        handler.set_header("Content-Disposition", content_disposition(sent.attachment))
    headers = handler.request.headers
    if _unchanged(headers.get("If-None-Match"), headers.get("If-Modified-Since"), etag, modified):
        handler.set_status(304)
        handler.finish()
        return
    first, last = 0, state.st_size - 1
    wanted = headers.get("Range")
    if wanted and headers.get("If-Range", etag) == etag:
        try:
            found = parse_range(wanted, state.st_size)
        except ValueError:
            handler.set_status(416)
            handler.set_header("Content-Range", f"bytes */{state.st_size}")
            handler.finish()
            return
        if found is not None:
            first, last = found
            handler.set_status(206)
            handler.set_header("Content-Range", f"bytes {first}-{last}/{state.st_size}")
    handler.set_header("Content-Length", str(last - first + 1))
    if handler.request.method == "HEAD":
        handler.finish()
        return
    await _copy(handler, file, first, last - first + 1)


async def _copy(handler: RequestHandler, file: BinaryIO, start: int, count: int) -> None:
    file.seek(start)
    try:
        while count > 0:
            data = await asyncio.to_thread(file.read, min(CHUNK, count))
            if not data:
                handler.request.connection.close()  # type: ignore[union-attr]
                return
            handler.write(data)
            await handler.flush()
            count -= len(data)
        handler.finish()
    except StreamClosedError:
        return


def _unchanged(etags: str | None, since: str | None, etag: str, modified: datetime) -> bool:
    if etags is not None:
        given = [part.strip().removeprefix("W/") for part in etags.split(",")]
        return "*" in given or etag in given
    if since is None:
        return False
    try:
        return modified <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False

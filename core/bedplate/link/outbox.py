"""Events that must reach the host's journal: kept, and sent again, until the host acknowledged
them.

While no host is attached they are also appended to a file, so that they survive the end of this
process; a host that starts later finds them there (`bedplate.printers.leftovers`).
"""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path

from bedplate.messages.codec import encode_event
from bedplate.messages.events import PublicEvent


def rfc3339(unix_time: float) -> str:
    """A time of day as text, UTC, milliseconds."""
    milliseconds = round(unix_time * 1000)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{stamp}.{milliseconds % 1000:03d}Z"


def new_id() -> str:
    """A random (version 4) UUID as text, without importing a module for it."""
    number = int.from_bytes(os.urandom(16), "big")
    number = number & ~(0xF000 << 64) | 0x4000 << 64
    number = number & ~(0xC000 << 48) | 0x8000 << 48
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Outbox:
    """The link's events, numbered from 1."""

    def __init__(self, stored: Path) -> None:
        self._stored = stored
        self._pending: deque[tuple[int, bytes]] = deque()
        self._seq = 0
        self._stored_seq = 0
        """Events up to this one are in the file, or need not be."""

    def put(self, event: PublicEvent, unix_time: float, *, store: bool) -> bytes:
        """Number and keep an event; `store` it in the file too. Returns its frame."""
        self._seq += 1
        frame = encode_event(self._seq, new_id(), rfc3339(unix_time), event)
        self._pending.append((self._seq, frame))
        if store:
            self.store_pending()
        return frame

    def acknowledge(self, seq: int) -> None:
        """The host's journal holds all events up to `seq`."""
        while self._pending and self._pending[0][0] <= seq:
            self._pending.popleft()

    def frames_after(self, seq: int) -> list[bytes]:
        """All frames with a higher number, oldest first."""
        return [frame for number, frame in self._pending if number > seq]

    def store_pending(self) -> None:
        """The host is gone: put what it did not acknowledge on disk, each event once."""
        frames = self.frames_after(self._stored_seq)
        self._stored_seq = self._seq
        if frames:
            self._append(frames)

    def forget_stored(self) -> None:
        """A host is attached and gets them from memory."""
        self._stored.unlink(missing_ok=True)
        self._stored_seq = 0

    def _append(self, frames: list[bytes]) -> None:
        """The disk may be full: the events are still in memory, and printing goes on."""
        try:
            with self._stored.open("ab") as file:
                file.write(b"".join(frames))
        except OSError:
            return

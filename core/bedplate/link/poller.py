"""Waiting: for descriptors that are ready, or for the next deadline, whichever comes first."""

from __future__ import annotations

import select
import time
from collections.abc import Callable

READABLE = select.POLLIN
HAS_ROOM = select.POLLOUT


class Poller:
    """Descriptors and who is told of them: of what is ready (a poll mask), and the time."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[int, float], None]] = {}

    def watch(self, fd: int, handler: Callable[[int, float], None]) -> None:
        """Tell `handler` whenever there is something to read."""
        self._handlers[fd] = handler
        self._poll.register(fd, READABLE)

    def wait_for_room(self, fd: int, on: bool) -> None:
        """Tell its handler too when there is room to write, or no more."""
        self._poll.modify(fd, READABLE | HAS_ROOM if on else READABLE)

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor, before it is closed."""
        if self._handlers.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def turn(self, due: float) -> float:
        """Wait, until `due` (monotonic seconds) at most, tell whoever is concerned; the time."""
        ready = self._poll.poll(max(0.0, (due - time.monotonic()) * 1000 + 0.5))
        now = time.monotonic()
        for fd, mask in ready:
            handler = self._handlers.get(fd)
            if handler is not None:
                handler(mask, now)
        return now

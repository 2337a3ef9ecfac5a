"""One push client: what it asked for, what it has seen, and a bounded queue for when it reads
slowly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from bedplate.web.permissions import Actor

MAX_PENDING = 100
"""Messages that may wait for a client; OctoPrint holds as many back. One more, and it is closed: it
connects again and gets the whole state, which is better for both than a growing queue."""

CURRENT_INTERVAL = 0.5
"""Seconds between two `current` messages to a client at least; `throttle` multiplies it."""

MAX_THROTTLE = 120


class Transport(Protocol):
    """A way to a client."""

    @property
    def ready(self) -> bool:
        """Whether what was sent so far has left: one more message would not pile up here."""

    def send(self, messages: list[str]) -> None:
        """Sends JSON objects, in order."""

    def close(self) -> None:
        """Ends the connection; the hub is told by the transport once it is over."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants. Without a `subscribe` message: everything that OctoPrint sends
    unasked."""

    state: bool = True
    logs: bool = True
    messages: bool = True
    events: bool | frozenset[str] = True
    plugins: bool | frozenset[str] = True
    snapshot: bool = False

    @property
    def terminal(self) -> bool:
        """Whether lines of the conversation with the printer are wanted."""
        return self.state and (self.logs or self.messages)

    def wants_event(self, name: str) -> bool:
        """Whether events of this name are wanted."""
        return self.events if isinstance(self.events, bool) else name in self.events

    def wants_plugin(self, plugin: str) -> bool:
        """Whether messages of this plugin are wanted."""
        return self.plugins if isinstance(self.plugins, bool) else plugin in self.plugins


def parse_subscription(value: Mapping[str, Any]) -> Subscription:
    """A `subscribe` message's content. What it does not name is off.

    Lines may be asked for by a regular expression; they are all sent then, because an expression
    from outside could hold the host up, and whoever sends one sorts out the lines anyway.
    """
    state = value.get("state", False)
    if isinstance(state, Mapping):
        logs, messages = bool(state.get("logs", False)), bool(state.get("messages", False))
    else:
        logs, messages = bool(state), False
    return Subscription(
        state=bool(state) or isinstance(state, Mapping),
        logs=logs,
        messages=messages,
        events=_names(value.get("events", False)),
        plugins=_names(value.get("plugins", False)),
        snapshot=value.get("snapshot") is True,
    )


def _names(value: Any) -> bool | frozenset[str]:
    if isinstance(value, list):
        return frozenset(name for name in value if isinstance(name, str))
    return bool(value)


class PushClient:
    """A client of a hub. The counters say up to where it has seen what the hub collects."""

    def __init__(self, transport: Transport, actor: Actor) -> None:
        self.transport = transport
        self.actor = actor
        self.subscription = Subscription()
        self.throttle = 1
        self.current_seen = -1
        self.snapshot_seen = -1
        self.lines_seen = 0
        self.samples_seen = 0
        self.next_current = 0.0
        self._pending: list[str] = []
        self._closed = False

    @property
    def ready(self) -> bool:
        """Whether a message would leave at once."""
        return not self._closed and not self._pending and self.transport.ready

    def offer(self, message: str) -> None:
        """Sends a message now, or keeps it until the client reads again."""
        if self._closed:
            return
        if self.ready:
            self.transport.send([message])
        elif len(self._pending) < MAX_PENDING:
            self._pending.append(message)
        else:
            self.close()

    def flush(self) -> None:
        """For the transport: it is ready again."""
        if self._pending and not self._closed and self.transport.ready:
            pending, self._pending = self._pending, []
            self.transport.send(pending)

    def close(self) -> None:
        """Ends the connection and forgets what waits."""
        if not self._closed:
            self._closed = True
            self._pending.clear()
            self.transport.close()

"""The link's side of its socket: who is connected, which of them is the host, and all that it is
told.

A command comes in by `_connection_ready` and `_obey`, which answers it; an event goes out by
`emit`, a state by `send_snapshot`, the terminal by `_show`. What the commands do is not known here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from bedplate import __version__
from bedplate.errors import BedplateError, ConflictError, ForbiddenError
from bedplate.link import log
from bedplate.link.channel import Connection, Listener
from bedplate.link.outbox import Outbox, new_id
from bedplate.link.poller import HAS_ROOM, Poller
from bedplate.link.terminal import Readers, Terminal, for_the_host
from bedplate.messages import commands
from bedplate.messages.events import PublicEvent
from bedplate.messages.frames import (
    PROTOCOL_VERSION,
    Hello,
    LinkOptions,
    Reply,
    ReplyError,
    SnapshotFrame,
    TerminalFrame,
)
from bedplate.messages.snapshot import LinkSnapshot

FROM_ANYBODY = commands.Attach | commands.EmergencyStop
"""What a connection may ask for that is not the host."""


class HostSide:
    """The connections to a link, one of them its host, if it has one.

    `carry_out` does what a command says and raises BedplateError where it can't; `snapshot` gives
    the state at a time.
    """

    def __init__(
        self,
        options: LinkOptions,
        poller: Poller,
        terminal: Terminal,
        readers: Readers,
        *,
        now: float,
        carry_out: Callable[[Connection, commands.AnyCommand, float], None],
        snapshot: Callable[[float], LinkSnapshot],
    ) -> None:
        self._options = options
        self._poller = poller
        self._terminal = terminal
        self._readers = readers
        self._carry_out = carry_out
        self._snapshot = snapshot
        self._name = new_id()
        self._listener = Listener(options.socket, self._greet)
        self._connections: list[Connection] = []
        self._host: Connection | None = None
        self.outbox = Outbox(Path(options.directory) / f"events.{self._name}.jsonl")
        self._lonely_since: float | None = now
        self._patience = options.lonely_idle
        """Seconds without a host until the link shall end."""
        self._changed = True
        self.has_news = False
        """Whether an event was told since the last snapshot: the state follows it at once."""
        poller.watch(self._listener.fileno(), lambda mask, now: self._listener.accept())

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    # Connections and their commands

    def _greet(self, connection: Connection) -> None:
        """Somebody connected to the socket."""
        self._connections.append(connection)
        fd = connection.fileno()
        connection.on_close = lambda: self._poller.unwatch(fd)
        self._poller.watch(fd, lambda mask, now: self._connection_ready(connection, mask, now))
        connection.send(
            Hello(
                protocol=PROTOCOL_VERSION,
                printer=self._options.printer,
                pid=os.getpid(),
                link=self._name,
                version=__version__,
            )
        )

    def _connection_ready(self, connection: Connection, mask: int, now: float) -> None:
        if mask & HAS_ROOM:
            connection.flush()
        if mask & ~HAS_ROOM:
            for command in connection.read():
                self._obey(connection, command, now)
        if not connection.is_open:
            self._drop_closed(now)
            return
        self._wait_for_room(connection)

    def _obey(self, connection: Connection, command: commands.AnyCommand, now: float) -> None:
        """Have a command carried out, and answer it."""
        try:
            if connection is not self._host and not isinstance(command, FROM_ANYBODY):
                raise ForbiddenError("Attach to this link first.")
            self._carry_out(connection, command, now)
            error = None
        except BedplateError as refused:
            error = ReplyError(
                code=refused.code, message=refused.message, status=refused.http_status
            )
        if command.request:
            self.send_snapshot(now)
            connection.send(Reply(request=command.request, error=error))

    def _wait_for_room(self, connection: Connection) -> None:
        """Wait for room in the socket while something is unsent."""
        if connection.is_open:
            self._poller.wait_for_room(connection.fileno(), connection.wants_to_write)

    def _drop_closed(self, now: float) -> None:
        for connection in [one for one in self._connections if not one.is_open]:
            self._connections.remove(connection)
            if connection is self._host:
                self._host = None
                self._readers.leave(self._show)
                self._lonely_since = now
                self._patience = self._options.lonely_idle
                self.outbox.store_pending()
        for connection in self._connections:
            self._wait_for_room(connection)

    # The host

    def attach(self, connection: Connection, command: commands.Attach) -> None:
        """This connection is the host from now on. Raises ConflictError where it speaks another
        version."""
        if command.protocol != PROTOCOL_VERSION:
            raise ConflictError(
                f"This link speaks version {PROTOCOL_VERSION}, the host version"
                f" {command.protocol}. Let the print end; then the host starts a new link."
            )
        if self._host is not None and self._host is not connection:
            self._host.close()
        log.write(f"host {command.host_pid} attached")
        self._host = connection
        self._readers.leave(self._show)
        self._lonely_since = None
        known = command.acknowledged if command.link == self._name else 0
        self.outbox.acknowledge(known)
        for frame in self.outbox.frames_after(known):
            connection.send(frame)
        self.outbox.forget_stored()
        self.changed()

    def lonely_for(self, now: float) -> float:
        """Seconds without a host, 0 while there is one."""
        return 0.0 if self._lonely_since is None else now - self._lonely_since

    def is_lonely_for_too_long(self, now: float) -> bool:
        """Whether nobody has been interested in this link for long enough."""
        return self.lonely_for(now) > self._patience

    def job_ended(self, now: float) -> None:
        """The outcome is on disk: wait longer than usual for a host that wants to know."""
        self._patience = self._options.lonely_after_job
        if self._lonely_since is not None:
            self._lonely_since = now

    # What is told

    def emit(self, event: PublicEvent) -> None:
        """A public event, to the host now and again until it is acknowledged."""
        frame = self.outbox.put(event, time.time(), store=self._host is None)
        log.write(type(event).__name__)
        self.changed()
        self.has_news = True
        if self._host is not None:
            self._host.send(frame)

    def changed(self) -> None:
        """The state is not what the host was told last: a snapshot is due."""
        self._changed = True

    def send_snapshot(self, now: float) -> None:
        """The newest state to the host; stays due while the host does not read."""
        self.has_news = False
        if self._host is not None:
            frame = SnapshotFrame(snapshot=self._snapshot(now))
            self._changed = not self._host.send(frame, telemetry=True)

    def watch_terminal(self, on: bool) -> None:
        """The host has readers for the terminal, or none any more."""
        self._readers.leave(self._show)
        if on and self._host is not None:
            self._readers.hand_out()
            self._host.send(self._terminal.recent(), telemetry=True)
            self._readers.join(self._show)

    def _show(self, frame: TerminalFrame) -> None:
        if self._host is not None:
            self._host.send(for_the_host(frame), telemetry=True)

    def keep_house(self, now: float) -> None:
        """What can wait: a snapshot that is due, and connections that have ended."""
        if self._changed:
            self.send_snapshot(now)
        self._drop_closed(now)

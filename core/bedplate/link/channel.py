"""The link's end of its socket: one attached host, and any other connection for an emergency stop.

Nothing here ever blocks. A host that does not read loses telemetry first; its events wait in the
outbox.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from bedplate.messages.codec import CodecError, command_decoder, encode
from bedplate.messages.commands import AnyCommand
from bedplate.messages.frames import AnyFrame

TELEMETRY_LIMIT = 256 * 1024
"""Unsent bytes beyond which telemetry is dropped: a second of a busy terminal."""
READ_SIZE = 65536


class Connection:
    """One connection to the link's socket."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._decoder = command_decoder()
        self._unsent = bytearray()
        self.is_open = True
        self.on_close: Callable[[], None] = _nothing
        """Called once, while the descriptor is still this connection's own."""

    def fileno(self) -> int:
        """Descriptor to wait on."""
        return self._socket.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes wait for room in the socket."""
        return bool(self._unsent)

    def read(self) -> list[AnyCommand]:
        """Commands that have arrived. The connection is closed after it when the other side is
        gone."""
        try:
            data = self._socket.recv(READ_SIZE)
            commands = self._decoder.feed(data)
        except BlockingIOError:
            return []
        except (OSError, CodecError):
            self.close()
            return []
        if not data:
            self.close()
        return commands

    def send(self, frame: AnyFrame | bytes, *, telemetry: bool = False) -> bool:
        """Send a frame now, or as soon as there is room. False: telemetry, dropped as too much
        waits."""
        if not self.is_open or (telemetry and len(self._unsent) > TELEMETRY_LIMIT):
            return False
        self._unsent += frame if isinstance(frame, bytes) else encode(frame)
        self.flush()
        return True

    def flush(self) -> None:
        """Write what fits."""
        if not self._unsent or not self.is_open:
            return
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        del self._unsent[:sent]

    def close(self) -> None:
        """End it; never raises."""
        if not self.is_open:
            return
        self.is_open = False
        self.on_close()
        self._unsent.clear()
        self._socket.close()


def _nothing() -> None:
    """What happens on the end of a connection that nobody watches."""


class Listener:
    """The socket itself. Raises OSError where it can't be made."""

    def __init__(self, path: str, on_connection: Callable[[Connection], None]) -> None:
        self._path = path
        self._on_connection = on_connection
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        if os.path.lexists(path):
            os.unlink(path)
        self._socket.bind(path)
        self._socket.listen(8)

    def fileno(self) -> int:
        """Descriptor to wait on."""
        return self._socket.fileno()

    def accept(self) -> None:
        """Take one connection."""
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return
        self._on_connection(Connection(connection))

    def close(self) -> None:
        """Stop listening and remove the socket's name."""
        self._socket.close()
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            return

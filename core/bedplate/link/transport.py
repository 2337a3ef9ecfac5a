"""The way to the printer: serial ports, pseudo-terminals, and pyserial's network URLs.

A transport has a file descriptor to wait on, and reads and writes without blocking. Opening may
block (a network URL waits for its peer).
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import termios
import threading
from typing import Protocol

import serial

from bedplate.errors import PortError

READ_SIZE = 65536
DEFAULT_BAUDRATE = 115200


class PortBusyError(PortError):
    """Another program holds the port."""

    code = "port_busy"


class PortMissingError(PortError):
    """There is no such port."""

    code = "port_missing"


class PortForbiddenError(PortError):
    """The system does not let us open the port."""

    code = "port_forbidden"


class Transport(Protocol):
    """What the loop needs of a line to a printer."""

    def fileno(self) -> int:
        """Descriptor that becomes readable when bytes arrive."""

    def read(self) -> bytes:
        """Bytes that have arrived; b"" when there are none after all. Raises OSError when the port
        is gone."""

    def write(self, data: bytes) -> int:
        """Write what fits now; returns how many bytes did. Raises OSError when the port is gone."""

    def set_baudrate(self, baudrate: int) -> None:
        """Go on at another rate. Raises PortError where that is not possible."""

    def close(self) -> None:
        """Close the port; never raises."""


class TtyTransport:
    """A serial port or a pseudo-terminal: pyserial sets it up, the bytes go straight to the
    descriptor."""

    def __init__(self, path: str, baudrate: int) -> None:
        self._port = _open_with_pyserial(path, baudrate)
        self._fd: int = self._port.fileno()
        if not is_pseudo_terminal(path):
            # Keeps out whoever does not lock. Not on a pseudo-terminal: there the other side's own
            # descriptor would keep the flag alive behind a link that was killed, and us out.
            fcntl.ioctl(self._fd, termios.TIOCEXCL)

    def fileno(self) -> int:
        return self._fd

    def read(self) -> bytes:
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError(errno.EIO, "the port was unplugged")
        return data

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    def set_baudrate(self, baudrate: int) -> None:
        try:
            self._port.baudrate = baudrate
        except (ValueError, OSError) as error:
            raise PortError(f"The port can't run at {baudrate} baud: {error}") from error

    def close(self) -> None:
        try:
            self._port.close()
        except OSError:
            return


class BridgedTransport:
    """A port without a usable descriptor (rfc2217://): two threads carry its bytes to a socket
    pair."""

    def __init__(self, url: str, baudrate: int) -> None:
        self._port = _open_with_pyserial(url, baudrate)
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        for carry in (self._carry_in, self._carry_out):
            threading.Thread(target=carry, daemon=True).start()

    def _carry_in(self) -> None:
        try:
            while data := self._port.read(self._port.in_waiting or 1):
                self._far.sendall(data)
        except (OSError, serial.SerialException, TypeError):
            pass  # pyserial answers a port closed under it with any of these
        self._end()

    def _carry_out(self) -> None:
        try:
            while data := self._far.recv(READ_SIZE):
                self._port.write(data)
        except (OSError, serial.SerialException, TypeError):
            pass
        self._end()

    def _end(self) -> None:
        try:
            self._far.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def fileno(self) -> int:
        return self._near.fileno()

    def read(self) -> bytes:
        return _read_socket(self._near)

    def write(self, data: bytes) -> int:
        return _write_socket(self._near, data)

    def set_baudrate(self, baudrate: int) -> None:
        try:
            self._port.baudrate = baudrate
        except (ValueError, serial.SerialException) as error:
            raise PortError(f"The port can't run at {baudrate} baud: {error}") from error

    def close(self) -> None:
        self._near.close()
        self._far.close()
        self._port.close()


class SocketTransport:
    """A raw TCP connection (`socket://host:port`): pyserial makes it, we use its socket."""

    def __init__(self, url: str) -> None:
        self._port = _open_with_pyserial(url, DEFAULT_BAUDRATE)
        self._socket = socket.socket(fileno=os.dup(self._port.fileno()))
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> bytes:
        return _read_socket(self._socket)

    def write(self, data: bytes) -> int:
        return _write_socket(self._socket, data)

    def set_baudrate(self, baudrate: int) -> None:
        """A raw connection has none."""

    def close(self) -> None:
        self._socket.close()
        self._port.close()


def _read_socket(connection: socket.socket) -> bytes:
    try:
        data = connection.recv(READ_SIZE)
    except BlockingIOError:
        return b""
    if not data:
        raise OSError(errno.EPIPE, "the connection was closed by the other side")
    return data


def _write_socket(connection: socket.socket, data: bytes) -> int:
    try:
        return connection.send(data)
    except BlockingIOError:
        return 0


def open_transport(target: str, baudrate: int) -> Transport:
    """Open a device path or a pyserial URL, for us alone. Raises PortError with words that help."""
    scheme, is_url, _ = target.partition("://")
    if not is_url:
        return TtyTransport(target, baudrate)
    if scheme == "socket":
        return SocketTransport(target)
    if scheme == "rfc2217":
        return BridgedTransport(target, baudrate)
    raise PortError(f"{target} can't be used as a port: only socket:// and rfc2217:// URLs can.")


def is_pseudo_terminal(target: str) -> bool:
    """Whether a program stands behind the port, not a wire: there is no baud rate."""
    return os.path.realpath(target).startswith("/dev/pts/")


def _open_with_pyserial(target: str, baudrate: int) -> serial.SerialBase:
    is_tty = "://" not in target
    if is_tty and os.path.exists(target) and not stat.S_ISCHR(os.stat(target).st_mode):
        raise PortError(f"{target} is not a serial port.")
    try:
        # `exclusive` takes an advisory lock (flock), which keeps out root too where TIOCEXCL does
        # not.
        return serial.serial_for_url(
            target,
            baudrate=baudrate,
            timeout=0 if is_tty else None,
            write_timeout=None,
            exclusive=True if is_tty else None,
        )
    except ValueError as error:
        raise PortError(f"{target} can't be used as a port: {error}") from error
    except (serial.SerialException, OSError) as error:
        raise _explain(target, error) from error


def _explain(target: str, error: OSError) -> PortError:
    number = error.errno
    if number is None and "exclusively lock" in str(error):
        number = errno.EBUSY
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return PortBusyError(f"{target} is in use by another program. Close it there first.")
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return PortMissingError(f"There is no port {target}. Is the printer plugged in?")
    if number in (errno.EACCES, errno.EPERM):
        return PortForbiddenError(
            f"This account may not open {target}. Add it to the group that owns the port"
            " (often dialout) and log in anew."
        )
    return PortError(f"{target} can't be opened: {error}")

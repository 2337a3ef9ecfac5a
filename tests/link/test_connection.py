"""Connecting: to a printer, to something that is none, to a port that can't be had."""

from __future__ import annotations

import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Callable
from pathlib import Path

import pytest
import serial
import serial.rfc2217
from tests.processes import LinkClient, Workshop, commands_of, make_file, without_added

from bedplate.messages.commands import Connect, Disconnect, LineSettings, SendGcode
from bedplate.messages.events import PrinterConnected, PrinterError, PrintFailed
from bedplate.messages.states import ConnectionState, Outcome

SHORT = LineSettings(greeting_timeout=0.1, answer_timeout=0.1)


def connect(client: LinkClient, port: str, settings: LineSettings = SHORT) -> str:
    """Try to connect; the code of the error, "" where the port could be opened."""
    error = client.ask(Connect(port=port, target=port, settings=settings))
    return "" if error is None else error.code


def error_of(client: LinkClient) -> PrinterError:
    event = client.payload("PrinterError")
    assert isinstance(event, PrinterError)
    return event


def test_the_virtual_printer_introduces_itself(workshop: Workshop) -> None:
    printer = workshop.printer()
    client = workshop.link().attach()
    client.connect(printer.path)
    assert client.names() == ["PrinterConnecting", "PrinterConnected"]
    connected = client.payload("PrinterConnected")
    assert isinstance(connected, PrinterConnected)
    firmware = client.snapshot.firmware
    assert firmware is not None
    assert firmware.dialect == "marlin"
    assert connected.firmware == firmware.name
    assert connected.port == client.snapshot.port == printer.path
    client.until(lambda: client.snapshot.temperatures, "temperatures")
    assert client.snapshot.temperatures is not None
    assert set(client.snapshot.temperatures.heaters) == {"tool0", "bed"}
    client.do(Disconnect())
    assert client.names()[-1] == "PrinterDisconnected"
    client.until(lambda: client.snapshot.state is ConnectionState.CLOSED, "closed")
    assert client.snapshot.port is None


def test_connecting_anew_again_and_again(workshop: Workshop) -> None:
    printer = workshop.printer()
    client = workshop.link().attach()
    for _ in range(3):
        client.connect(printer.path)
        client.do(Disconnect())
        client.until(lambda: client.snapshot.state is ConnectionState.CLOSED, "closed")
    assert (
        client.names()
        == [
            "PrinterConnecting",
            "PrinterConnected",
            "PrinterDisconnected",
        ]
        * 3
    )


class Mute:
    """A pty with something behind it that is no printer: says `babble` after each line it gets."""

    def __init__(self, babble: bytes = b"") -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self.received = b""
        self._slave = slave
        self._babble = babble
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            if select.select([self.master], [], [], 0.02)[0]:
                self.received += os.read(self.master, 1000)
                os.write(self.master, self._babble)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def mute(workshop: Workshop) -> Callable[..., Mute]:
    def make(babble: bytes = b"") -> Mute:
        made = Mute(babble)
        workshop.defer(made.end)
        return made

    return make


def test_a_port_where_nobody_answers(workshop: Workshop, mute: Callable[..., Mute]) -> None:
    silent = mute()
    client = workshop.link().attach()
    assert connect(client, silent.path) == ""
    error = error_of(client)
    assert error.reason == "no_answer"
    assert error.port == silent.path
    client.until(lambda: client.snapshot.state is ConnectionState.ERROR, "state error")
    assert client.snapshot.problem is not None
    assert client.snapshot.problem.hint
    assert client.names() == ["PrinterConnecting", "PrinterError"]
    assert b"M110" in silent.received


@pytest.mark.parametrize("babble", [b"\x80\xfe\x00\xff\n", b"login: \n"])
def test_a_port_where_something_else_answers(
    workshop: Workshop, mute: Callable[..., Mute], babble: bytes
) -> None:
    client = workshop.link().attach()
    assert connect(client, mute(babble).path) == ""
    assert error_of(client).reason == "not_understood"


def test_after_an_error_another_port_can_be_tried(
    workshop: Workshop, mute: Callable[..., Mute]
) -> None:
    printer = workshop.printer()
    client = workshop.link().attach()
    assert connect(client, mute().path) == ""
    error_of(client)
    client.connect(printer.path)
    assert client.snapshot.problem is None


def test_commands_without_a_printer_are_refused(workshop: Workshop) -> None:
    client = workshop.link().attach()
    error = client.ask(SendGcode(commands=["G28"]))
    assert error is not None
    assert (error.status, error.message) == (409, "The printer is not connected.")


def test_one_command_is_one_line(workshop: Workshop) -> None:
    printer = workshop.printer()
    client = workshop.link().attach()
    client.connect(printer.path)
    error = client.ask(SendGcode(commands=["M117 a\nM112"]))
    assert error is not None
    assert error.status == 400
    assert "M112" not in printer.record


# Ports that can't be had


def test_a_port_that_is_not_there(workshop: Workshop) -> None:
    client = workshop.link().attach()
    assert connect(client, "/dev/ttyNOWHERE") == "port_missing"
    assert error_of(client).reason == "port_missing"
    assert client.snapshot.state is ConnectionState.ERROR


@pytest.mark.parametrize("kind", ["folder", "file", "pipe"])
def test_what_is_not_a_port(workshop: Workshop, kind: str) -> None:
    path = workshop.folder / "thing"
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.touch()
    else:
        os.mkfifo(path)
    client = workshop.link().attach()
    assert connect(client, str(path)) == "port_error"
    assert "is not a serial port" in error_of(client).error


@pytest.mark.parametrize("url", ["loop://?x=1", "nonsense://x", "socket://nowhere"])
def test_a_url_that_leads_nowhere(workshop: Workshop, url: str) -> None:
    client = workshop.link().attach()
    assert connect(client, url)
    assert error_of(client).error


def test_a_device_that_is_no_terminal(workshop: Workshop) -> None:
    client = workshop.link().attach()
    assert connect(client, "/dev/null") == "port_error"


def test_a_port_is_held_alone_even_against_root(workshop: Workshop, tmp_path: Path) -> None:
    printer = workshop.printer()
    first = workshop.link().attach()
    first.connect(printer.path)
    with pytest.raises(serial.SerialException, match="exclusively lock"):
        serial.Serial(printer.path, exclusive=True)
    other = Workshop(tmp_path)
    workshop.defer(other.close)
    other.folder = tmp_path / "other"
    other.folder.mkdir()
    second = other.link().attach()
    assert connect(second, printer.path) == "port_busy"
    assert "in use by another program" in error_of(second).error
    first.do(Disconnect())
    second.connect(printer.path)


def test_a_port_that_another_program_holds(workshop: Workshop) -> None:
    printer = workshop.printer()
    holder = serial.Serial(printer.path, exclusive=True)
    workshop.defer(holder.close)
    client = workshop.link().attach()
    assert connect(client, printer.path) == "port_busy"
    holder.close()
    client.connect(printer.path)


def test_a_link_that_was_killed_leaves_the_port_free(workshop: Workshop) -> None:
    printer = workshop.printer()
    link = workshop.link()
    link.attach().connect(printer.path)
    link.process.kill()
    link.process.wait()
    workshop.link().attach().connect(printer.path)


def test_a_port_that_vanishes_ends_the_print_and_is_not_opened_again(
    workshop: Workshop,
) -> None:
    printer = workshop.printer("--link", str(workshop.folder / "port"))
    client = workshop.link().attach()
    client.connect(str(workshop.folder / "port"))
    client.print(make_file(workshop.folder / "x.gcode", 30000))
    client.wait_for_offset(5000)
    printer.end()
    failed = client.payload("PrintFailed")
    assert isinstance(failed, PrintFailed)
    assert failed.reason == "port_lost"
    assert failed.line > 0
    client.until(lambda: client.snapshot.state is ConnectionState.ERROR, "state error")
    assert client.job.outcome is Outcome.FAILED
    assert client.names()[-2:] == ["PrintFailed", "PrinterError"]
    again = workshop.printer("--link", str(workshop.folder / "port"))
    assert client.ask(SendGcode(commands=["G28"])) is not None
    assert again.record == []
    client.connect(str(workshop.folder / "port"))
    assert without_added(again.record) == []


# Through a network


class PtyPort(serial.Serial):  # type: ignore[misc]
    """A pseudo-terminal has no modem lines."""

    cts = dsr = ri = cd = False

    def _update_rts_state(self) -> None:
        pass

    def _update_dtr_state(self) -> None:
        pass


class Bridge:
    """Carries bytes between one TCP client and a port, plain or as RFC 2217 has it."""

    def __init__(self, port: str, *, rfc2217: bool) -> None:
        self._serial = PtyPort(port, timeout=0.005)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._rfc2217 = rfc2217
        self._ended = threading.Event()
        self._connection: socket.socket | None = None
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def write(self, data: bytes) -> None:
        """Called by pyserial's server side with what it has to say."""
        if self._connection is not None:
            self._connection.sendall(data)

    def _accept(self) -> None:
        self._listener.settimeout(0.05)
        while not self._ended.is_set():
            try:
                self._connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._serve(self._connection)
            return

    def _serve(self, connection: socket.socket) -> None:
        manager = serial.rfc2217.PortManager(self._serial, self) if self._rfc2217 else None
        connection.settimeout(0.02)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        down = threading.Thread(target=self._carry_down, args=(connection, manager))
        self._threads.append(down)
        down.start()
        while not self._ended.is_set():
            data = self._serial.read(self._serial.in_waiting or 1)
            if data:
                escaped = b"".join(manager.escape(data)) if manager else data
                try:
                    connection.sendall(escaped)
                except OSError:
                    return

    def _carry_down(
        self, connection: socket.socket, manager: serial.rfc2217.PortManager | None
    ) -> None:
        while not self._ended.is_set():
            try:
                data = connection.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            self._serial.write(b"".join(manager.filter(data)) if manager else data)

    def hang_up(self) -> None:
        """Close the connection, as a network that breaks does."""
        assert self._connection is not None
        self._connection.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if self._connection is not None:
            self._connection.close()
        self._listener.close()
        self._serial.close()


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
def test_a_printer_behind_a_network_prints_exactly(workshop: Workshop, scheme: str) -> None:
    printer = workshop.printer("--on-open", "greet")
    bridge = Bridge(printer.path, rfc2217=scheme == "rfc2217")
    workshop.defer(bridge.end)
    client = workshop.link().attach()
    url = f"{scheme}://{bridge.address}"
    client.connect(url, baudrate=115200)
    source = make_file(workshop.folder / "x.gcode", 60)
    client.print(source)
    assert client.wait_for_end().outcome is Outcome.DONE
    assert without_added(printer.record) == commands_of(source)


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
def test_a_network_that_breaks_is_a_lost_port(workshop: Workshop, scheme: str) -> None:
    printer = workshop.printer()
    bridge = Bridge(printer.path, rfc2217=scheme == "rfc2217")
    workshop.defer(bridge.end)
    client = workshop.link().attach()
    client.connect(f"{scheme}://{bridge.address}", baudrate=115200)
    client.print(make_file(workshop.folder / "x.gcode", 30000))
    client.wait_for_offset(100)
    bridge.hang_up()
    assert client.wait_for_end().outcome is Outcome.FAILED
    assert error_of(client).reason == "port_lost"


def test_a_network_address_where_nobody_listens(workshop: Workshop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    client = workshop.link().attach()
    assert connect(client, f"socket://{address}") == "port_error"
    assert address in error_of(client).error


# The baud rate. A pseudo-terminal has none, so a gate stands before it here, in the link's own
# process: bytes pass at one rate and come out as garbage at all others.

GATE = """
import os, sys
from bedplate.link import __main__ as program, line, transport
from bedplate.protocol import conversation

RATE = int(os.environ["GATE_RATE"])


class Gate(transport.TtyTransport):
    def __init__(self, path, baudrate):
        super().__init__(path, baudrate)
        self.rate = baudrate

    def set_baudrate(self, baudrate):
        self.rate = baudrate

    def read(self):
        return self.garble(super().read())

    def write(self, data):
        return super().write(self.garble(data))

    def garble(self, data):
        return data if self.rate == RATE else bytes(byte ^ 0x55 | 0x80 for byte in data)


conversation.HANDSHAKE_RETRY = 0.4
line.open_transport = Gate
line.is_pseudo_terminal = lambda target: False
sys.exit(program.main())
"""


@pytest.mark.parametrize("rate", [115200, 250000, 230400, 9600])
def test_an_unknown_baud_rate_is_found(workshop: Workshop, rate: int) -> None:
    printer = workshop.printer()
    client = workshop.link(program=GATE, environment={"GATE_RATE": str(rate)}).attach()
    client.connect(printer.path)
    assert client.snapshot.baudrate == rate
    source = make_file(workshop.folder / "x.gcode", 20)
    client.print(source)
    assert client.wait_for_end().outcome is Outcome.DONE
    assert [c for c in printer.record if c.startswith("G1")] == commands_of(source)


def test_no_rate_is_understood(workshop: Workshop) -> None:
    printer = workshop.printer()
    client = workshop.link(program=GATE, environment={"GATE_RATE": "1"}).attach()
    assert connect(client, printer.path) == ""
    error = error_of(client)
    assert error.reason == "no_answer"
    assert "any of the usual baud rates" in error.error


def test_a_rate_that_was_given_is_the_only_one_tried(workshop: Workshop) -> None:
    printer = workshop.printer()
    link = workshop.link(program=GATE, environment={"GATE_RATE": "250000"})
    client = link.attach()
    client.do(Connect(port=printer.path, target=printer.path, baudrate=115200, settings=SHORT))
    assert error_of(client).reason in ("no_answer", "not_understood")
    assert "Trying" not in link.log.read_text()
    client.connect(printer.path, baudrate=250000)
    assert client.snapshot.baudrate == 250000

"""M112 goes to the wire at once, whatever the state, and from whomever."""

from __future__ import annotations

import os
import pty
import select
import tty
from functools import partial

import pytest
from tests.helpers import wait_until
from tests.processes import LinkClient, VirtualPrinter, Workshop, make_file, without_added

from bedplate.messages.commands import (
    Connect,
    EmergencyStop,
    LineSettings,
    PauseJob,
    Scripts,
    SendGcode,
)
from bedplate.messages.events import FirmwareAlarm, PrintFailed
from bedplate.messages.states import ConnectionState, JobState, Outcome


def printing(workshop: Workshop, speed: float = 0) -> tuple[VirtualPrinter, LinkClient]:
    printer = workshop.printer(speed=speed)
    client = workshop.link().attach()
    client.connect(printer.path)
    client.print(
        make_file(workshop.folder / "x.gcode", 30000), Scripts(on_cancel=["M117 cancelled"])
    )
    client.until(lambda: len(printer.record) > 20, "some lines")
    return printer, client


def assert_stopped(printer: VirtualPrinter, client: LinkClient) -> None:
    """The last command is M112, the job has failed, and the connection says why."""
    job = client.wait_for_end()
    assert job.outcome is Outcome.FAILED
    assert job.problem is not None
    assert job.problem.code == "emergency_stop"
    wait_until(lambda: "M112" in printer.record, what="M112")
    assert printer.record[-1] == "M112"
    client.until(lambda: client.snapshot.state is ConnectionState.HALTED, "state halted")
    assert client.snapshot.problem is not None
    alarm = client.payload("FirmwareAlarm")
    assert isinstance(alarm, FirmwareAlarm)
    assert alarm.kind == "killed"
    failed = client.payload("PrintFailed")
    assert isinstance(failed, PrintFailed)
    assert failed.reason == "emergency_stop"
    assert client.names().count("FirmwareAlarm") == client.names().count("PrintFailed") == 1


def test_of_the_host(workshop: Workshop) -> None:
    printer, client = printing(workshop)
    client.do(EmergencyStop())
    assert_stopped(printer, client)


@pytest.mark.parametrize("text", ["M112", "m112", " M112 ; now", "M112 S1"])
def test_as_a_command_among_others(workshop: Workshop, text: str) -> None:
    printer, client = printing(workshop)
    client.do(SendGcode(commands=["M117 first", text]))
    assert_stopped(printer, client)
    assert "M117 first" not in printer.record


def test_from_a_connection_that_is_not_attached_while_the_host_reads_nothing(
    workshop: Workshop,
) -> None:
    printer, host = printing(workshop)
    stranger = LinkClient(workshop.links[0].socket)
    workshop.defer(stranger.close)
    stranger.do(EmergencyStop())  # nothing of what the host was sent was read meanwhile
    wait_until(lambda: "M112" in printer.record, what="M112")
    assert_stopped(printer, host)


def test_while_a_heat_up_lasts(workshop: Workshop) -> None:
    printer = workshop.printer(speed=1)
    client = workshop.link().attach()
    client.connect(printer.path)
    source = workshop.folder / "heat.gcode"
    source.write_text("M109 S250\nG28\n")
    client.print(source)
    client.until(lambda: "M109 S250" in printer.record, "the heat-up")
    client.do(EmergencyStop())
    assert_stopped(printer, client)
    assert "G28" not in printer.record


def test_while_paused(workshop: Workshop) -> None:
    printer, client = printing(workshop)
    client.do(PauseJob())
    client.wait_for_state(JobState.PAUSED)
    client.do(EmergencyStop())
    assert_stopped(printer, client)


def test_during_the_handshake_and_without_a_job(workshop: Workshop) -> None:
    printer = workshop.printer()
    client = workshop.link().attach()
    client.do(Connect(port=printer.path, target=printer.path))
    assert client.snapshot.state is not ConnectionState.OPERATIONAL
    client.do(EmergencyStop())
    wait_until(lambda: "M112" in printer.record, what="M112")


def test_without_a_port_it_is_refused_in_words(workshop: Workshop) -> None:
    client = workshop.link().open()
    error = client.ask(EmergencyStop())
    assert error is not None
    assert (error.status, error.message) == (409, "The printer is not connected.")


def test_after_it_the_printer_can_be_connected_again(workshop: Workshop) -> None:
    printer, client = printing(workshop)
    client.do(EmergencyStop())
    client.wait_for_end()
    printer.end()
    again = workshop.printer()
    client.connect(again.path)
    client.do(SendGcode(commands=["M117 back"]))
    wait_until(lambda: "M117 back" in again.record, what="a command")
    assert without_added(again.record) == ["M117 back"]


def test_while_the_printer_does_not_read_it_goes_out_before_all_that_waits(
    workshop: Workshop,
) -> None:
    """A printer that acknowledges and does not read: the port is full, and lines wait in the
    link."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    workshop.defer(partial(os.close, master))
    workshop.defer(partial(os.close, slave))
    client = workshop.link().attach()
    path = os.ttyname(slave)
    client.do(
        Connect(
            port=path, target=path, settings=LineSettings(greeting_timeout=0.05, probe_after=0.1)
        )
    )
    received = b""
    for step in (b"M110", b"M115", b"M105"):
        while step not in received:
            assert select.select([master], [], [], 10)[0]
            received += os.read(master, 4096)
        os.write(master, b"ok T:20 /0\n" if step == b"M105" else b"ok\n")
    client.until(lambda: client.snapshot.state is ConnectionState.OPERATIONAL, "connection")
    source = workshop.folder / "long.gcode"
    source.write_text("".join(f"M117 {index:04} {'x' * 4000}\n" for index in range(40)))
    client.print(source)

    def full() -> bool:
        os.write(master, b"ok\n")
        return client.job.line >= 40 or client.snapshot.line.transmitted > 20

    client.until(full, "a full port")
    client.do(EmergencyStop())
    received = b""
    while b"\nM112\n" not in received:
        assert select.select([master], [], [], 10)[0], received[-200:]
        received += os.read(master, 65536)
    assert received.endswith(b"\nM112\n")
    assert b"0039" not in received

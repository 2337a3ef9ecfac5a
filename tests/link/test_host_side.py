"""Between a link and its host: events that are never lost, telemetry that may be, and who may
say what."""

from __future__ import annotations

import os
import signal
import time

import msgspec
import pytest
from tests.helpers import wait_until
from tests.processes import (
    QUICK,
    Link,
    LinkClient,
    VirtualPrinter,
    Workshop,
    alive,
    commands_of,
    make_file,
    memory,
    without_added,
)

from bedplate.messages.codec import encode
from bedplate.messages.commands import (
    Acknowledge,
    Attach,
    CancelJob,
    Disconnect,
    LayerMark,
    PauseJob,
    SendGcode,
    Shutdown,
    WatchTerminal,
)
from bedplate.messages.events import PrintFailed
from bedplate.messages.frames import PROTOCOL_VERSION, Direction
from bedplate.messages.states import ACTIVE_JOB_STATES, ConnectionState, JobState, Outcome

LINK_MEMORY = 20_000
"""kB"""
SEVERAL_TURNS = 0.7
"""Seconds in which a link does its housekeeping more than once."""


def connected(workshop: Workshop, *faults: str) -> tuple[VirtualPrinter, Link, LinkClient]:
    printer = workshop.printer(*faults)
    link = workshop.link()
    client = link.attach()
    client.connect(printer.path)
    return printer, link, client


# Events


def test_events_come_again_until_they_are_acknowledged(workshop: Workshop) -> None:
    printer = workshop.printer()
    link = workshop.link()
    first = link.attach(acknowledging=False)
    first.connect(printer.path)
    assert first.names() == ["PrinterConnecting", "PrinterConnected"]
    first.close()
    second = link.attach(acknowledging=False)
    second.until(lambda: len(second.events) == 2, "the same events")
    assert second.events == first.events
    second.tell(Acknowledge(seq=1))
    second.do(Disconnect())
    second.close()
    third = link.attach()
    third.until(lambda: len(third.events) == 2, "what was not acknowledged")
    assert third.names() == ["PrinterConnected", "PrinterDisconnected"]
    assert third.events[0] == first.events[1]
    assert [event.seq for event in third.events] == [2, 3]


def test_a_host_says_how_far_its_journal_is(workshop: Workshop) -> None:
    printer = workshop.printer()
    link = workshop.link()
    first = link.attach(acknowledging=False)
    first.connect(printer.path)
    assert first.hello is not None
    first.close()
    client = link.open().attach(link=first.hello.link, acknowledged=1)
    client.until(lambda: client.events, "an event")
    assert [event.seq for event in client.events] == [2]


def test_the_number_of_another_link_counts_for_nothing(workshop: Workshop) -> None:
    printer = workshop.printer()
    link = workshop.link()
    first = link.attach(acknowledging=False)
    first.connect(printer.path)
    first.close()
    client = link.open().attach(link="another", acknowledged=99)
    client.until(lambda: len(client.events) == 2, "the events")


def test_events_of_a_print_without_a_host_are_all_there_for_the_next(workshop: Workshop) -> None:
    printer, link, client = connected(workshop)
    source = make_file(workshop.folder / "x.gcode", 3000)
    size = source.stat().st_size
    client.print(source, layers=[LayerMark(size * n // 50, n / 5) for n in range(50)])
    client.wait_for_offset(1)
    client.close()
    wait_until(lambda: link.has_checkpoint() and link.checkpoint().job.outcome, 60, "its end")
    stored = {event.seq: event for event in link.stored_events()}
    assert len(stored) == len(link.stored_events())
    assert stored[max(stored)].event == "PrintDone"
    again = link.attach()
    again.until(lambda: "PrintDone" in again.names(), "the end")
    first = client.events[-1].seq if client.events else 0
    together = {event.seq: event for event in [*client.events, *again.events]}
    assert first
    assert [together[seq].seq for seq in sorted(together)] == list(range(1, len(together) + 1))
    assert [e.event for e in together.values()].count("LayerChanged") == 50
    for event in again.events:
        assert stored.get(event.seq, event) == event
    assert not list(link.folder.glob("events.*.jsonl"))
    assert without_added(printer.record) == commands_of(source)


def test_a_host_that_reads_nothing_neither_slows_nor_swells_the_link(workshop: Workshop) -> None:
    printer, link, client = connected(workshop)
    client.do(WatchTerminal(on=True))
    source = make_file(workshop.folder / "x.gcode", 12000)
    size = source.stat().st_size
    client.print(source, layers=[LayerMark(size * n // 400, n / 5) for n in range(400)])
    wait_until(lambda: printer.record[-1] == "M400", 60, "the end of the print, unwatched")
    assert without_added(printer.record) == commands_of(source)
    assert memory(link.pid) < LINK_MEMORY
    client.until(lambda: "PrintDone" in client.names(), "the events")
    assert client.names().count("LayerChanged") == 400
    assert [event.seq for event in client.events] == list(range(1, len(client.events) + 1))
    # 24,000 lines went over the wire; what could not be shown is counted, not kept.
    client.until(lambda: client.job.outcome is Outcome.DONE, "the last snapshot")
    assert len(client.terminal) < 12000


# Who may say what


def test_before_it_attached_nobody_is_obeyed(workshop: Workshop) -> None:
    link = workshop.link()
    client = link.open()
    for command in (SendGcode(commands=["G28"]), Disconnect(), Shutdown(), PauseJob()):
        error = client.ask(command)
        assert error is not None
        assert (error.status, error.message) == (403, "Attach to this link first.")
    assert link.process.poll() is None


def test_a_host_of_another_version_is_refused_in_words(workshop: Workshop) -> None:
    client = workshop.link().open()
    error = client.ask(Attach(protocol=PROTOCOL_VERSION + 1, host_pid=1, link="", acknowledged=0))
    assert error is not None
    assert error.status == 409
    assert f"version {PROTOCOL_VERSION}, the host version {PROTOCOL_VERSION + 1}" in error.message
    assert client.ask(SendGcode(commands=["G28"])) is not None


def test_a_second_host_takes_the_place_of_the_first(workshop: Workshop) -> None:
    _, link, first = connected(workshop)
    second = link.attach()
    second.until(lambda: second.snapshot.state is ConnectionState.OPERATIONAL, "the state")
    first.wait_for_closing()
    second.do(SendGcode(commands=["M117 second"]))
    ticks = _cpu(link.pid)
    second.listen(1.0)
    assert _cpu(link.pid) - ticks < 50, "the link turns in circles"


def test_nonsense_on_the_socket_ends_that_connection_alone(workshop: Workshop) -> None:
    _, link, host = connected(workshop)
    for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xfe\n", b'{"type":"fly"}\n', b"[]\n"):
        client = link.open()
        client.send(nonsense)
        client.wait_for_closing()
    host.do(SendGcode(commands=["M117 still here"]))


def test_connections_come_and_go_without_a_trace(workshop: Workshop) -> None:
    _, link, host = connected(workshop)
    before = len(os.listdir(f"/proc/{link.pid}/fd"))
    for _ in range(50):
        LinkClient(link.socket).close()
    host.do(SendGcode(commands=["M117 hello"]))
    wait_until(lambda: len(os.listdir(f"/proc/{link.pid}/fd")) == before, what="all of them closed")


def test_a_command_in_pieces_and_several_at_once(workshop: Workshop) -> None:
    printer, _, client = connected(workshop)
    wire = b"".join(encode(SendGcode(commands=[f"M117 {n}"], request=1000 + n)) for n in range(5))
    for byte in wire[:40]:
        client.send(bytes([byte]))
    client.send(wire[40:])
    client.until(lambda: without_added(printer.record)[-1:] == ["M117 4"], "all of them")
    assert without_added(printer.record) == [f"M117 {n}" for n in range(5)]


def _cpu(pid: int) -> int:
    """Hundredths of a second of processor time."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


# Life and death


def test_a_printer_has_one_link(workshop: Workshop) -> None:
    link = workshop.link()
    second = workshop.start_link()
    assert second.wait() == 4
    assert "has a link already" in second.log.read_text()
    assert link.attach().ask(Disconnect()) is None


@pytest.mark.parametrize("arguments", [[], ["{}"], ["nonsense"]])
def test_a_link_without_proper_options_ends_and_says_why(arguments: list[str]) -> None:
    import subprocess
    import sys

    ended = subprocess.run(
        [sys.executable, "-m", "bedplate.link", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "argument is wrong" in ended.stderr


def test_a_link_that_no_host_asks_for_ends_by_itself(workshop: Workshop) -> None:
    link = workshop.link(lonely_idle=0.3)
    assert link.wait() == 0
    assert not (link.folder / "link.json").exists()
    assert not os.path.exists(link.socket)


def test_while_a_host_is_attached_a_link_stays(workshop: Workshop) -> None:
    link = workshop.link(lonely_idle=0.3)
    client = link.attach()
    client.listen(1.0)
    client.do(Disconnect())
    client.close()
    assert link.wait() == 0


def test_a_link_ends_its_connection_to_the_printer_when_it_ends_alone(
    workshop: Workshop,
) -> None:
    printer = workshop.printer("--exit-on-close")
    link = workshop.link(lonely_idle=0.3)
    client = link.attach()
    client.connect(printer.path)
    client.close()
    assert link.wait() == 0
    assert printer.process.wait(20) == 0
    assert [e.event for e in link.stored_events()][-1] == "PrinterDisconnected"


def test_a_running_job_keeps_a_link_without_a_host_alive(workshop: Workshop) -> None:
    printer = workshop.printer(speed=20)
    link = workshop.link(lonely_idle=0.2, lonely_after_job=0.5)
    client = link.attach()
    client.connect(printer.path)
    source = workshop.folder / "x.gcode"
    source.write_text("G28\n" + "".join(f"G4 P{2000 + n}\n" for n in range(20)))
    client.print(source)
    client.close()
    wait_until(lambda: "G4 P2019" in printer.record, 60, "the last line")
    assert link.process.poll() is None
    assert link.wait() == 0
    names = [event.event for event in link.stored_events()]
    assert names[-2:] == ["PrintDone", "PrinterDisconnected"]
    assert link.checkpoint().job.outcome is Outcome.DONE


def test_after_a_job_a_link_stays_for_the_next_host(workshop: Workshop) -> None:
    printer = workshop.printer()
    link = workshop.link(lonely_idle=0.2, lonely_after_job=60)
    client = link.attach()
    client.connect(printer.path)
    client.print(make_file(workshop.folder / "x.gcode", 3000))
    client.close()
    wait_until(lambda: [e.event for e in link.stored_events()][-1:] == ["PrintDone"], 60, "the end")
    until = time.monotonic() + 1.0
    wait_until(lambda: time.monotonic() > until or link.process.poll() is not None)
    again = link.attach()
    again.until(lambda: again.snapshot.job, "the outcome")
    assert again.job.outcome is Outcome.DONE


def test_told_to_end_in_a_job_it_refuses(workshop: Workshop) -> None:
    _, link, client = connected(workshop)
    client.print(make_file(workshop.folder / "x.gcode", 30000))
    for command in (Shutdown(), Disconnect()):
        error = client.ask(command)
        assert error is not None
        assert error.status == 409
    client.do(CancelJob())
    client.wait_for_end()
    client.do(Shutdown())
    assert link.wait() == 0


@pytest.mark.parametrize("attached", [True, False], ids=["with a host", "without one"])
def test_ended_by_a_signal_in_a_job_it_switches_off_and_says_so(
    workshop: Workshop, attached: bool
) -> None:
    from bedplate.messages.commands import Scripts

    printer, link, client = connected(workshop)
    source = make_file(workshop.folder / "x.gcode", 30000)
    client.print(source, Scripts(on_cancel=["M104 S0", "M140 S0"]))
    client.wait_for_offset(1)
    if not attached:
        client.close()
    link.process.send_signal(signal.SIGTERM)
    assert link.wait() == 0
    assert not (link.folder / "link.json").exists()
    assert not os.path.exists(link.socket)
    assert without_added(printer.record)[-2:] == ["M104 S0", "M140 S0"]
    job = link.checkpoint().job
    assert (job.state, job.outcome) == (JobState.IDLE, Outcome.FAILED)
    assert job.problem is not None
    assert job.problem.code == "link_ended"
    stored = link.stored_events()
    assert [event.event for event in stored][-2:] == ["PrintFailed", "PrinterDisconnected"]
    assert len({event.seq for event in stored}) == len(stored)
    if attached:
        failed = client.payload("PrintFailed")
        assert isinstance(failed, PrintFailed)
        assert failed.reason == "link_ended"
        client.wait_for_closing()
        assert client.snapshot.state is ConnectionState.CLOSED


def test_the_hangup_of_a_terminal_does_not_reach_it(workshop: Workshop) -> None:
    link = workshop.link()
    link.process.send_signal(signal.SIGHUP)
    assert link.attach().ask(Disconnect()) is None
    assert os.getsid(link.pid) == link.pid
    assert alive(link.pid)


# Checkpoint


def test_the_checkpoint_can_be_read_at_any_moment(workshop: Workshop) -> None:
    _, link, client = connected(workshop)
    source = make_file(workshop.folder / "x.gcode", 30000)
    client.print(source)
    client.close()
    offsets = []
    wait_until(link.has_checkpoint, what="the first checkpoint")

    def read() -> bool:
        checkpoint = link.checkpoint()
        assert checkpoint.source == str(source)
        offsets.append(checkpoint.job.offset)
        return len(set(offsets)) > 2 or checkpoint.job.state not in ACTIVE_JOB_STATES

    while not read():
        pass
    assert offsets == sorted(offsets)
    assert len(set(offsets)) > 1


@pytest.mark.parametrize("lines", [500, 4000])
def test_a_killed_link_leaves_a_checkpoint_of_what_was_acknowledged(
    workshop: Workshop, lines: int
) -> None:
    printer, link, client = connected(workshop)
    source = make_file(workshop.folder / "x.gcode", 30000)
    client.print(source)
    wait_until(lambda: len(printer.record) > lines, what="some lines")
    wait_until(link.has_checkpoint, what="a checkpoint")
    link.process.kill()
    link.process.wait()
    job = link.checkpoint().job
    assert job.state in ACTIVE_JOB_STATES
    assert job.line <= source.read_text().count("\n")
    behind = commands_of_first(source.read_bytes()[: job.offset])
    assert behind <= len(without_added(printer.record))


def test_what_a_killed_link_was_writing_is_removed_by_the_next(workshop: Workshop) -> None:
    link = workshop.link()
    link.attach()
    link.process.kill()
    link.process.wait()
    for name in (".link.json.17.new", ".checkpoint.json.17.new", ".other.17.new"):
        (link.folder / name).write_text("{")
    again = workshop.link()
    assert again.folder == link.folder
    again.attach()
    assert [path.name for path in again.folder.glob(".*.new")] == [".other.17.new"]


def commands_of_first(content: bytes) -> int:
    """Commands in the beginning of a file."""
    return sum(1 for line in content.split(b"\n") if line.partition(b";")[0].strip())


# Terminal and serial log


def test_terminal_lines_come_only_while_somebody_watches_the_recent_ones_first(
    workshop: Workshop,
) -> None:
    _, _, client = connected(workshop)
    client.do(SendGcode(commands=["M117 before"]))
    client.listen(SEVERAL_TURNS)
    assert client.terminal == []
    client.do(WatchTerminal(on=True))
    client.until(lambda: client.terminal, "the recent lines")
    recent = [line.text for line in client.terminal]
    assert any("M117 before" in text for text in recent)
    assert any(text.startswith("Connected to") for text in recent)
    assert {line.direction for line in client.terminal} == set(Direction)
    client.do(SendGcode(commands=["M117 watched"]))
    client.until(lambda: any("M117 watched" in line.text for line in client.terminal), "it")
    client.do(WatchTerminal(on=False))
    client.do(SendGcode(commands=["M117 after"]))
    client.listen(SEVERAL_TURNS)
    assert not any("M117 after" in line.text for line in client.terminal)
    texts = [line.text for line in client.terminal]
    assert len([text for text in texts if "M117 watched" in text]) == 1


def test_a_fast_print_fills_the_terminal_up_to_its_limit(workshop: Workshop) -> None:
    _, _, client = connected(workshop)
    client.do(WatchTerminal(on=True))
    client.print(make_file(workshop.folder / "x.gcode", 6000))
    client.wait_for_end()
    assert max(len(frame.lines) for frame in client.terminal_frames) <= 250
    assert sum(frame.skipped for frame in client.terminal_frames) > 0
    times = [line.time for line in client.terminal]
    assert abs(times[-1] - time.time()) < 3600


def test_the_serial_log_holds_both_directions_where_the_settings_ask_for_it(
    workshop: Workshop,
) -> None:
    printer = workshop.printer()
    link = workshop.link()
    client = link.attach()
    client.connect(printer.path, msgspec.structs.replace(QUICK, serial_log=True))
    client.do(SendGcode(commands=["M117 logged"]))

    def logged() -> bool:
        return link.serial_log.exists() and "M117 logged" in link.serial_log.read_text()

    client.until(logged, "the line in the log")
    text = link.serial_log.read_text()
    assert " > N0 M110" in text
    assert " < ok" in text
    assert client.terminal == []
    client.do(WatchTerminal(on=True))
    client.do(SendGcode(commands=["M117 twice"]))
    client.until(
        lambda: (
            any("M117 twice" in line.text for line in client.terminal)
            and "M117 twice" in link.serial_log.read_text()
        ),
        "both",
    )


def test_the_serial_log_is_complete_at_full_speed(workshop: Workshop) -> None:
    printer = workshop.printer()
    link = workshop.link()
    client = link.attach()
    client.connect(printer.path, msgspec.structs.replace(QUICK, serial_log=True))
    source = make_file(workshop.folder / "x.gcode", 10000)
    client.print(source)
    client.wait_for_end()
    client.do(Shutdown())
    assert link.wait() == 0
    sent = [line for line in link.serial_log.read_text().splitlines() if " > N" in line]
    logged = [line.partition(" > N")[2].partition("*")[0].partition(" ")[2] for line in sent]
    assert [command for command in logged if command.startswith("G1")] == commands_of(source)


def test_without_that_setting_there_is_no_serial_log(workshop: Workshop) -> None:
    _, link, client = connected(workshop)
    client.do(SendGcode(commands=["M117 x"]))
    client.listen(SEVERAL_TURNS)
    assert not link.serial_log.exists()

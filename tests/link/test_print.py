"""Printing through a link: what the printer accepts is the file, each command once and in order."""

from __future__ import annotations

import os
import random
from pathlib import Path

import msgspec
import pytest
from tests.processes import (
    QUICK,
    SAMPLES,
    LinkClient,
    VirtualPrinter,
    Workshop,
    commands_of,
    make_file,
    memory,
    without_added,
)

from bedplate.messages.codec import decode_payload
from bedplate.messages.commands import (
    CancelJob,
    LayerMark,
    PauseJob,
    ResumeJob,
    Scripts,
    SendGcode,
    StartJob,
)
from bedplate.messages.events import (
    LayerChanged,
    PrintCancelled,
    PrintDone,
    PrintFailed,
    PrintProgress,
)
from bedplate.messages.snapshot import FileRef
from bedplate.messages.states import ConnectionState, JobState, Outcome

LINK_MEMORY = 20_000
"""kB"""
FILES = [SAMPLES / "nut-cura.gcode", SAMPLES / "bunny-small.gcode"]
LARGE_FILES = [
    SAMPLES / "nut.gcode",
    *sorted(Path(os.environ.get("BEDPLATE_GCODE", os.devnull)).glob("*.gcode")),
]
"""With those of a folder of one's own, where the environment names one."""
SCRIPTS = Scripts(
    before_print=["M117 before"],
    after_print=["M117 after"],
    on_pause=["M117 pause", "M114"],
    on_resume=["M117 resume"],
    on_cancel=["M104 S0", "M140 S0"],
)


def ready(workshop: Workshop, *faults: str, speed: float = 0) -> tuple[VirtualPrinter, LinkClient]:
    """A printer, and a link that is connected to it."""
    printer = workshop.printer(*faults, speed=speed)
    client = workshop.link().attach()
    client.connect(printer.path)
    return printer, client


def print_whole(workshop: Workshop, source: Path, *faults: str) -> LinkClient:
    """Print a file to its end, and compare."""
    printer, client = ready(workshop, *faults)
    client.print(source)
    job = client.wait_for_end(300)
    assert job.outcome is Outcome.DONE, job.problem
    assert without_added(printer.record) == commands_of(source)
    assert isinstance(client.payload("PrintDone"), PrintDone)
    return client


@pytest.mark.parametrize("source", FILES, ids=lambda path: path.stem)
def test_a_slicers_file_arrives_exactly_as_it_is(workshop: Workshop, source: Path) -> None:
    client = print_whole(workshop, source)
    behind = source.read_bytes()[client.job.offset :].splitlines()
    assert all(not line.strip() or line.startswith(b";") for line in behind)
    assert client.names() == ["PrinterConnecting", "PrinterConnected", "PrintStarted", "PrintDone"]
    assert client.hello is not None
    assert memory(client.hello.pid) < LINK_MEMORY


@pytest.mark.slow
@pytest.mark.parametrize("source", LARGE_FILES, ids=lambda path: path.stem)
def test_a_large_file_arrives_exactly_as_it_is(workshop: Workshop, source: Path) -> None:
    print_whole(workshop, source)


def test_scripts_surround_the_file(workshop: Workshop) -> None:
    printer, client = ready(workshop)
    source = make_file(workshop.folder / "x.gcode", 50)
    client.print(source, SCRIPTS)
    client.wait_for_end()
    record = printer.record
    start = record.index("M117 before")
    assert record[start + 1 : start + 51] == commands_of(source)
    assert record[start + 51] == "M117 after"
    assert record[start + 52] == "M400"


def test_a_file_without_a_command_is_printed_at_once(workshop: Workshop) -> None:
    printer, client = ready(workshop)
    source = workshop.folder / "empty.gcode"
    source.write_text("; nothing\n\n ;but comments")
    client.print(source, SCRIPTS)
    assert client.wait_for_end().outcome is Outcome.DONE
    assert without_added(printer.record) == ["M117 before", "M117 after"]


def test_commands_to_the_host_and_numbering_stay_here(workshop: Workshop) -> None:
    printer, client = ready(workshop)
    source = workshop.folder / "x.gcode"
    source.write_text("G28\n@pause\nM110 N0\nM110\nM110N7\nM1100 S1\nG1 X1\n")
    client.print(source)
    assert client.wait_for_end().outcome is Outcome.DONE
    assert printer.record[-4:] == ["G28", "M1100 S1", "G1 X1", "M400"]


def test_two_prints_after_one_another_on_one_connection(workshop: Workshop) -> None:
    printer, client = ready(workshop)
    first = make_file(workshop.folder / "1.gcode", 300)
    second = make_file(workshop.folder / "2.gcode", 300, start=5000)
    client.print(first, job="1")
    client.until(lambda: client.names().count("PrintDone") == 1, "its end")
    client.print(second, job="2")
    client.until(lambda: client.names().count("PrintDone") == 2, "its end")
    assert without_added(printer.record) == commands_of(first) + commands_of(second)


def test_marks_and_layers_are_told_once_each_at_what_the_printer_acknowledged(
    workshop: Workshop,
) -> None:
    _, client = ready(workshop)
    source = make_file(workshop.folder / "x.gcode", 400)
    size = source.stat().st_size
    layers = [LayerMark(size * part // 10, part / 5) for part in range(10)]
    client.print(source, marks=[75, 25, 50], layers=layers)
    job = client.wait_for_end()
    payloads = [decode_payload(event.event, event.payload) for event in client.events]
    marks = [event.completion for event in payloads if isinstance(event, PrintProgress)]
    heights = [(e.layer, e.layers, e.z) for e in payloads if isinstance(e, LayerChanged)]
    assert marks == [25, 50, 75]
    assert heights == [(part + 1, 10, part / 5) for part in range(10)]
    assert (job.layer, job.layers, job.z) == (10, 10, 1.8)


# Faults of the printer


@pytest.mark.parametrize(
    "fault", ["corrupt=0.01", "lost-ok=0.001", "busy=0.05", "noise=0.02", "double-ok=0.01"]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_faulty_line_gives_the_exact_file_or_a_named_end(
    workshop: Workshop, fault: str, seed: int
) -> None:
    source = make_file(workshop.folder / "x.gcode", 2000)
    printer, client = ready(workshop, "--fault", fault, "--seed", str(seed))
    client.print(source)
    job = client.wait_for_end(120)
    record, expected = without_added(printer.record), commands_of(source)
    if job.outcome is Outcome.DONE:
        assert record == expected
        return
    failed = client.payload("PrintFailed")
    assert isinstance(failed, PrintFailed)
    assert failed.reason
    assert f"line {failed.line + 1}" in failed.error
    assert record == expected[: len(record)]


def test_damaged_lines_are_counted(workshop: Workshop) -> None:
    client = print_whole(
        workshop, make_file(workshop.folder / "x.gcode", 1000), "--fault", "corrupt=0.02"
    )
    assert client.snapshot.line.resends > 5


def test_a_printer_that_restarts_ends_the_print_for_good(workshop: Workshop) -> None:
    printer, client = ready(workshop, "--fault", "reset=0.002", "--seed", "5")
    source = make_file(workshop.folder / "x.gcode", 5000)
    client.print(source, SCRIPTS)
    job = client.wait_for_end()
    assert job.outcome is Outcome.FAILED
    assert job.problem is not None
    assert job.problem.code == "printer_reset"
    client.until(lambda: client.snapshot.state is ConnectionState.OPERATIONAL, "a new handshake")
    client.do(SendGcode(commands=["M117 last"]))
    client.until(lambda: "M117 last" in printer.record, "the last command")
    moves = [command for command in printer.record if command.startswith("G1")]
    assert moves == commands_of(source)[: len(moves)]
    assert len(moves) < 5000
    assert client.names().count("PrintFailed") == 1
    assert "PrintDone" not in client.names()


def test_a_silent_printer_is_reported_and_a_cancelled_job_does_not_hold_the_port(
    workshop: Workshop,
) -> None:
    printer = workshop.printer("--fault", "silence=0.01", "--seed", "3")
    client = workshop.link().attach()
    client.connect(printer.path, msgspec.structs.replace(QUICK, probe_after=0.1, stalled_after=0.5))
    client.print(make_file(workshop.folder / "x.gcode", 5000), SCRIPTS)
    client.payload("PrinterStalled")
    assert client.job.state is JobState.PRINTING
    client.do(CancelJob())
    assert client.wait_for_end().outcome is Outcome.CANCELLED
    assert client.names()[-2:] == ["PrinterStalled", "PrintCancelled"]


def test_a_job_that_is_being_cancelled_ends_when_the_printer_falls_silent(
    workshop: Workshop,
) -> None:
    """Here the silence is noticed after the wish to cancel."""
    printer = workshop.printer("--fault", "silence=0.01", "--seed", "3")
    client = workshop.link().attach()
    client.connect(printer.path, msgspec.structs.replace(QUICK, probe_after=0.1, stalled_after=2.0))
    client.print(make_file(workshop.folder / "x.gcode", 5000), SCRIPTS)
    client.until(lambda: "G1" in " ".join(printer.record), "the first move")
    client.wait_for_state(JobState.PRINTING)
    client.do(CancelJob())
    assert client.wait_for_end().outcome is Outcome.CANCELLED


# Pause, resume, cancel


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pausing_and_resuming_anywhere_loses_and_doubles_nothing(
    workshop: Workshop, seed: int
) -> None:
    chance = random.Random(seed)
    printer, client = ready(workshop)
    source = make_file(workshop.folder / "x.gcode", 6000)
    size = source.stat().st_size
    client.print(source, SCRIPTS)
    for place in sorted(chance.randrange(size * 3 // 4) for _ in range(3)):
        client.wait_for_offset(place)
        if client.ask(PauseJob()) is not None:
            break  # it was faster
        client.wait_for_state(JobState.PAUSED)
        record = without_added(printer.record)
        moves = [command for command in record if command.startswith("G1")]
        assert record[-1] == "M117 pause"
        assert moves == commands_of(source)[: len(moves)]
        assert client.job.line > 0
        client.do(ResumeJob())
    job = client.wait_for_end()
    assert job.outcome is Outcome.DONE
    assert [c for c in printer.record if c.startswith("G1")] == commands_of(source)
    names = client.names()
    assert names.count("PrintPaused") == names.count("PrintResumed") >= 1
    assert printer.record.count("M117 resume") == names.count("PrintPaused")


def test_nothing_is_sent_while_a_job_is_paused_but_what_people_ask_for(
    workshop: Workshop,
) -> None:
    printer, client = ready(workshop)
    source = make_file(workshop.folder / "x.gcode", 8000)
    client.print(source)
    client.wait_for_offset(1000)
    client.do(PauseJob())
    client.wait_for_state(JobState.PAUSED)
    before = [c for c in printer.record if c.startswith("G1 ")]
    client.do(SendGcode(commands=["M117 one ; with a comment", "", "M117 two"]))
    client.until(lambda: "M117 two" in printer.record, "the commands")
    assert [c for c in printer.record if c.startswith("G1 ")] == before
    assert printer.record[-2:] == ["M117 one", "M117 two"]
    elapsed = client.job.elapsed
    client.do(ResumeJob())
    client.wait_for_end()
    assert client.job.elapsed >= elapsed


@pytest.mark.parametrize("seed", [1, 2])
def test_cancelling_anywhere_ends_with_the_cancel_script(workshop: Workshop, seed: int) -> None:
    chance = random.Random(seed)
    printer, client = ready(workshop)
    source = make_file(workshop.folder / "x.gcode", 6000)
    client.print(source, SCRIPTS)
    client.wait_for_offset(chance.randrange(source.stat().st_size // 2))
    client.do(CancelJob())
    job = client.wait_for_end()
    assert job.outcome is Outcome.CANCELLED
    cancelled = client.payload("PrintCancelled")
    assert isinstance(cancelled, PrintCancelled)
    assert cancelled.offset == job.offset
    assert client.names()[-1] == "PrintCancelled"
    record = without_added(printer.record)
    assert record[-2:] == ["M104 S0", "M140 S0"]
    moves = [c for c in record if c.startswith("G1")]
    assert moves == commands_of(source)[: len(moves)]


def test_cancelling_a_paused_job(workshop: Workshop) -> None:
    printer, client = ready(workshop)
    client.print(make_file(workshop.folder / "x.gcode", 8000), SCRIPTS)
    client.wait_for_offset(1)
    client.do(PauseJob())
    client.wait_for_state(JobState.PAUSED)
    client.do(CancelJob())
    assert client.wait_for_end().outcome is Outcome.CANCELLED
    assert without_added(printer.record)[-3:] == ["M117 pause", "M104 S0", "M140 S0"]


def test_cancelling_breaks_a_heat_up_that_would_take_minutes(workshop: Workshop) -> None:
    printer, client = ready(workshop, speed=1)
    source = workshop.folder / "heat.gcode"
    source.write_text("M104 S200\nM109 S200\nG28\n")
    client.print(source, SCRIPTS)
    client.until(lambda: "M109 S200" in printer.record, "the heat-up")
    client.do(CancelJob())
    assert client.wait_for_end().outcome is Outcome.CANCELLED
    record = printer.record
    assert "G28" not in record
    assert [c for c in record if c[:4] in ("M104", "M109", "M140", "M108")] == [
        "M104 S200",
        "M109 S200",
        "M108",
        "M104 S0",
        "M140 S0",
    ]


def test_what_is_not_possible_now_is_refused_in_words(workshop: Workshop) -> None:
    _, client = ready(workshop)
    for command in (PauseJob(), ResumeJob(), CancelJob()):
        error = client.ask(command)
        assert error is not None
        assert error.status == 409
    client.print(make_file(workshop.folder / "x.gcode", 8000))
    client.do(PauseJob())
    error = client.ask(PauseJob())
    assert error is not None
    assert error.status == 409
    client.wait_for_state(JobState.PAUSED)
    with pytest.raises(AssertionError, match="running already"):
        client.print(make_file(workshop.folder / "y.gcode", 5))


# The file


def test_a_file_that_is_not_there_gives_an_error_and_no_job(workshop: Workshop) -> None:
    _, client = ready(workshop)
    missing = workshop.folder / "missing.gcode"
    error = client.ask(
        StartJob(
            job="1",
            file=FileRef(path="missing.gcode", origin="local", size=1),
            source=str(missing),
        )
    )
    assert error is not None
    assert error.status == 409
    assert "missing.gcode" in error.message
    assert client.snapshot.job is None
    assert "PrintStarted" not in client.names()


def test_a_file_that_is_no_text_ends_the_print_and_says_so(workshop: Workshop) -> None:
    _, client = ready(workshop)
    source = workshop.folder / "x.gcode"
    source.write_bytes(b"G28\n" + b"\xff" * 200_000)
    client.print(source)
    job = client.wait_for_end()
    assert job.outcome is Outcome.FAILED
    failed = client.payload("PrintFailed")
    assert isinstance(failed, PrintFailed)
    assert failed.reason == "file_unreadable"
    assert "Line 2 is longer" in failed.error


def test_a_file_that_is_deleted_in_mid_print_is_printed_to_its_end(workshop: Workshop) -> None:
    printer, client = ready(workshop)
    source = make_file(workshop.folder / "x.gcode", 5000)
    expected = commands_of(source)
    client.print(source)
    source.unlink()
    assert client.wait_for_end().outcome is Outcome.DONE
    assert without_added(printer.record) == expected


def test_a_file_that_is_cut_off_in_mid_print_ends_the_print_and_says_so(
    workshop: Workshop,
) -> None:
    printer, client = ready(workshop)
    source = make_file(workshop.folder / "x.gcode", 8000)
    expected = commands_of(source)
    client.print(source, SCRIPTS)
    client.wait_for_offset(1)
    client.do(PauseJob())
    client.wait_for_state(JobState.PAUSED)
    with source.open("r+") as file:
        file.truncate(client.job.offset + 100_000)
    client.do(ResumeJob())
    job = client.wait_for_end()
    assert job.outcome is Outcome.FAILED
    assert job.problem is not None
    assert job.problem.code == "file_unreadable"
    client.until(lambda: printer.record[-1] == "M140 S0", "the cancel script")
    moves = [c for c in printer.record if c.startswith("G1")]
    assert moves == expected[: len(moves)]

"""The printer as a process behind a real pseudo-terminal."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from plugins.virtual_printer.tests.conversation import DEADLINE, Printer, numbered

from bedplate_virtual_printer.board import Board, BoardOptions
from bedplate_virtual_printer.faults import UnknownFault
from bedplate_virtual_printer.firmware import Firmware, Options


def test_a_host_is_greeted_and_answered(printer: Callable[..., Printer]) -> None:
    subject = printer("--speed", "0")
    subject.open()
    greeting = subject.read_until("//action:prompt_end")
    assert greeting[:3] == ["start", "PowerUp", "Marlin 2.0.9.5"]
    assert subject.command("M115")[0].startswith("FIRMWARE_NAME:Marlin 2.0.9.5")
    assert subject.command("M105") == ["ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"]


def test_the_record_holds_a_command_before_its_ok_is_seen(
    printer: Callable[..., Printer], tmp_path: Path
) -> None:
    record = tmp_path / "record"
    subject = printer("--speed", "0", "--record", str(record))
    subject.open()
    expected = []
    for number in range(1, 200):
        subject.command(numbered(number, f"G1 X{number}") + " ; a comment")
        expected.append(f"G1 X{number}")
        assert record.read_text().splitlines() == expected
    subject.command("N200 G1 X1*1")
    assert record.read_text().splitlines() == expected


def test_emergency_stop_overtakes_what_is_waiting(printer: Callable[..., Printer]) -> None:
    subject = printer()
    subject.open()
    subject.read_until("//action:prompt_end")
    subject.write(b"M109 S200\n" + b"G28\n" * 20)
    subject.read_until(" T:")
    subject.write(b"M112\n")
    said = subject.read_until("//action:poweroff")
    assert said[-3:-1] == ["echo:M112 Shutdown", "Error:Printer halted. kill() called!"]


def test_m108_ends_a_heat_up(printer: Callable[..., Printer]) -> None:
    subject = printer()
    subject.open()
    subject.write(b"M109 S200\n")
    subject.read_until(" T:")
    subject.write(b"M108\n")
    subject.read_until("ok")
    assert subject.read_until("ok") == ["ok"]


def test_a_move_takes_the_time_that_speed_says(printer: Callable[..., Printer]) -> None:
    """100 mm at 1 mm/s, a thousand times faster; at speed 1 this test would run into its limit."""
    subject = printer("--speed", "1000")
    subject.open()
    subject.command("G1 X100 F60")
    subject.command("M400")
    assert subject.command("M114")[-2].startswith("X:100.00 ")


def test_it_ends_when_the_host_closes_the_port(printer: Callable[..., Printer]) -> None:
    subject = printer("--exit-on-close")
    subject.open()
    subject.command("M105")
    assert subject.process.poll() is None
    subject.close()
    assert subject.process.wait(10) == 0


def test_it_ends_when_the_host_was_there_for_a_moment_only(printer: Callable[..., Printer]) -> None:
    """Shorter than the time between two looks, mostly; without notice it would wait for 30 s."""
    subject = printer("--exit-on-close")
    subject.open()
    subject.close()
    assert subject.process.wait(10) == 0


def test_it_survives_that_nobody_reads_its_output(printer: Callable[..., Printer]) -> None:
    subject = printer("--exit-on-close", "--speed", "0")
    assert subject.process.stdout is not None
    subject.process.stdout.close()
    subject.open()
    assert subject.command("M105")[-1].startswith("ok T:")


@pytest.mark.parametrize(
    ("arguments", "greeted", "line_number"),
    [
        ((), True, 1),
        (("--on-open", "silent"), False, 1),
        (("--reset-on-open",), True, 0),
    ],
)
def test_a_port_may_be_opened_again(
    printer: Callable[..., Printer],
    arguments: tuple[str, ...],
    greeted: bool,
    line_number: int,
) -> None:
    subject = printer("--speed", "0", *arguments)
    subject.open()
    subject.read_until("//action:prompt_end")
    subject.command(numbered(1, "M105"))
    subject.write(b"M115\n")  # nobody waits for this answer, and the next host must not get it
    subject.read_until("FIRMWARE_NAME")
    # A port that is opened again before the board has looked was never closed for it.
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        subject.close()
        time.sleep(0.05)
        subject.open()
        said = subject.command("M114")
        stale = any(line.startswith("Cap:") for line in said)
        if (said[0] == "start") == greeted and not stale:
            break
    assert (said[0] == "start") == greeted
    assert not stale
    assert f", Last Line: {line_number}" in "".join(subject.command("N9 M105*1"))


def test_the_port_is_raw_from_the_start(printer: Callable[..., Printer]) -> None:
    subject = printer("--speed", "0")
    port = os.open(subject.path, os.O_RDWR | os.O_NOCTTY)
    try:
        local_flags = termios.tcgetattr(port)[3]
        assert not local_flags & (termios.ECHO | termios.ICANON | termios.ISIG)
    finally:
        os.close(port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_and_the_link_goes(
    printer: Callable[..., Printer], tmp_path: Path, number: int
) -> None:
    link = tmp_path / "printer"
    link.symlink_to("/nowhere")  # left behind by one that was killed
    subject = printer("--link", str(link))
    assert os.readlink(link) == subject.path
    subject.process.send_signal(number)
    assert subject.process.wait(10) == 0
    assert not link.is_symlink()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bedplate_virtual_printer", *arguments],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--fault", "gremlins"], "unknown fault 'gremlins'"),
        (["--fault", "corrupt=often"], "not a probability"),
        (["--fault", "corrupt=2"], "between 0 and 1"),
        (["--speed", "-1"], "speed must be 0 or more"),
        (["--record", "/nowhere/at/all"], "can't write the record"),
        (["--link", "/nowhere/at/all"], "can't make the link"),
    ],
)
def test_bad_usage_is_told_with_status_2(arguments: list[str], complaint: str) -> None:
    finished = run(*arguments)
    assert finished.returncode == 2
    assert complaint in finished.stderr


def test_a_link_never_replaces_a_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("precious")
    assert run("--link", str(mine)).returncode == 2
    assert mine.read_text() == "precious"


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import bedplate_virtual_printer.__main__; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - sys.stdlib_module_names))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.strip() == "['bedplate_virtual_printer']"


def test_it_gives_up_when_no_host_comes_within_half_a_minute() -> None:
    seconds = itertools.count(0.0, 0.5)
    options = BoardOptions(exit_on_close=True)
    with Board(lambda now: Firmware(Options(), now), options, clock=lambda: next(seconds)) as board:
        board.run()
    assert 30 < next(seconds) < 40


def test_a_fault_can_be_triggered_at_run_time() -> None:
    with Board(lambda now: Firmware(Options(speed=0), now), BoardOptions()) as board:
        board.trigger("double-ok")
        board.firmware.receive(b"M400\nM400\n", 0.0)
        board.firmware.poll(0.0)
        assert board.firmware.take_output() == b"ok\nok\nok\n"
        with pytest.raises(UnknownFault):
            board.trigger("gremlins")

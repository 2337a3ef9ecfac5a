"""Faults strike as their table says, and a stream with line numbers survives what it can."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.virtual_printer.tests.conversation import Console, numbered

from bedplate_virtual_printer.faults import FAULTS, Switchboard, UnknownFault
from bedplate_virtual_printer.firmware import Firmware, Options
from bedplate_virtual_printer.serial_line import Rejected, SerialLine

COMMAND = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=";*"), max_size=30
).map(lambda text: "G1 X" + text.strip())


def send_all(commands: list[str], fault: str, seed: int) -> tuple[list[str], int]:
    """The simplest sender there is: one line in flight, any resend answered.

    What the printer accepted, and how often it asked again.
    """
    firmware = Firmware(Options(speed=0, seed=seed, faults={fault: 0.3}), 0.0)
    number, asked = 1, 0
    while number <= len(commands):
        firmware.receive(numbered(number, commands[number - 1]).encode() + b"\n", 0.0)
        firmware.poll(0.0)
        said = firmware.take_output().decode("latin-1").splitlines()
        again = [line for line in said if line.startswith("Resend: ")]
        number = int(again[0][8:]) if again else number + 1
        asked += len(again)
    return [command.decode() for command in firmware.take_accepted()], asked


@given(commands=st.lists(COMMAND, max_size=30), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=60)
def test_a_numbered_stream_gets_through_corruption_exactly(commands: list[str], seed: int) -> None:
    accepted, _ = send_all(commands, "corrupt", seed)
    assert accepted == commands


def test_corruption_does_happen() -> None:
    commands = [f"G1 X{index}" for index in range(200)]
    accepted, asked = send_all(commands, "corrupt", seed=1)
    assert accepted == commands
    assert 40 < asked < 140


@given(number=st.integers(1, 10_000), command=COMMAND, seed=st.integers())
def test_every_corruption_of_a_numbered_line_is_noticed_or_harmless(
    number: int, command: str, seed: int
) -> None:
    line = numbered(number, command).encode()
    damaged = Switchboard({"corrupt": 1}, Random(seed)).line(line)
    assert damaged != line or b"*" in line
    receiver = SerialLine()
    receiver.last_number = number - 1
    verdict = receiver.check(damaged)
    assert isinstance(verdict, Rejected) or verdict.command.decode() == command


@given(chunks=st.lists(st.binary(max_size=60), max_size=20), seed=st.integers(0, 100))
@settings(deadline=None)
def test_no_bytes_crash_the_firmware(chunks: list[bytes], seed: int) -> None:
    everything = {name: 0.1 for name in FAULTS if name != "silence"}
    firmware = Firmware(Options(speed=1, seed=seed, faults=everything), 0.0)
    for second, chunk in enumerate(chunks):
        firmware.receive(chunk, float(second))
        firmware.poll(float(second))
        assert firmware.deadline() >= 0
        firmware.take_output()


PIECES = st.sampled_from(
    [
        *"GMTNXYZEFSPRIJ*;. \n\r-+0123456789",
        "G1",
        "G2",
        "G28",
        "G92",
        "M104",
        "M109",
        "M110",
        "M0",
        "M155",
        "M118",
    ]
)


@given(text=st.lists(PIECES, max_size=80).map("".join), speed=st.sampled_from([0.0, 1.0, 1000.0]))
@settings(deadline=None, max_examples=300)
def test_no_mangled_gcode_crashes_the_firmware(text: str, speed: float) -> None:
    firmware = Firmware(Options(speed=speed), 0.0)
    firmware.receive(text.encode() + b"\nM105\n", 0.0)
    for second in range(5):
        firmware.poll(float(second))
    assert firmware.take_output().isascii()


def test_a_lost_ok_and_a_doubled_one(console: Callable[..., Console]) -> None:
    talk = console()
    talk.firmware.faults.trigger("lost-ok")
    assert talk.send("G1 X1") == []
    assert talk.send("G1 X2") == ["ok"]
    talk.firmware.faults.trigger("double-ok")
    assert talk.send("G1 X3") == ["ok", "ok"]
    assert talk.record() == ["G1 X1", "G1 X2", "G1 X3"]


def test_the_ok_of_a_resend_is_never_lost(console: Callable[..., Console]) -> None:
    talk = console(faults={"lost-ok": 1})
    assert talk.send("N1 M105*1")[1:] == ["Resend: 1", "ok"]


def test_busy_and_noise_come_before_the_ok(console: Callable[..., Console]) -> None:
    talk = console()
    talk.firmware.faults.trigger("busy")
    *busy, ok = talk.send("G1 X1")
    assert set(busy) == {"echo:busy: processing"}
    assert ok == "ok"
    talk.firmware.faults.trigger("noise")
    garbage, ok = talk.send("G1 X1")
    assert min(map(ord, garbage)) >= 0x80
    assert ok == "ok"


def test_silence_is_for_good(console: Callable[..., Console]) -> None:
    talk = console()
    talk.firmware.faults.trigger("silence")
    assert talk.send("G1 X1\nG1 X2") == []
    assert talk.send("M105") == []
    assert talk.wait(100) == []


def test_a_reset_loses_everything_and_greets(console: Callable[..., Console]) -> None:
    talk = console(speed=1)
    talk.send("M104 S200")
    talk.send(numbered(1, "G1 X10"))
    talk.firmware.faults.trigger("reset")
    assert talk.send(numbered(2, "G1 X20"))[:2] == ["start", " Brown out Reset"]
    assert talk.firmware.last_number == 0
    assert talk.firmware.machine.hotend.target == 0
    assert talk.send("M114")[0].startswith("X:0.00 ")


def test_the_same_seed_gives_the_same_faults() -> None:
    commands = [f"G1 X{index}" for index in range(100)]
    runs = {send_all(commands, "corrupt", seed)[1] for seed in (7, 7, 7)}
    assert len(runs) == 1


def test_unknown_faults_and_impossible_chances_are_refused() -> None:
    with pytest.raises(UnknownFault, match="there are: corrupt"):
        Switchboard({"gremlins": 1}, Random(1))
    with pytest.raises(UnknownFault):
        Switchboard({}, Random(1)).trigger("gremlins")
    with pytest.raises(ValueError, match="between 0 and 1"):
        Switchboard({"corrupt": 1.5}, Random(1))


def test_each_fault_of_the_table_has_one_moment_and_a_sentence() -> None:
    for fault in FAULTS.values():
        moments = [fault.on_line, fault.on_ok, fault.on_command]
        assert sum(moment is not None for moment in moments) == 1
        assert fault.summary.endswith(".")
        assert 0 < fault.probability < 1

"""The firmware says what Marlin 2.0.9.5 says, and does what it is told."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from plugins.virtual_printer.tests.conversation import Console, numbered

TEMPERATURES = r"T:\d+\.\d\d /\d+\.\d\d B:\d+\.\d\d /\d+\.\d\d @:\d+ B@:\d+"

BUSY = "echo:busy: processing"


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ("M110 N0", ["ok"]),
        ("M9999", ['echo:Unknown command: "M9999"', "ok"]),
        ("hello world", ['echo:Unknown command: "hello world"', "ok"]),
        ("\xff\xfe\x00\x80M105", ['echo:Unknown command: "\xff\xfe"', "ok"]),
        ("", []),
        ("; a comment", []),
        ("T5", ["echo:T5 Invalid extruder", "ok"]),
        ("T0", ["ok"]),
        ("M117 Hello World", ["//action:notification Hello World", "ok"]),
        ("M118 E1 echoed", ["echo:echoed", "ok"]),
        ("M118 A1 action:pause", ["//action:pause", "ok"]),
        ("M118 plain", ["plain", "ok"]),
        ("M113", ["echo:M113 S2", "ok"]),
        ("M220", ["FR:100%", "ok"]),
        ("M92", ["  M92 X80.00 Y80.00 Z400.00 E500.00", "ok"]),
        ("M221", ["echo:E0 Flow: 100%", "ok"]),
        ("M119", ["Reporting endstop status", "x_min: open", "y_min: open", "z_min: open", "ok"]),
        ("M114", ["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0", "ok"]),
        ("M105", ["ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"]),
        ("m105", ["ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"]),
        ("M105 ; temperature", ["ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"]),
        ("M105\r", ["ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"]),
        ("M999", ["Resend: 1", "ok", "ok"]),
        ("G1 E5 F300", ["echo: cold extrusion prevented", "ok"]),
        ("G2 X10 Y0", ["Error:G2/G3 bad parameters", "ok"]),
        ("M140 S60", ["//action:notification Bed Heating...", "ok"]),
        ("M104 S200", ["ok"]),
        ("M204 P1000 T1500", ["ok"]),
        ("M20", ['echo:Unknown command: "M20"', "ok"]),
    ],
)
def test_a_command_is_answered(
    console: Callable[..., Console], sent: str, answer: list[str]
) -> None:
    assert console().send(sent) == answer


def test_m115_names_the_firmware_then_its_capabilities_then_the_area(
    console: Callable[..., Console],
) -> None:
    first, *capabilities, area, ok = console().send("M115")
    assert first.startswith("FIRMWARE_NAME:Marlin 2.0.9.5 ")
    assert "Cap:EMERGENCY_PARSER:1" in capabilities
    assert "Cap:AUTOREPORT_TEMP:1" in capabilities
    assert "Cap:SDCARD:0" in capabilities
    assert all(re.fullmatch(r"Cap:[A-Z0-9_]+:[01]", line) for line in capabilities)
    assert area.startswith("area:{full:{min:{x:0.00,")
    assert ok == "ok"


def test_line_numbers_as_marlin_answers_them(console: Callable[..., Console]) -> None:
    """The order of a conversation with a real Marlin."""
    talk = console()
    ok = "ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"

    def refused(reason: str, last: int) -> list[str]:
        return [f"Error:{reason}, Last Line: {last}", f"Resend: {last + 1}", "ok"]

    assert talk.send("M110 N0") == ["ok"]
    assert talk.send(numbered(1, "M105")) == [ok]
    assert talk.send("N2 M105*1") == refused("checksum mismatch", 1)
    assert talk.send(numbered(2, "M105")) == [ok]
    order = "Line Number is not Last Line Number+1"
    assert talk.send(numbered(9, "M105")) == refused(order, 2)
    assert talk.send(numbered(2, "M105")) == refused(order, 2)
    assert talk.send("N3 M105") == refused("No Checksum with line number", 2)
    assert talk.send("M105") == [ok]
    assert talk.send(numbered(3, "M105")) == [ok]
    assert talk.send(numbered(-1, "M110")) == ["ok"]
    assert talk.send(numbered(0, "M105")) == [ok]
    assert talk.send(numbered(100, "M110 N100")) == ["ok"]
    assert talk.send(numbered(101, "M105")) == [ok]
    # Each accepted command once, however often it was asked for again.
    m105 = ["M105"]
    assert talk.record() == ["M110 N0", *m105 * 4, "M110", "M105", "M110 N100", "M105"]


def test_after_an_error_the_rest_of_the_buffer_is_gone(console: Callable[..., Console]) -> None:
    talk = console()
    lines = [numbered(1, "M105"), "N2 M105*1", *(numbered(n, "M105") for n in (3, 4, 5))]
    said = talk.send("\n".join(lines))
    # The Resend's ok comes before that of the line which was queued already.
    assert said == [
        "Error:checksum mismatch, Last Line: 1",
        "Resend: 2",
        "ok",
        "ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0",
    ]


def test_advanced_ok_tells_line_planner_and_buffer(console: Callable[..., Console]) -> None:
    talk = console(speed=1, advanced_ok=True)
    assert talk.send("M110 N0") == ["ok P15 B3"]
    assert talk.send(numbered(1, "G1 X100 F600")) == ["ok N1 P14 B3"]
    assert talk.send("M105")[0].startswith("ok T:")
    assert talk.send("G1 X0\nG1 X1") == ["ok P13 B2", "ok P12 B3"]


@pytest.mark.parametrize(
    "text", ["G1 X10.5 Y-2 Z.5", "G1X10.5Y-2Z.5", "g1 x10.5 y-2 z.5", "G01 X +10.5 Y -2 Z0.5"]
)
def test_a_move_may_be_written_in_several_ways(console: Callable[..., Console], text: str) -> None:
    talk = console()
    assert talk.send(text) == ["ok"]
    assert talk.send("M114")[0].startswith("X:10.50 Y:-2.00 Z:0.50 E:0.00 Count X:840 Y:-160 Z:200")


@pytest.mark.parametrize(
    ("commands", "position"),
    [
        ("G1 X10 E1|G91|G1 X5 E1", "X:15.00 Y:0.00 Z:0.00 E:2.00"),
        ("G91|M82|G1 X5 E3|G1 X5 E3", "X:10.00 Y:0.00 Z:0.00 E:3.00"),
        ("M83|G1 X5 E3|G1 X5 E3", "X:5.00 Y:0.00 Z:0.00 E:6.00"),
        ("M83|G90|G1 E3|G1 E3", "X:0.00 Y:0.00 Z:0.00 E:3.00"),
        ("G20|G1 X1", "X:25.40 Y:0.00 Z:0.00 E:0.00"),
        ("G20|G21|G1 X1", "X:1.00 Y:0.00 Z:0.00 E:0.00"),
        ("G1 X5 Y5 E5|G92 E0|G1 X6", "X:6.00 Y:5.00 Z:0.00 E:0.00"),
        ("G1 X5 Y6 Z7|G28 X", "X:0.00 Y:6.00 Z:7.00 E:0.00"),
        ("G1 X5 Y6 Z7|G28", "X:0.00 Y:0.00 Z:0.00 E:0.00"),
        ("G2 X10 Y0 I5", "X:10.00 Y:0.00 Z:0.00 E:0.00"),
    ],
)
def test_the_position_follows_the_modes(
    console: Callable[..., Console], commands: str, position: str
) -> None:
    talk = console()
    talk.send("M109 S200")
    for command in commands.split("|"):
        talk.send(command)
    assert talk.send("M114")[0].startswith(position)


@pytest.mark.parametrize(
    ("move", "millimetres"),
    [
        ("G1 X100", 100),
        ("G2 X20 Y0 I10 J0", 31.4),
        ("G3 X20 Y0 I10 J0", 31.4),
        ("G2 X0 Y0 I10 J0", 62.8),
        ("G3 X10 Y10 I0 J10", 15.7),
        ("G2 X10 Y10 R10", 15.7),
        ("G2 X10 Y10 R-10", 47.1),
    ],
)
def test_m400_waits_for_the_length_of_the_path(
    console: Callable[..., Console], move: str, millimetres: float
) -> None:
    talk = console(speed=1)
    assert talk.send(move + " F600") == ["ok"]
    expected = millimetres / 10
    assert "ok" not in talk.send("M400")
    assert "ok" not in talk.wait(expected - 0.1)
    assert talk.wait(0.2)[-1] == "ok"


def test_a_full_planner_delays_the_ok_and_keeps_the_host_informed(
    console: Callable[..., Console],
) -> None:
    talk = console(speed=1)
    for index in range(15):
        assert talk.send(f"G1 X{10 * (index + 1)} F120") == ["ok"]
    assert talk.send("G1 X200") == []
    assert talk.wait(4.9) == [BUSY, BUSY]
    assert talk.wait(0.2) == ["ok"]


def test_heating_is_reported_each_second_until_it_has_held(
    console: Callable[..., Console],
) -> None:
    talk = console(speed=1)
    said = talk.send("M109 S60")
    said += talk.wait(40)
    assert said.pop() == "ok"
    reports = [line for line in said if line != BUSY]
    assert all(re.fullmatch(rf" {TEMPERATURES} W:(\?|\d+)", line) for line in reports)
    waits = [line.rpartition(":")[2] for line in reports]
    counted = [int(wait) for wait in waits if wait != "?"]
    assert waits[0] == "?"
    assert counted == sorted(counted, reverse=True)
    assert counted[0] >= 9
    assert 5 <= said.count(BUSY) <= len(reports) / 2 + 1


def test_m109_s_does_not_wait_for_cooling_and_r_does(console: Callable[..., Console]) -> None:
    talk = console(speed=1)
    talk.send("M104 S100")
    talk.wait(100)
    assert talk.send("M109 S50") == ["ok"]
    assert "ok" not in talk.send("M109 R50")
    assert talk.wait(300)[-1] == "ok"


def test_m105_is_queued_behind_m109_and_m108_ends_it(console: Callable[..., Console]) -> None:
    talk = console(speed=1)
    talk.send("M109 S200")
    assert not any(line.startswith("ok") for line in talk.send("M105"))
    ok, temperature, ok_of_m108 = talk.send("M108")
    assert (ok, ok_of_m108) == ("ok", "ok")
    assert re.fullmatch(f"ok {TEMPERATURES}", temperature)


def test_auto_reports_come_by_themselves_and_stop(console: Callable[..., Console]) -> None:
    talk = console(speed=1)
    assert talk.send("M155 S2") == ["ok"]
    said = talk.wait(6.5)
    assert len(said) == 3
    assert all(re.fullmatch(f" {TEMPERATURES}", line) for line in said)
    assert talk.send("M155 S0") == ["ok"]
    assert talk.wait(10) == []
    talk.send("M154 S1")
    assert talk.wait(1.5) == ["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0"]


@pytest.mark.parametrize("command", ["M112", "N5 M112*34", "N77 M112*999", "  M112 "])
def test_m112_kills_at_once_and_for_good(console: Callable[..., Console], command: str) -> None:
    talk = console(speed=1)
    talk.send("M109 S200\nG28\nG28\nG28\nG28\nG28\nG28")
    assert talk.send(command) == [
        "echo:M112 Shutdown",
        "Error:Printer halted. kill() called!",
        "//action:poweroff",
    ]
    for afterwards in ("M105", "M115", "M999", "M108"):
        assert talk.send(afterwards) == []
    assert talk.wait(100) == []
    assert talk.firmware.machine.hotend.target == 0


@pytest.mark.parametrize("text", ["M117 M112", "; M112", "G1 X1 ; M112", "echo M112", "M11"])
def test_m112_counts_only_as_a_command(console: Callable[..., Console], text: str) -> None:
    talk = console()
    talk.send(text)
    assert talk.send("M105")


def test_m112_is_seen_in_pieces_too(console: Callable[..., Console]) -> None:
    talk = console()
    for byte in b"N4 M112":
        talk.firmware.receive(bytes([byte]), 0.0)
    assert not talk.firmware.dead
    talk.firmware.receive(b"\n", 0.0)
    assert talk.firmware.dead


def test_m410_stops_where_the_tool_is(console: Callable[..., Console]) -> None:
    talk = console(speed=1)
    talk.send("G1 X100 F600\nG1 X200\nM400")
    talk.wait(3)
    assert talk.send("M410") == ["ok", "ok"]
    x = float(talk.send("M114")[0].split()[0][2:])
    assert 20 < x < 40


def test_a_prompt_waits_for_m108_or_its_answer(console: Callable[..., Console]) -> None:
    talk = console()
    prompt = [
        "echo:Click me",
        "//action:prompt_end",
        "//action:prompt_begin M0 Stop",
        "//action:prompt_button Continue",
        "//action:prompt_show",
    ]
    for answer in ("M108", "M876 S0"):
        assert talk.send("M0 Click me") == prompt
        assert talk.wait(2.5) == ["echo:busy: paused for user"]
        assert talk.send(answer) == ["ok", "ok"]
    timed = console(speed=1)
    timed.send("M0 S2 timed")
    assert timed.wait(3)[-1] == "ok"


def test_m113_sets_how_often_it_says_busy(console: Callable[..., Console]) -> None:
    talk = console(speed=1)
    talk.send("M113 S5")
    assert talk.send("G4 S12") == ["//action:notification Sleep..."]
    assert talk.wait(13) == [BUSY, BUSY, "ok"]
    talk.send("M113 S0")
    talk.send("G4 P12000")
    assert talk.wait(13) == ["ok"]


def test_speed_zero_takes_no_time_for_anything(console: Callable[..., Console]) -> None:
    talk = console(speed=0)
    for command in ("M190 S60", "M109 S215", "G28", "G29", "G4 S100", "G1 X200 E500 F1", "M400"):
        said = talk.send(command)
        assert said[-1] == "ok"
        assert "echo: cold extrusion prevented" not in said


def test_the_greeting_has_no_ok(console: Callable[..., Console]) -> None:
    talk = console()
    talk.firmware.greet()
    said = talk.wait(0)
    assert said[:3] == ["start", "PowerUp", "Marlin 2.0.9.5"]
    assert not any(line.startswith("ok") for line in said)

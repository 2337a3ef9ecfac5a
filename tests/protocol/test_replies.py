"""What each line of a printer means. Beside each the firmware that says it; `documented` where it
was read in that firmware's documentation or source, not seen."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.messages.snapshot import HeaterReading, Position
from bedplate.protocol.linebuffer import LineBuffer
from bedplate.protocol.replies import (
    Action,
    Alarm,
    Busy,
    Capability,
    ErrorReport,
    FirmwareInfo,
    Greeting,
    Information,
    LineError,
    Ok,
    PositionReport,
    Reply,
    ResendRequest,
    TemperatureReport,
    UnknownCommand,
    Wait,
    read_line,
)


def heaters(**readings: tuple[float | None, float | None]) -> TemperatureReport:
    return TemperatureReport({name: HeaterReading(*reading) for name, reading in readings.items()})


def position(x: float, y: float, z: float, e: float | None = None) -> PositionReport:
    return PositionReport(Position(x=x, y=y, z=z, e=e))


ANSWER = Ok(with_report=True)

CASES: list[tuple[str, tuple[Reply, ...]]] = [
    # ok
    ("ok", (Ok(),)),  # all
    ("ok\r", (Ok(),)),  # Marlin mixes line ends
    ("OK", (Ok(),)),
    ("ok ", (Ok(),)),
    ("ok P15 B3", (Ok(planner=15, buffer=3),)),  # Marlin, ADVANCED_OK
    ("ok N2 P15 B3", (Ok(2, 15, 3),)),
    ("ok N0 P0 B0", (Ok(0, 0, 0),)),
    ("ok 12", (Information("12"), Ok())),  # Repetier, documented
    ("okay", (Information("okay"),)),
    ("ok_to_go", (Information("ok_to_go"),)),
    ("not ok", (Information("not ok"),)),
    # temperatures
    (
        "ok T:19.37 /0.00 B:19.38 /60.00 @:0 B@:0",  # Marlin
        (heaters(tool0=(19.37, 0), bed=(19.38, 60)), ANSWER),
    ),
    (
        "ok T:21.30/ 0.00 B:21.30/ 0.00 @:64",  # OctoPrint's virtual printer
        (heaters(tool0=(21.3, 0), bed=(21.3, 0)), ANSWER),
    ),
    ("ok B:22.1 /0.0 T0:22.2 /0.0", (heaters(bed=(22.1, 0), tool0=(22.2, 0)), ANSWER)),  # Klipper
    ("T:66.25/0.0 B:28.50/0.0", (heaters(tool0=(66.25, 0), bed=(28.5, 0)),)),  # Teacup
    ("B:46.7 /0.0 T0:57.8 /200.0", (heaters(bed=(46.7, 0), tool0=(57.8, 200)),)),  # Klipper, M109
    (
        " T:26.59 /60.00 B:22.0 /0.00 @:127 B@:0 W:?",  # Marlin, M109
        (heaters(tool0=(26.59, 60), bed=(22, 0)),),
    ),
    ("T:41.32", (heaters(tool0=(41.32, None)),)),  # OctoPrint's virtual printer, M109
    ("B:45.00", (heaters(bed=(45, None)),)),
    (
        "ok T:20.1 /0.0 B:21.2 /0.0 T0:20.1 /0.0 T1:22.3 /180.0 @:0 B@:0 @0:0 @1:0",  # Marlin
        (heaters(bed=(21.2, 0), tool0=(20.1, 0), tool1=(22.3, 180)), ANSWER),
    ),
    (
        "T:20.10 /0 B:21.20 /0 B@:0 @:0 T0:20.10 /0 @0:0 T1:19.80 /0 @1:0",  # Repetier, documented
        (heaters(bed=(21.2, 0), tool0=(20.1, 0), tool1=(19.8, 0)),),
    ),
    (
        "T0:23.1 /0.0 T1:22.9 /0.0 B:22.5 /0.0 C:30.1 /40.0",  # RepRapFirmware, documented
        (heaters(tool0=(23.1, 0), tool1=(22.9, 0), bed=(22.5, 0), chamber=(30.1, 40)),),
    ),
    (
        "ok T:23.4 /0.0 @0 B:24.2 /0.0 @0",  # Smoothieware, documented
        (heaters(tool0=(23.4, 0), bed=(24.2, 0)), ANSWER),
    ),
    (
        "T:22.5 /0.0 B:23.1 /0.0 X:20.1 /36.0 A:26.1 /0.0 @:0 B@:0",  # Prusa, documented
        (heaters(tool0=(22.5, 0), bed=(23.1, 0)),),
    ),
    ("T:-14.99 /0.00 B:.5 /0.", (heaters(tool0=(-14.99, 0), bed=(0.5, 0)),)),
    ("T:nan /0.00 B:21.4 /0.00", (heaters(tool0=(None, 0), bed=(21.4, 0)),)),
    ("ok T:NAN /0.00", (heaters(tool0=(None, 0)), ANSWER)),
    ("T:", (Information("T:"),)),
    ("Temperature: 20", (Information("Temperature: 20"),)),
    # positions
    (
        "X:1.00 Y:-2.50 Z:3.00 E:4.00 Count X:80 Y:-200 Z:1200",  # Marlin
        (position(1, -2.5, 3, 4),),
    ),
    ("X:1.000,Y:2.000,Z:3.000,E:4.000,F:50", (position(1, 2, 3, 4),)),  # Teacup
    ("X:1.000 Y:2.000 Z:3.000 E:4.000", (position(1, 2, 3, 4),)),  # Klipper
    ("ok X:0.0 Y:1.0 Z:2.0 E:3.0", (position(0, 1, 2, 3), Ok())),  # OctoPrint's virtual printer
    ("X:1.00 Y:2.00 Z:3.00 E0:4.00 E1:0.00", (position(1, 2, 3, 4),)),
    ("X:0 Y:0 Z:0", (position(0, 0, 0),)),
    (
        "ok C: X:1.0000 Y:2.0000 Z:3.0000 E:4.0000",  # Smoothieware, documented
        (position(1, 2, 3, 4), Ok()),
    ),
    (
        "X:1.000 Y:2.000 Z:3.000 E:0.000 E0:0.0 Count 0 0 0 Machine 0.000",  # RepRapFirmware, doc.
        (position(1, 2, 3, 0),),
    ),
    # requests to send again
    ("Resend: 3", (ResendRequest(3),)),  # Marlin
    ("Resend:3", (ResendRequest(3),)),  # OctoPrint's virtual printer, Repetier
    ("rs N3 Expected checksum 36", (ResendRequest(3),)),  # Teacup
    ("rs 3", (ResendRequest(3),)),
    ("rs N3", (ResendRequest(3),)),
    ("resend: N3", (ResendRequest(3),)),
    ("Resend: -1", (ResendRequest(-1),)),
    ("Resend: " + "9" * 5000, (Information("Resend: " + "9" * 5000),)),
    ("Resend:", (Information("Resend:"),)),
    # alive
    ("echo:busy: processing", (Busy("processing"),)),  # Marlin
    ("echo:busy: paused for user", (Busy("paused for user"),)),
    ("echo:busy: paused for input", (Busy("paused for input"),)),  # documented
    ("busy:processing", (Busy("processing"),)),  # Repetier, documented
    ("wait", (Wait(),)),  # Repetier, OctoPrint's virtual printer
    ("waiting", (Information("waiting"),)),
    # greetings
    ("start", (Greeting(),)),  # Marlin, Teacup, OctoPrint's virtual printer
    ("start\r", (Greeting(),)),
    ("\x00\x00start", (Greeting(),)),  # noise of the reset
    ("started", (Information("started"),)),
    ("Smoothie", (Information("Smoothie"),)),
    # M115
    (
        "FIRMWARE_NAME:Marlin 2.0.9.5 (Nov 22 2026 13:59:25) SOURCE_CODE_URL:github.com/x"
        " PROTOCOL_VERSION:1.0 MACHINE_TYPE:SimRap 1.4 EXTRUDER_COUNT:1 UUID:cede2a2f",
        (
            FirmwareInfo(
                {
                    "FIRMWARE_NAME": "Marlin 2.0.9.5 (Nov 22 2026 13:59:25)",
                    "SOURCE_CODE_URL": "github.com/x",
                    "PROTOCOL_VERSION": "1.0",
                    "MACHINE_TYPE": "SimRap 1.4",
                    "EXTRUDER_COUNT": "1",
                    "UUID": "cede2a2f",
                }
            ),
        ),
    ),
    (
        "ok FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.13.0-730-g84104bbbd-dirty",
        (
            FirmwareInfo(
                {"FIRMWARE_NAME": "Klipper", "FIRMWARE_VERSION": "v0.13.0-730-g84104bbbd-dirty"}
            ),
            Ok(),
        ),
    ),
    (
        "FIRMWARE_NAME: RepRapFirmware for Duet 2 FIRMWARE_VERSION: 3.4.5",  # documented
        (
            FirmwareInfo(
                {"FIRMWARE_NAME": "RepRapFirmware for Duet 2", "FIRMWARE_VERSION": "3.4.5"}
            ),
        ),
    ),
    (
        "FIRMWARE_NAME:Smoothieware, FIRMWARE_VERSION:edge-1, PROTOCOL_VERSION:1.0",  # documented
        (
            FirmwareInfo(
                {
                    "FIRMWARE_NAME": "Smoothieware",
                    "FIRMWARE_VERSION": "edge-1",
                    "PROTOCOL_VERSION": "1.0",
                }
            ),
        ),
    ),
    ("Cap:EMERGENCY_PARSER:1", (Capability("EMERGENCY_PARSER", True),)),  # Marlin
    ("Cap:PROGRESS:0", (Capability("PROGRESS", False),)),
    ("cap:AUTOREPORT_TEMP:1", (Capability("AUTOREPORT_TEMP", True),)),  # Teacup
    ("area:{full:{min:{x:0.00}}}", (Information("area:{full:{min:{x:0.00}}}"),)),
    # the host's part
    ("//action:pause", (Action("pause", ""),)),  # Marlin
    ("// action:disconnect", (Action("disconnect", ""),)),
    ("//action:prompt_begin M0 Stop", (Action("prompt_begin", "M0 Stop"),)),
    ("//action:notification Hello: you", (Action("notification", "Hello: you"),)),
    ("// a remark", (Information("// a remark"),)),  # Klipper
    # errors that the firmware goes on after
    ('echo:Unknown command: "M9999"', (UnknownCommand("M9999"),)),  # Marlin
    ('// Unknown command:"M9999"', (UnknownCommand("M9999"),)),  # Klipper
    ("E: Bad M-code 15", (UnknownCommand("M15"),)),  # Teacup
    ("E: Bad G-code 231", (UnknownCommand("G231"),)),
    ("!! Must home axis first: 1.0", (ErrorReport("Must home axis first: 1.0"),)),  # Klipper
    ("Error:volume.init failed", (ErrorReport("volume.init failed"),)),  # Marlin, documented
    ("echo: cold extrusion prevented", (Information("echo: cold extrusion prevented"),)),
    ("echo:SD card ok", (Information("echo:SD card ok"),)),
    *(
        (text, (LineError(text),))
        for text in (
            "Error:checksum mismatch, Last Line: 2",  # Marlin
            "Error:Line Number is not Last Line Number+1, Last Line: 3",
            "Error:No Checksum with line number, Last Line: 4",
            "Error:No Line Number with checksum, Last Line: 4",
            "Error: Missing checksum",  # OctoPrint's virtual printer
            "Error: expected line 4 got 9",
        )
    ),
    # errors that it does not go on after
    *(
        (text, (Alarm(kind, text),))
        for kind, text in (
            ("thermal_runaway", "Error:Thermal Runaway, system stopped! Heater_ID: 0"),  # Marlin
            ("thermal_runaway", "Error:Thermal Runaway, system stopped! Heater_ID: bed"),
            ("heating_failed", "Error:Heating failed, system stopped! Heater_ID: 0"),
            ("maxtemp", "Error:MAXTEMP triggered, system stopped! Heater_ID: 0"),
            ("mintemp", "Error:MINTEMP triggered, system stopped! Heater_ID: bed"),
            ("killed", "Error:Printer halted. kill() called!"),
            ("killed", "echo:EMERGENCY SHUTDOWN DETECTED. KILLED."),  # OctoPrint's virtual printer
            ("other", "// Klipper state: Shutdown"),  # Klipper
            ("other", "// Printer is shutdown"),
            ("other", "fatal:Heater/sensor error"),  # Repetier, documented
            ("other", "!!"),  # Smoothieware, documented
        )
    ),
    ("// Klipper state: Ready", (Information("// Klipper state: Ready"),)),
    # anything else
    ("", ()),
    ("   \t\r", ()),
    ("Begin file list", (Information("Begin file list"),)),
    ("SMALL.GCO 3796", (Information("SMALL.GCO 3796"),)),
]


def read(*chunks: bytes) -> list[tuple[Reply, ...]]:
    lines = LineBuffer()
    return [read_line(line) for chunk in chunks for line in lines.feed(chunk)]


@pytest.mark.parametrize(("said", "means"), CASES)
def test_each_line_means_what_its_firmware_meant(said: str, means: tuple[Reply, ...]) -> None:
    assert read_line(said.encode()) == means


@pytest.mark.parametrize(("said", "means"), CASES)
def test_it_means_the_same_in_any_company(said: str, means: tuple[Reply, ...]) -> None:
    data = said.encode() + b"\n"
    if len(data) < 200:
        assert read(*(data[at : at + 1] for at in range(len(data)))) == [means]
    if len(data) < 4096:
        assert read(data + b"\nwait\nSD pri") == [means, (), (Wait(),)]


def test_bytes_that_are_not_utf8_stay_visible() -> None:
    assert read_line(b'echo:Unknown command: "\xff\xfe"') == (UnknownCommand(r"\xff\xfe"),)
    assert read_line(b"\xc2\x80") == (Information("\x80"),)
    assert read_line(b"\xfe\xffstart") == (Greeting(),)


@given(st.binary(max_size=200))
def test_any_line_means_something(line: bytes) -> None:
    replies = read_line(line)
    assert all(isinstance(reply, Reply) for reply in replies)
    assert bool(replies) or not line.decode("utf-8", "backslashreplace").strip()


HEATERS = st.dictionaries(
    st.sampled_from(["T0", "T1", "T12", "B", "C"]),
    st.tuples(st.floats(-50, 400), st.floats(0, 400)),
    min_size=1,
)


@given(HEATERS, st.sampled_from(["{}:{:.2f} /{:.2f}", "{}:{:.2f}/{:.2f}", "{}:{:.2f}/ {:.2f}"]))
def test_every_heater_of_a_report_is_read(said: dict[str, tuple[float, float]], form: str) -> None:
    text = " ".join(form.format(name, *values) for name, values in said.items())
    (report, ok) = read_line(f"ok {text} @:0 B@:0".encode())
    assert ok == ANSWER
    assert isinstance(report, TemperatureReport)
    names = {"T0": "tool0", "T1": "tool1", "T12": "tool12", "B": "bed", "C": "chamber"}
    assert report.heaters.keys() == {names[name] for name in said}
    for name, (actual, target) in said.items():
        found = report.heaters[names[name]]
        assert found.actual is not None
        assert found.target is not None
        assert math.isclose(found.actual, actual, abs_tol=0.006)
        assert math.isclose(found.target, target, abs_tol=0.006)

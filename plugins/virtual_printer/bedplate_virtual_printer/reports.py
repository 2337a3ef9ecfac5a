"""Commands that tell something, set a mode or talk to a person; M105 is the firmware's own."""

from __future__ import annotations

import math
import re

from .gcode_words import Command
from .machine import Handler, Machine, Steps

VERSION = "2.0.9.5"
"""The Marlin whose dialect this is."""

FIRMWARE = (
    f"FIRMWARE_NAME:Marlin {VERSION} (Bedplate virtual printer) "
    "SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 "
    "MACHINE_TYPE:Virtual Printer EXTRUDER_COUNT:1 UUID:5a5a2f0e-6f0b-4f0c-9d4e-0c5b1d2a7e11"
)

CAPABILITIES: dict[str, bool] = {
    "SERIAL_XON_XOFF": False,
    "BINARY_FILE_TRANSFER": False,
    "EEPROM": False,
    "VOLUMETRIC": True,
    "AUTOREPORT_POS": True,
    "AUTOREPORT_TEMP": True,
    "PROGRESS": False,
    "PRINT_JOB": True,
    "AUTOLEVEL": True,
    "RUNOUT": False,
    "Z_PROBE": True,
    "LEVELING_DATA": False,
    "BUILD_PERCENT": False,
    "SOFTWARE_POWER": False,
    "TOGGLE_LIGHTS": False,
    "CASE_LIGHT_BRIGHTNESS": False,
    "EMERGENCY_PARSER": True,
    "HOST_ACTION_COMMANDS": True,
    "PROMPT_SUPPORT": True,
    "SDCARD": False,
    "REPEAT": False,
    "SD_WRITE": False,
    "AUTOREPORT_SD_STATUS": False,
    "LONG_FILENAME": False,
    "LFN_WRITE": False,
    "CUSTOM_FIRMWARE_UPLOAD": False,
    "EXTENDED_M20": False,
    "THERMAL_PROTECTION": True,
    "MOTION_MODES": False,
    "ARCS": True,
    "BABYSTEPPING": False,
    "CHAMBER_TEMPERATURE": False,
    "COOLER_TEMPERATURE": False,
    "MEATPACK": False,
    "CONFIG_EXPORT": False,
}

_VOLUME = "min:{x:0.00,y:0.00,z:0.00},max:{x:200.00,y:200.00,z:200.00}"
AREA = f"area:{{full:{{{_VOLUME}}},work:{{{_VOLUME}}}}}"

_STEPS = " M92 X80.00 Y80.00 Z400.00 E500.00"

SETTINGS = (
    "; Linear Units:",
    " G21 ; (mm)",
    "; Temperature Units:",
    " M149 C ; Units in Celsius",
    "; Steps per unit:",
    _STEPS,
    "; Max feedrates (units/s):",
    " M203 X300.00 Y300.00 Z5.00 E25.00",
    "; Max Acceleration (units/s2):",
    " M201 X3000.00 Y3000.00 Z100.00 E10000.00",
    "; Acceleration (units/s2) (P<print-accel> R<retract-accel> T<travel-accel>):",
    " M204 P3000.00 R3000.00 T3000.00",
)

GREETING = (
    f"Marlin {VERSION}",
    "echo: Last Updated: 2022-07-29 | Author: (Bedplate virtual printer)",
    "echo: Compiled: Jul 29 2022",
    "echo: Free Memory: 0  PlannerBufferBytes: 1280",
    "echo:No EEPROM.",
    "//action:notification Hardcoded Default Settings Loaded",
    "echo:Hardcoded Default Settings Loaded",
    "//action:prompt_end",
)

_LONGEST_REPORT_INTERVAL = 60.0
_LEADING_NUMBERS = re.compile(r"^(?:[SP] *[-+.\d]+ *)+", re.IGNORECASE)
_ECHO_OPTION = re.compile(r"([AEP])(\d) ?")


def _firmware_info(machine: Machine, _command: Command) -> None:
    machine.say(FIRMWARE)
    for name, present in CAPABILITIES.items():
        machine.say(f"Cap:{name}:{int(present)}")
    machine.say(AREA)


def _position(machine: Machine, _command: Command) -> None:
    machine.say(machine.whereabouts())


def _endstops(machine: Machine, _command: Command) -> None:
    machine.say("Reporting endstop status")
    for axis in "xyz":
        machine.say(f"{axis}_min: open")


def _settings(machine: Machine, command: Command) -> None:
    brief = command.number("S") == 0
    for line in SETTINGS:
        if not brief:
            machine.say(f"echo:{line if line[0] == ';' else ' ' + line}")
        elif line[0] != ";":
            machine.say(f" {line}")


def _steps(machine: Machine, command: Command) -> None:
    """M92: tells the steps per mm when none are given; given ones change nothing here."""
    if not command.words:
        machine.say(f" {_STEPS}")


def _load_settings(machine: Machine, command: Command) -> None:
    if command.name != "M502":
        machine.say("echo:No EEPROM.")
    if command.name != "M500":
        machine.say("echo:Hardcoded Default Settings Loaded")


def _report_temperatures(machine: Machine, command: Command) -> None:
    machine.temperature_interval, machine.temperature_due = _interval(
        machine, command, machine.temperature_interval, machine.temperature_due
    )


def _report_position(machine: Machine, command: Command) -> None:
    machine.position_interval, machine.position_due = _interval(
        machine, command, machine.position_interval, machine.position_due
    )


def _interval(
    machine: Machine, command: Command, interval: float, due: float
) -> tuple[float, float]:
    seconds = command.number("S")
    if seconds is None:
        return interval, due
    interval = float(int(min(max(seconds, 0.0), _LONGEST_REPORT_INTERVAL)))
    return interval, machine.now + interval if interval > 0 else math.inf


def _keepalive(machine: Machine, command: Command) -> None:
    seconds = command.number("S")
    if seconds is None:
        machine.say(f"echo:M113 S{machine.keepalive_interval:.0f}")
    else:
        machine.keepalive_interval = float(int(min(max(seconds, 0.0), 60.0)))


def _line_number(machine: Machine, command: Command) -> None:
    number = command.number("N")
    if number is not None:
        machine.set_line_number = int(number)


def _message(machine: Machine, command: Command) -> None:
    if command.text:
        machine.notify(command.text, "\r\n")


def _echo(machine: Machine, command: Command) -> None:
    """M118: A1 puts `//` before the text, E1 `echo:`; P chooses a port, of which there is one."""
    text, prefix = command.text, ""
    while option := _ECHO_OPTION.match(text):
        if option.group(2) != "0" and option.group(1) in "AE":
            prefix += {"A": "//", "E": "echo:"}[option.group(1)]
        text = text[option.end() :]
    machine.say(prefix + text, "\r\n")


def _stop_for_person(machine: Machine, command: Command) -> Steps:
    """M0, M1: waits for M108, the prompt's answer or the time given (P ms, S seconds)."""
    yield from machine.drain()
    milliseconds, seconds = command.number("P"), command.number("S")
    text = _LEADING_NUMBERS.sub("", command.text)
    if text:
        machine.say(f"echo:{text}", "\r\n")
    machine.prompt(f"{command.name} Stop", "Continue")
    limit = seconds if seconds is not None else (milliseconds or 0.0) / 1000
    until = machine.now + machine.duration(limit) if limit > 0 else math.inf
    machine.user_wait = True
    machine.busy_state = "paused for user"
    while machine.user_wait and machine.now < until:
        yield until
    machine.user_wait = False
    machine.busy_state = "processing"


def _print_time(machine: Machine, _command: Command) -> None:
    machine.notify("0s", "\r\n")
    machine.say("echo:Print time: 0s")


def _tool(machine: Machine, command: Command) -> None:
    if command.name != "T0":
        machine.say(f"echo:{command.name} Invalid extruder")


def _accept(_machine: Machine, _command: Command) -> None:
    """Taken silently: a setting without effect here, or done before it got this far."""


# Acceleration, jerk, steps, offsets, PID, inactivity, print timer, fan and levelling settings.
_SILENT = "M17 M75 M76 M77 M85 M108 M149 M200 M201 M205 M206 M211 M301 M304 M410 M420 M851 M876"

COMMANDS: dict[str, Handler] = {
    **dict.fromkeys(_SILENT.split(), _accept),
    "M0": _stop_for_person,
    "M1": _stop_for_person,
    "M31": _print_time,
    "M92": _steps,
    "M110": _line_number,
    "M113": _keepalive,
    "M114": _position,
    "M115": _firmware_info,
    "M117": _message,
    "M118": _echo,
    "M119": _endstops,
    "M154": _report_position,
    "M155": _report_temperatures,
    "M500": _load_settings,
    "M501": _load_settings,
    "M502": _load_settings,
    "M503": _settings,
    **{f"T{index}": _tool for index in range(10)},
}

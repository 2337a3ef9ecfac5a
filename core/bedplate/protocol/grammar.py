"""Every pattern of the serial dialogue, beside a line that it matches and the firmware that says
it.

Lines are text here: decoded leniently (`decode`), blanks at both ends removed unless noted.
"""

from __future__ import annotations

import re


def decode(line: bytes) -> str:
    """A line as text; bytes that are not UTF-8 stay visible as `\\xNN`, nothing is lost."""
    return line.decode("utf-8", "backslashreplace")


NUMBER = r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
COUNT = r"-?[0-9]{1,10}(?![0-9])"
"""A line number or a number of slots. More digits are noise."""

# ok                                Marlin, Teacup, Klipper
# ok P15 B3                         Marlin with ADVANCED_OK
# ok N2 P15 B3                      Marlin with ADVANCED_OK, for a numbered line
# ok T:19.37 /0.00 B:19.37 /0.00    Marlin, answer to M105
# ok FIRMWARE_NAME:Klipper ...      Klipper, answer to M115
# ok X:0.0 Y:0.0 Z:0.0 E:0.0 ...    OctoPrint's virtual printer, answer to M114
OK = re.compile(r"ok(?![A-Za-z0-9_])\s*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)

# N2 P15 B3                         after ok, Marlin with ADVANCED_OK
ADVANCED_OK = re.compile(
    rf"(?:N(?P<number>{COUNT})\s+)?P(?P<planner>{COUNT})\s+B(?P<buffer>{COUNT})"
)

# T:19.37 /0.00 B:19.37 /0.00 @:0 B@:0        Marlin
#  T:26.59 /60.00 B:22.0 /0.00 @:127 W:?      Marlin during M109
# T:21.30/ 0.00 B:21.30/ 0.00 @:64            OctoPrint's virtual printer
# T:66.25/0.0 B:28.50/0.0                     Teacup
# B:22.1 /0.0 T0:22.1 /0.0                    Klipper
# T:41.32                                     OctoPrint's virtual printer while heating
# T:nan /0.00 B:21.4 /0.00                    a sensor that is not connected
# The first word decides: a position report ends in "Count A:0 B:0 C:0" and is none of these.
TEMPERATURES = re.compile(rf"(?:T[0-9]{{0,2}}|B|C):\s*(?:{NUMBER}|nan\b)", re.IGNORECASE)
HEATER = re.compile(
    rf"(?<![A-Za-z0-9@])(?P<heater>T[0-9]{{0,2}}|B|C):\s*(?P<actual>{NUMBER}|(?i:nan)\b)"
    rf"(?:\s*/\s*(?P<target>{NUMBER}))?"
)

# X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0    Marlin, M114 and M154
# X:0.000,Y:0.000,Z:0.000,E:0.000,F:50             Teacup
# X:0.000 Y:0.000 Z:0.000 E:0.000                  Klipper
# C: X:0.0000 Y:0.0000 Z:0.0000 E:0.0000           Smoothieware, after ok
POSITION = re.compile(
    rf"(?:C:\s*)?X:\s*(?P<x>{NUMBER})[ ,]+Y:\s*(?P<y>{NUMBER})[ ,]+Z:\s*(?P<z>{NUMBER})"
    rf"(?:[ ,]+E0?:\s*(?P<e>{NUMBER}))?"
)

# Resend: 3                         Marlin
# Resend:3                          OctoPrint's virtual printer
# rs N3 Expected checksum 36        Teacup
RESEND = re.compile(rf"(?:resend|rs)\b[\s:]{{0,4}}N?[\s:]{{0,4}}(?P<number>{COUNT})", re.IGNORECASE)

# start                             Marlin, Teacup, OctoPrint's virtual printer
# \x00\xfestart                     a serial adapter that adds noise while the board resets
GREETING = re.compile(r"(?:\\x[0-9a-f]{2}|[^ -~])*start")

# echo:busy: processing             Marlin, every 2 s
# echo:busy: paused for user        Marlin at a prompt
BUSY = re.compile(r"(?:echo:\s*)?busy:\s*(?P<what>.+)", re.IGNORECASE)

# wait                              Repetier, OctoPrint's virtual printer: idle, empty buffer
WAIT = re.compile(r"wait")

# FIRMWARE_NAME:Marlin 2.0.9.5 (Nov 22 2026 13:59:25) SOURCE_CODE_URL:... MACHINE_TYPE:SimRap 1.4
# ... FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.13.0-730-g84104bbbd-dirty
FIRMWARE_INFO = re.compile(r"(?:FIRMWARE_NAME|PROTOCOL_VERSION|MACHINE_TYPE)\s*:")
FIRMWARE_FIELD = re.compile(r"\b(?P<key>[A-Z][A-Z0-9_]+):(?P<value>.*?)(?=\s+[A-Z][A-Z0-9_]+:|$)")

# Cap:EMERGENCY_PARSER:1            Marlin
# cap:AUTOREPORT_TEMP:1             Teacup
CAPABILITY = re.compile(r"cap:\s*(?P<name>[A-Z0-9_]+):\s*(?P<on>[01])", re.IGNORECASE)

# //action:pause                    Marlin
# // action:prompt_begin M0 Stop    with a blank, seen too
ACTION = re.compile(r"//\s*action:\s*(?P<name>\w+)\s*(?P<argument>.*)", re.IGNORECASE)

# echo:Unknown command: "M9999"     Marlin
# // Unknown command:"M9999"        Klipper
# E: Bad M-code 15                  Teacup
UNKNOWN_COMMAND = re.compile(
    r"(?:echo:|//)\s*Unknown command:\s*\"?(?P<command>[^\"]*)"
    r"|E: Bad (?P<letter>[GM])-code (?P<code>[0-9]+)"
)

# Error:checksum mismatch, Last Line: 2                        Marlin
# Error:Line Number is not Last Line Number+1, Last Line: 3    Marlin
# Error:No Checksum with line number, Last Line: 4             Marlin
# Error: Missing checksum                                      OctoPrint's virtual printer
# Error: expected line 4 got 9                                 OctoPrint's virtual printer
LINE_ERROR = re.compile(
    r"Error:\s*(?:checksum mismatch|Line Number is not|No Checksum|No Line Number|Missing checksum"
    r"|expected line|Format error)",
    re.IGNORECASE,
)

# Error:...                         Marlin and relatives
# !! Must home axis first: ...      Klipper, not fatal by itself
# E: ...                            Teacup
ERROR = re.compile(r"(?:Error:|!!|E:)\s*(?P<text>.+)", re.IGNORECASE)

# What ends in silence until the printer is reset: kind of alarm, and the line.
ALARMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    # Error:Thermal Runaway, system stopped! Heater_ID: 0          Marlin
    ("thermal_runaway", re.compile(r"Error:\s*Thermal Runaway", re.IGNORECASE)),
    # Error:Heating failed, system stopped! Heater_ID: bed         Marlin
    ("heating_failed", re.compile(r"Error:\s*Heating failed", re.IGNORECASE)),
    # Error:MAXTEMP triggered, system stopped! Heater_ID: 0        Marlin
    ("maxtemp", re.compile(r"Error:.*\bMAXTEMP\b", re.IGNORECASE)),
    # Error:MINTEMP triggered, system stopped! Heater_ID: 0        Marlin
    ("mintemp", re.compile(r"Error:.*\bMINTEMP\b", re.IGNORECASE)),
    # Error:Printer halted. kill() called!                         Marlin
    # echo:EMERGENCY SHUTDOWN DETECTED. KILLED.                    OctoPrint's virtual printer
    (
        "killed",
        re.compile(
            r"Error:\s*Printer halted|Error:.*kill\(\) called|echo:EMERGENCY SHUTDOWN",
            re.IGNORECASE,
        ),
    ),
    # // Klipper state: Shutdown                                   Klipper
    # // Printer is shutdown                                       Klipper, to each command after it
    ("other", re.compile(r"//\s*(?:Klipper state: Shutdown|Printer is shutdown)")),
    # fatal:Heater/sensor error Printer stopped ...                Repetier
    ("other", re.compile(r"fatal:")),
    # !!                                                           Smoothieware, to each command
    ("other", re.compile(r"!!$")),
)

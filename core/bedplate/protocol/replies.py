"""One line from the printer to what it means: a tuple of replies, since `ok T:20.1 /0` is two.

Every line gives at least one reply; what nothing else matches is `Information`, never an error.
"""

from __future__ import annotations

import msgspec

from bedplate.messages.snapshot import HeaterReading, Position
from bedplate.protocol import grammar


class Reply(msgspec.Struct, frozen=True, gc=False):
    """Base class of what a line can mean."""


class Ok(Reply, frozen=True, gc=False):
    """The printer took a line. With ADVANCED_OK: its number, free planner slots, free command
    slots.

    `with_report`: in one line with temperatures, so it answers an M105 and nothing else.
    """

    number: int | None = None
    planner: int | None = None
    buffer: int | None = None
    with_report: bool = False


class TemperatureReport(Reply, frozen=True, gc=False):
    """Heaters by our names."""

    heaters: dict[str, HeaterReading]


class PositionReport(Reply, frozen=True, gc=False):
    """Answer to M114, or an automatic report."""

    position: Position


class ResendRequest(Reply, frozen=True, gc=False):
    """The printer wants line `number` (and those after it) again."""

    number: int


class Busy(Reply, frozen=True, gc=False):
    """Alive, but not done with what it does."""

    what: str


class Wait(Reply, frozen=True, gc=False):
    """Idle, with an empty buffer (Repetier and others)."""


class Greeting(Reply, frozen=True, gc=False):
    """The firmware has just started."""


class FirmwareInfo(Reply, frozen=True, gc=False):
    """Answer to M115: `FIRMWARE_NAME`, `MACHINE_TYPE` and so on."""

    fields: dict[str, str]


class Capability(Reply, frozen=True, gc=False):
    """One `Cap:` line of M115."""

    name: str
    on: bool


class Action(Reply, frozen=True, gc=False):
    """The printer asks its host for something, or tells it (`//action:...`)."""

    name: str
    argument: str


class UnknownCommand(Reply, frozen=True, gc=False):
    """The firmware does not know the command. Not fatal; an ok follows."""

    command: str


class LineError(Reply, frozen=True, gc=False):
    """A line was damaged or out of order; a resend request follows."""

    text: str


class ErrorReport(Reply, frozen=True, gc=False):
    """An error that the firmware goes on after."""

    text: str


class Alarm(Reply, frozen=True, gc=False):
    """The firmware stopped itself and needs a reset."""

    kind: str
    text: str


class Information(Reply, frozen=True, gc=False):
    """Anything else."""

    text: str


PLAIN_OK = (Ok(),)


def read_line(line: bytes) -> tuple[Reply, ...]:
    """What `line` (without its end) means; the empty tuple for a blank line."""
    if line == b"ok":
        return PLAIN_OK
    text = grammar.decode(line).strip()
    if not text:
        return ()
    if match := grammar.OK.match(text):
        return _read_ok(match["rest"])
    return (_read_text(text),)


def _read_ok(rest: str) -> tuple[Reply, ...]:
    if not rest:
        return PLAIN_OK
    if match := grammar.ADVANCED_OK.match(rest):
        number = match["number"]
        ok = Ok(
            None if number is None else int(number), int(match["planner"]), int(match["buffer"])
        )
        return (ok,)
    if report := read_temperatures(rest):
        return (report, Ok(with_report=True))
    return (_read_text(rest), Ok())


def _read_text(text: str) -> Reply:
    """The reply of a line without its ok. The order of the questions matters: first the frequent
    ones."""
    if report := read_temperatures(text):
        return report
    if match := grammar.BUSY.fullmatch(text):
        return Busy(match["what"])
    if match := grammar.RESEND.match(text):
        return ResendRequest(int(match["number"]))
    if match := grammar.POSITION.match(text):
        return PositionReport(_position(match.groupdict()))
    for kind, pattern in grammar.ALARMS:
        if pattern.match(text):
            return Alarm(kind, text)
    if grammar.LINE_ERROR.match(text):
        return LineError(text)
    if match := grammar.ACTION.match(text):
        return Action(match["name"].lower(), match["argument"].strip())
    if match := grammar.UNKNOWN_COMMAND.match(text):
        code = match["code"]
        return UnknownCommand(match["command"] if code is None else match["letter"] + code)
    if match := grammar.CAPABILITY.match(text):
        return Capability(match["name"].upper(), match["on"] == "1")
    if grammar.FIRMWARE_INFO.match(text):
        return FirmwareInfo(
            {m["key"]: m["value"].strip(" ,") for m in grammar.FIRMWARE_FIELD.finditer(text)}
        )
    if grammar.WAIT.fullmatch(text):
        return Wait()
    if grammar.GREETING.fullmatch(text):
        return Greeting()
    if match := grammar.ERROR.match(text):
        return ErrorReport(match["text"])
    return Information(text)


def _position(found: dict[str, str | None]) -> Position:
    return Position(**{axis: None if text is None else float(text) for axis, text in found.items()})


def read_temperatures(text: str) -> TemperatureReport | None:
    """The heaters of a report, or None where the line is none.

    With several tools Marlin says the active one first as `T:` and then each as `T0:`, `T1:`; then
    only the numbered ones count.
    """
    if not grammar.TEMPERATURES.match(text):
        return None
    found = {m["heater"].upper(): m for m in grammar.HEATER.finditer(text)}
    if "T0" in found:
        found.pop("T", None)
    heaters = {
        _heater_name(name): HeaterReading(
            _degrees(m["actual"]), None if m["target"] is None else float(m["target"])
        )
        for name, m in found.items()
    }
    return TemperatureReport(heaters)


def _degrees(text: str) -> float | None:
    """None for `nan`, which firmwares say when a sensor can't be read."""
    return None if text.lower() == "nan" else float(text)


def _heater_name(letter: str) -> str:
    """`T` and `T0` are `tool0`, `T1` is `tool1`, `B` the bed, `C` the chamber."""
    fixed = {"B": "bed", "C": "chamber", "T": "tool0"}
    return fixed.get(letter) or f"tool{int(letter[1:])}"

"""Commands to the printer: heat, move, feed, G-code by hand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from bedplate.errors import BadRequestError, BedplateError, ConflictError, NotFoundError
from bedplate.web import gcode
from bedplate.web.permissions import CONTROL
from bedplate.web.printer import need_heater, need_idle, need_operational
from bedplate.web.routing import Answer, Call, Route
from bedplate.web.wire import Command, NoQuery, Wire

Celsius = Annotated[float, Meta(ge=0, le=1000)]
"""Far above what any heater takes: the printer's own limits are what counts."""

Offset = Annotated[float, Meta(ge=-50, le=50)]
Factor = Annotated[float, Meta(gt=0, le=1000)]

ORIGIN = "api"
"""Who asked, in the terminal and the log."""

# -- tools -----------------------------------------------------------------------------------------


class SelectTool(Command, frozen=True, tag="select"):
    """Make a tool the current one."""

    tool: str


class ToolTargets(Command, frozen=True, tag="target"):
    """Target temperatures in °C, by tool; `tool` is the current one."""

    targets: dict[str, Celsius]


class ToolOffsets(Command, frozen=True, tag="offset"):
    """Temperature offsets. Only 0 is possible: files are printed as they are."""

    offsets: dict[str, Offset]


class Extrude(Command, frozen=True, tag="extrude"):
    """Extrude `amount` mm of filament, retract where it is negative; `speed` in mm/min."""

    amount: float
    speed: Annotated[float, Meta(gt=0)] | None = None


class FlowRate(Command, frozen=True, tag="flowrate"):
    """Flow rate: 0.75 to 1.25, or 75 to 125 percent."""

    factor: Factor


ToolCommand = SelectTool | ToolTargets | ToolOffsets | Extrude | FlowRate


def _tool_number(call: Call[Any, Any], name: str) -> int:
    number = name.removeprefix("tool")
    if name == "tool":
        return 0
    if not name.startswith("tool") or not number.isdecimal():
        raise BadRequestError(f'"{name}" is not a tool.')
    if int(number) >= call.printer.settings.extruders:
        raise BadRequestError(f"The printer has no {name}.")
    return int(number)


def _percent(factor: float, low: float, high: float) -> float:
    """Percent, of a ratio or of a percentage: nobody wants a rate of 10 percent or less."""
    percent = factor * 100 if factor <= 10 else factor
    if not low <= percent <= high:
        raise BadRequestError(f"The factor must lie between {low:g} and {high:g} percent.")
    return percent


def _no_offsets(offsets: dict[str, float]) -> None:
    if any(offsets.values()):
        raise ConflictError("Temperature offsets are not supported: files are printed as they are.")


async def command_tool(call: Call[ToolCommand, NoQuery]) -> Answer:
    """Heat, choose and feed the tools."""
    match call.body:
        case Extrude():
            need_idle(call)
        case _:
            need_operational(call)
    printer = call.printer
    match call.body:
        case SelectTool(tool=name):
            await printer.select_tool(_tool_number(call, name))
        case ToolTargets(targets=targets):
            await printer.set_targets(
                {f"tool{_tool_number(call, name)}": value for name, value in targets.items()}
            )
        case ToolOffsets(offsets=offsets):
            _no_offsets(offsets)
        case Extrude(amount=amount, speed=speed):
            await printer.extrude(amount, speed)
        case FlowRate(factor=factor):
            await printer.flow_rate(_percent(factor, 75, 125))
    return Answer(status=204)


# -- bed and chamber -------------------------------------------------------------------------------


class HeaterTarget(Command, frozen=True, tag="target"):
    """Target temperature in °C."""

    target: Celsius


class HeaterOffset(Command, frozen=True, tag="offset"):
    """Temperature offset. Only 0 is possible."""

    offset: Offset


HeaterCommand = HeaterTarget | HeaterOffset


async def command_bed(call: Call[HeaterCommand, NoQuery]) -> Answer:
    """Heat the bed."""
    return await _heat(call, "bed")


async def command_chamber(call: Call[HeaterCommand, NoQuery]) -> Answer:
    """Heat the chamber."""
    return await _heat(call, "chamber")


async def _heat(call: Call[HeaterCommand, NoQuery], name: str) -> Answer:
    need_operational(call)
    need_heater(call, name)
    match call.body:
        case HeaterTarget(target=target):
            await call.printer.set_targets({name: target})
        case HeaterOffset(offset=offset):
            _no_offsets({name: offset})
    return Answer(status=204)


# -- head ------------------------------------------------------------------------------------------


class Jog(Command, frozen=True, tag="jog"):
    """Move by (or, with `absolute`, to) the given mm; `speed` in mm/min."""

    x: float | None = None
    y: float | None = None
    z: float | None = None
    absolute: bool = False
    speed: float | bool | None = None


class Home(Command, frozen=True, tag="home"):
    """Home the given axes."""

    axes: Annotated[list[Literal["x", "y", "z"]], Meta(min_length=1)]


class FeedRate(Command, frozen=True, tag="feedrate"):
    """Feed rate: 0.5 to 2.0, or 50 to 200 percent. Also possible while printing."""

    factor: Factor


HeadCommand = Jog | Home | FeedRate


async def command_head(call: Call[HeadCommand, NoQuery]) -> Answer:
    """Move the print head."""
    printer = call.printer
    match call.body:
        case FeedRate(factor=factor):
            need_operational(call)
            await printer.feed_rate(_percent(factor, 50, 200))
        case Home(axes=axes):
            need_idle(call)
            await printer.home(list(axes))
        case Jog() as jog:
            need_idle(call)
            if jog.x is None and jog.y is None and jog.z is None:
                raise BadRequestError("Mandatory parameters missing: x, y or z.")
            speed = None if isinstance(jog.speed, bool) else jog.speed
            if speed is not None and speed <= 0:
                raise BadRequestError("speed is invalid: it must be above 0.")
            await printer.jog(x=jog.x, y=jog.y, z=jog.z, absolute=jog.absolute, speed=speed)
    return Answer(status=204)


# -- G-code ----------------------------------------------------------------------------------------


class GcodeBody(Wire, frozen=True):
    """One of `command`, `commands`, `script`; `parameters` replace `%(name)s` in commands."""

    command: str | None = None
    commands: list[str] | None = None
    script: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)


async def command_gcode(call: Call[GcodeBody, NoQuery]) -> Answer:
    """Send G-code.

    Also possible while printing. `M112` stops the printer at once, whatever its state.
    """
    body = call.body
    given = [name for name in ("command", "commands", "script") if getattr(body, name) is not None]
    if len(given) != 1:
        raise BadRequestError("Exactly one of command, commands and script is needed.")
    if body.script is not None:
        raise NotFoundError(f'There is no script "{body.script}".')
    texts = [body.command] if body.command is not None else body.commands or []
    commands = gcode.commands_of(texts, body.parameters)
    if any(gcode.is_emergency_stop(command) for command in commands):
        await call.printer.emergency_stop()
        return Answer(status=204)
    need_operational(call)
    if commands:
        await call.printer.send(commands, ORIGIN)
    return Answer(status=204)


class InitialiseSd(Command, frozen=True, tag="init"):
    """Initialise the card."""


class RefreshSd(Command, frozen=True, tag="refresh"):
    """List the card's files again."""


class ReleaseSd(Command, frozen=True, tag="release"):
    """Release the card."""


async def command_sd(call: Call[InitialiseSd | RefreshSd | ReleaseSd, NoQuery]) -> Answer:
    """The printer's own card: not supported."""
    raise NotFoundError("Printing from the printer's own card is not supported.")


def _route(path: str, handler: Any, body: Any, *errors: type[BedplateError]) -> Route:
    return Route(
        method="POST",
        path=f"/api/printer{path}",
        handler=handler,
        permission=CONTROL,
        body=body,
        answers={204: None},
        errors=(BadRequestError, ConflictError, *errors),
        tag="Printer",
    )


ROUTES = (
    _route("/tool", command_tool, ToolCommand, NotFoundError),
    _route("/bed", command_bed, HeaterCommand),
    _route("/chamber", command_chamber, HeaterCommand),
    _route("/printhead", command_head, HeadCommand),
    _route("/command", command_gcode, GcodeBody, NotFoundError),
    _route("/sd", command_sd, InitialiseSd | RefreshSd | ReleaseSd, NotFoundError),
)

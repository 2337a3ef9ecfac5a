"""The printer: its state, its heaters, its head, and G-code by hand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from bedplate.errors import BadRequestError, ConflictError, NotFoundError
from bedplate.web import gcode, octoprint
from bedplate.web.documents import StateDocument, TemperatureDocument
from bedplate.web.permissions import CONTROL, STATUS
from bedplate.web.routing import Answer, Call, Route
from bedplate.web.wire import Command, NoQuery, Wire

Celsius = Annotated[float, Meta(ge=0, le=1000)]
"""Far above what any heater takes: the printer's own limits are what counts."""

Offset = Annotated[float, Meta(ge=-50, le=50)]
Factor = Annotated[float, Meta(gt=0, le=1000)]
ORIGIN = "api"

# -- state -----------------------------------------------------------------------------------------


class PrinterQuery(Wire, frozen=True):
    """`exclude`: what to leave out, of temperature, sd, state; `limit`: newest points of the history."""

    exclude: str = ""
    history: bool = False
    limit: Annotated[int, Meta(ge=0)] | None = None


class HistoryQuery(Wire, frozen=True):
    """Whether to answer past reports too, and how many of the newest."""

    history: bool = False
    limit: Annotated[int, Meta(ge=0)] | None = None


class PrinterDocument(Wire, frozen=True):
    """State and temperatures. There is no `sd`: printing from the printer's card is not supported."""

    temperature: TemperatureDocument | UnsetType = UNSET
    state: StateDocument | UnsetType = UNSET


class SdDocument(Wire, frozen=True):
    """Whether the printer's card is ready: never, since it is not supported."""

    ready: bool


class PrinterErrorDocument(Wire, frozen=True):
    """Why the printer is not usable; both empty where nothing is wrong."""

    error: str
    reason: str


def _need_operational(call: Call[Any, Any]) -> None:
    if not call.printer.is_operational:
        raise ConflictError("Printer is not operational.")


def _need_idle(call: Call[Any, Any]) -> None:
    """Moves by hand would end up in the middle of the printed part."""
    _need_operational(call)
    if octoprint.flags(call.printer.snapshot).printing:
        raise ConflictError("Printer is printing.")


def _temperature(
    call: Call[Any, Any], history: bool, limit: int | None, prefix: str = ""
) -> TemperatureDocument:
    snapshot, settings = call.printer.snapshot, call.printer.settings
    document: TemperatureDocument = {
        name: heater
        for name, heater in octoprint.heaters(snapshot, settings.extruders).items()
        if name.startswith(prefix)
    }
    if history:
        points = octoprint.history_points(call.printer.history, limit)
        document["history"] = [
            {name: value for name, value in point.items() if name.startswith(("time", prefix))}
            for point in points
        ]
    return document


async def read_printer(call: Call[None, PrinterQuery]) -> PrinterDocument:
    """State and temperatures."""
    _need_operational(call)
    query = call.query
    left_out = {name.strip() for name in query.exclude.split(",")}
    return PrinterDocument(
        temperature=(
            UNSET
            if "temperature" in left_out
            else _temperature(call, query.history, query.limit)
        ),
        state=UNSET if "state" in left_out else octoprint.state_document(call.printer.snapshot),
    )


async def read_tool(call: Call[None, HistoryQuery]) -> TemperatureDocument:
    """Temperatures of the tools."""
    _need_operational(call)
    return _temperature(call, call.query.history, call.query.limit, "tool")


async def read_bed(call: Call[None, HistoryQuery]) -> TemperatureDocument:
    """Temperature of the bed."""
    _need_operational(call)
    _need_heater(call, "bed")
    return _temperature(call, call.query.history, call.query.limit, "bed")


async def read_chamber(call: Call[None, HistoryQuery]) -> TemperatureDocument:
    """Temperature of the chamber."""
    _need_operational(call)
    _need_heater(call, "chamber")
    return _temperature(call, call.query.history, call.query.limit, "chamber")


async def read_sd(call: Call[None, NoQuery]) -> SdDocument:
    """State of the printer's own card."""
    return SdDocument(ready=False)


async def read_printer_error(call: Call[None, NoQuery]) -> PrinterErrorDocument:
    """Why the printer is not usable."""
    problem = call.printer.snapshot.connection.problem
    return PrinterErrorDocument(
        error=octoprint.error_text(call.printer.snapshot),
        reason=problem.code if problem else "",
    )


def _need_heater(call: Call[Any, Any], name: str) -> None:
    settings = call.printer.settings
    has = {"bed": settings.heated_bed, "chamber": settings.heated_chamber}[name]
    if not has:
        raise ConflictError(f"Printer does not have a heated {name}.")


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
            _need_idle(call)
        case _:
            _need_operational(call)
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
    _need_operational(call)
    _need_heater(call, name)
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
            _need_operational(call)
            await printer.feed_rate(_percent(factor, 50, 200))
        case Home(axes=axes):
            _need_idle(call)
            await printer.home(list(axes))
        case Jog() as jog:
            _need_idle(call)
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
    parameters: dict[str, Any] = {}
    context: dict[str, Any] = {}


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
    _need_operational(call)
    if commands:
        await call.printer.send(commands, ORIGIN)
    return Answer(status=204)


class CustomControls(Wire, frozen=True):
    """Buttons of one's own: none can be configured yet."""

    controls: list[dict[str, Any]]


async def read_custom_controls(call: Call[None, NoQuery]) -> CustomControls:
    """Custom controls."""
    return CustomControls(controls=[])


class InitialiseSd(Command, frozen=True, tag="init"):
    """Initialise the card."""


class RefreshSd(Command, frozen=True, tag="refresh"):
    """List the card's files again."""


class ReleaseSd(Command, frozen=True, tag="release"):
    """Release the card."""


async def command_sd(call: Call[InitialiseSd | RefreshSd | ReleaseSd, NoQuery]) -> Answer:
    """The printer's own card: not supported."""
    raise NotFoundError("Printing from the printer's own card is not supported.")


HEATER_ERRORS = (BadRequestError, ConflictError)


def _read(path: str, handler: Any, answer: Any, query: Any = None, *errors: Any) -> Route:
    return Route(
        method="GET",
        path=f"/api/printer{path}",
        handler=handler,
        permission=STATUS,
        query=query,
        answers={200: answer},
        errors=errors,
        tag="Printer",
    )


def _command(path: str, handler: Any, body: Any, *errors: Any) -> Route:
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
    _read("", read_printer, PrinterDocument, PrinterQuery, BadRequestError, ConflictError),
    _read("/tool", read_tool, TemperatureDocument, HistoryQuery, BadRequestError, ConflictError),
    _command("/tool", command_tool, ToolCommand),
    _read("/bed", read_bed, TemperatureDocument, HistoryQuery, BadRequestError, ConflictError),
    _command("/bed", command_bed, HeaterCommand),
    _read(
        "/chamber", read_chamber, TemperatureDocument, HistoryQuery, BadRequestError, ConflictError
    ),
    _command("/chamber", command_chamber, HeaterCommand),
    _command("/printhead", command_head, HeadCommand),
    _command("/command", command_gcode, GcodeBody, NotFoundError),
    _read("/command/custom", read_custom_controls, CustomControls),
    _read("/sd", read_sd, SdDocument),
    _command("/sd", command_sd, InitialiseSd | RefreshSd | ReleaseSd, NotFoundError),
    _read("/error", read_printer_error, PrinterErrorDocument),
)

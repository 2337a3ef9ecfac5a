"""The printer as it is: state and temperatures."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from bedplate.errors import BadRequestError, BedplateError, ConflictError
from bedplate.web import octoprint
from bedplate.web.documents import StateDocument, TemperatureDocument
from bedplate.web.permissions import CONTROL, STATUS, Permission
from bedplate.web.routing import Call, Route
from bedplate.web.wire import NoQuery, Wire


class PrinterQuery(Wire, frozen=True):
    """`exclude`: what to leave out, of temperature, sd, state; `limit`: newest points of the
    history."""

    exclude: str = ""
    history: bool = False
    limit: Annotated[int, Meta(ge=0)] | None = None


class HistoryQuery(Wire, frozen=True):
    """Whether to answer past reports too, and how many of the newest."""

    history: bool = False
    limit: Annotated[int, Meta(ge=0)] | None = None


class PrinterDocument(Wire, frozen=True):
    """State and temperatures. There is no `sd`: printing from the printer's card is not
    supported."""

    temperature: TemperatureDocument | UnsetType = UNSET
    state: StateDocument | UnsetType = UNSET


class SdDocument(Wire, frozen=True):
    """Whether the printer's card is ready: never, since it is not supported."""

    ready: bool


class PrinterErrorDocument(Wire, frozen=True):
    """Why the printer is not usable; both empty where nothing is wrong."""

    error: str
    reason: str


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
    need_operational(call)
    query = call.query
    left_out = {name.strip() for name in query.exclude.split(",")}
    return PrinterDocument(
        temperature=(
            UNSET if "temperature" in left_out else _temperature(call, query.history, query.limit)
        ),
        state=UNSET if "state" in left_out else octoprint.state_document(call.printer.snapshot),
    )


async def read_tool(call: Call[None, HistoryQuery]) -> TemperatureDocument:
    """Temperatures of the tools."""
    need_operational(call)
    return _temperature(call, call.query.history, call.query.limit, "tool")


async def read_bed(call: Call[None, HistoryQuery]) -> TemperatureDocument:
    """Temperature of the bed."""
    need_operational(call)
    need_heater(call, "bed")
    return _temperature(call, call.query.history, call.query.limit, "bed")


async def read_chamber(call: Call[None, HistoryQuery]) -> TemperatureDocument:
    """Temperature of the chamber."""
    need_operational(call)
    need_heater(call, "chamber")
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


class CustomControls(Wire, frozen=True):
    """Buttons of one's own: none can be configured yet."""

    controls: list[dict[str, Any]]


async def read_custom_controls(call: Call[None, NoQuery]) -> CustomControls:
    """Custom controls."""
    return CustomControls(controls=[])


def need_operational(call: Call[Any, Any]) -> None:
    if not call.printer.is_operational:
        raise ConflictError("Printer is not operational.")


def need_idle(call: Call[Any, Any]) -> None:
    """Moves by hand would end up in the middle of the printed part."""
    need_operational(call)
    if octoprint.flags(call.printer.snapshot).printing:
        raise ConflictError("Printer is printing.")


def need_heater(call: Call[Any, Any], name: str) -> None:
    settings = call.printer.settings
    has = {"bed": settings.heated_bed, "chamber": settings.heated_chamber}[name]
    if not has:
        raise ConflictError(f"Printer does not have a heated {name}.")


def _route(
    path: str,
    handler: Any,
    answer: Any,
    query: Any = None,
    errors: tuple[type[BedplateError], ...] = (),
    permission: Permission = STATUS,
) -> Route:
    return Route(
        method="GET",
        path=f"/api/printer{path}",
        handler=handler,
        permission=permission,
        query=query,
        answers={200: answer},
        errors=errors,
        tag="Printer",
    )


ERRORS = (BadRequestError, ConflictError)

ROUTES = (
    _route("", read_printer, PrinterDocument, PrinterQuery, ERRORS),
    _route("/tool", read_tool, TemperatureDocument, HistoryQuery, ERRORS),
    _route("/bed", read_bed, TemperatureDocument, HistoryQuery, ERRORS),
    _route("/chamber", read_chamber, TemperatureDocument, HistoryQuery, ERRORS),
    _route("/sd", read_sd, SdDocument),
    _route("/error", read_printer_error, PrinterErrorDocument),
    _route("/command/custom", read_custom_controls, CustomControls, permission=CONTROL),
)

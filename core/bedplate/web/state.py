"""Our own documents: the whole state of a printer, the schema of the events, the plugins."""

from __future__ import annotations

from typing import Any

import msgspec

from bedplate.messages.events import EVENTS
from bedplate.messages.printer import PrinterSnapshot
from bedplate.web.permissions import SETTINGS_READ, STATUS
from bedplate.web.routing import Call, Route
from bedplate.web.schema import events_document
from bedplate.web.wire import NoQuery, Wire


class PrinterName(Wire, frozen=True):
    """A printer and where its API is."""

    id: str
    name: str
    resource: str


class PrintersDocument(Wire, frozen=True):
    """All printers of this host."""

    printers: list[PrinterName]


async def read_state(call: Call[None, NoQuery]) -> PrinterSnapshot:
    """The whole state of a printer.

    The push socket sends the same as `{"snapshot": ...}` to clients that ask for it.
    """
    return call.printer.snapshot


async def read_printers(call: Call[None, NoQuery]) -> PrintersDocument:
    """All printers of this host."""
    return PrintersDocument(
        printers=[
            PrinterName(
                id=printer.id, name=printer.name, resource=f"{call.base}/printers/{printer.id}/api"
            )
            for printer in call.host.printers.values()
        ]
    )


async def read_events_schema(call: Call[None, NoQuery]) -> dict[str, Any]:
    """JSON Schema of every event, in its envelope."""
    return events_document(EVENTS)


async def read_plugins(call: Call[None, NoQuery]) -> dict[str, list[dict[str, Any]]]:
    """The installed plugins."""
    return {"plugins": [msgspec.to_builtins(plugin) for plugin in call.host.plugins.list()]}


ROUTES = (
    Route(
        method="GET",
        path="/api/state",
        handler=read_state,
        permission=STATUS,
        answers={200: PrinterSnapshot},
        tag="Bedplate",
    ),
    Route(
        method="GET",
        path="/api/printers",
        handler=read_printers,
        permission=STATUS,
        answers={200: PrintersDocument},
        tag="Bedplate",
    ),
    Route(
        method="GET",
        path="/api/events.json",
        handler=read_events_schema,
        permission=STATUS,
        answers={200: dict[str, Any]},
        tag="Documentation",
    ),
    Route(
        method="GET",
        path="/api/plugins",
        handler=read_plugins,
        permission=SETTINGS_READ,
        answers={200: dict[str, list[dict[str, Any]]]},
        tag="Bedplate",
    ),
)

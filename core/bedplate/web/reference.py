"""The documentation that the host serves about itself: the OpenAPI document, and pages made of
it."""

from __future__ import annotations

from typing import Any

from bedplate.messages.events import EVENTS
from bedplate.web import openapi, reference_pages
from bedplate.web.permissions import OPEN
from bedplate.web.routing import Answer, Call, Content, Route
from bedplate.web.schema import events_document
from bedplate.web.wire import NoQuery

HTML = Content("text/html")
HTML_HEADERS = {"Content-Type": "text/html; charset=utf-8"}


async def read_openapi(call: Call[None, NoQuery]) -> dict[str, Any]:
    """This interface as an OpenAPI 3.1 document."""
    return openapi.document(call.routes, call.host.version)


async def read_reference(call: Call[None, NoQuery]) -> Answer:
    """This interface as a page for people."""
    document = openapi.document(call.routes, call.host.version)
    return Answer(document=reference_pages.api_page(document), headers=HTML_HEADERS)


async def read_events(call: Call[None, NoQuery]) -> Answer:
    """The events as a page for people."""
    page = reference_pages.events_page(events_document(EVENTS))
    return Answer(document=page, headers=HTML_HEADERS)


ROUTES = (
    Route(
        method="GET",
        path="/api/openapi.json",
        handler=read_openapi,
        permission=OPEN,
        answers={200: dict[str, Any]},
        tag="Documentation",
    ),
    Route(
        method="GET",
        path="/docs/api",
        handler=read_reference,
        permission=OPEN,
        answers={200: HTML},
        tag="Documentation",
    ),
    Route(
        method="GET",
        path="/docs/events",
        handler=read_events,
        permission=OPEN,
        answers={200: HTML},
        tag="Documentation",
    ),
)

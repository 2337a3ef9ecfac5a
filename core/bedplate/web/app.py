"""The Tornado application: which handler answers an address. All routes meet here, once."""

from __future__ import annotations

import logging
from typing import Any

import tornado.web
from tornado.httputil import HTTPServerRequest

from bedplate.errors import BadRequestError
from bedplate.web import (
    connection,
    control,
    downloads,
    files,
    job,
    printer,
    profiles,
    reference,
    security,
    session,
    settings,
    state,
    system,
    uploads,
    version,
)
from bedplate.web.access import Access
from bedplate.web.context import Host, default_printer
from bedplate.web.handler import RouteHandler
from bedplate.web.routing import Route, RouteTable, split_path
from bedplate.web.services import Services
from bedplate.web.sockjs import Endpoint
from bedplate.web.static import WWW, Page, PageHandler

log = logging.getLogger(__name__)

Delegate = tornado.web._HandlerDelegate
"""What Tornado wants for a request; it has no public name."""

MODULES = (
    version,
    session,
    connection,
    files,
    uploads,
    job,
    printer,
    control,
    profiles,
    settings,
    state,
    system,
    downloads,
    reference,
)

ROUTES: tuple[Route, ...] = tuple(route for module in MODULES for route in module.ROUTES)
"""Every route of the core."""

PER_PRINTER = "api"
"""First segment of the addresses that exist for each printer, under `/printers/<id>`."""

PING_INTERVAL = 30
"""Seconds between pings on WebSockets: a peer that is gone without a word is noticed by them."""

MAX_SOCKET_MESSAGE = 64 * 1024
"""Bytes of a message from a client; the largest is a `subscribe` with many names."""


class Application(tornado.web.Application):
    """Routes requests: declared routes, push sockets, the web page. Make it inside of the loop."""

    def __init__(self, host: Host, access: Access | None = None) -> None:
        super().__init__(
            [],
            log_function=_log_request,
            websocket_ping_interval=PING_INTERVAL,
            websocket_max_message_size=MAX_SOCKET_MESSAGE,
        )
        self.services = Services(host, access or Access(), ROUTES)
        self._table = RouteTable(ROUTES)
        self._endpoints: dict[str, Endpoint] = {}
        self._page = Page(WWW)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Delegate:
        """The delegate for a request, whatever its address."""
        try:
            segments = split_path(request.path)
        except BadRequestError as error:
            return self._route(request, (PER_PRINTER,), None, error)
        printer_id, rest = None, segments
        if len(segments) > 2 and segments[0] == "printers":
            printer_id, rest = segments[1], segments[2:]
        if rest[:1] == ("sockjs",):
            return self._push(request, printer_id, rest)
        if self._is_of_page(request, segments) and self._table.find(segments) is None:
            return self.get_handler_delegate(
                request,
                PageHandler,
                {"services": self.services, "page": self._page, "segments": segments},
            )
        return self._route(request, rest, printer_id)

    @staticmethod
    def _is_of_page(request: HTTPServerRequest, segments: tuple[str, ...]) -> bool:
        return request.method in security.SAFE_METHODS and segments[:1] not in (
            (PER_PRINTER,),
            ("printers",),
        )

    def _route(
        self,
        request: HTTPServerRequest,
        segments: tuple[str, ...],
        printer_id: str | None,
        failure: BadRequestError | None = None,
    ) -> Delegate:
        match = self._table.find(segments)
        if printer_id is not None and segments[:1] != (PER_PRINTER,):
            match = None
        arguments = {
            "services": self.services,
            "segments": segments,
            "printer": printer_id,
            "match": match,
            "failure": failure,
        }
        return self.get_handler_delegate(request, RouteHandler, arguments)

    def _push(
        self, request: HTTPServerRequest, printer_id: str | None, segments: tuple[str, ...]
    ) -> Delegate:
        host = self.services.host
        printer = default_printer(host) if printer_id is None else host.printers.get(printer_id)
        if printer is not None:
            endpoint = self._endpoints.get(printer.id)
            if endpoint is None:
                endpoint = self._endpoints[printer.id] = Endpoint(self.services, printer)
            found = endpoint.find(segments[1:])
            if found is not None:
                handler, keywords, arguments = found
                return self.get_handler_delegate(request, handler, keywords, arguments)
        return self._route(request, segments, printer_id)

    async def close(self) -> None:
        """Ends every push connection and waits for what is under way."""
        for endpoint in self._endpoints.values():
            endpoint.close()
        await self.services.close()


def make_application(host: Host, access: Access | None = None) -> Application:
    """The application for a host. To be called inside of the running loop."""
    return Application(host, access)


def _log_request(handler: tornado.web.RequestHandler) -> None:
    """Requests are told at DEBUG: at INFO a polling client would fill the log."""
    request = handler.request
    log.debug(
        "%s %s %d %.0f ms",
        request.method,
        security.redact(str(request.uri)),
        handler.get_status(),
        1000 * request.request_time(),
    )

"""What all handlers of one application share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from tornado.httputil import HTTPServerRequest

from bedplate.web import security
from bedplate.web.access import Access
from bedplate.web.context import Host, Printer
from bedplate.web.push import PushHub
from bedplate.web.routing import Route


class Services:
    """Host, access decisions, push hubs, and tasks that outlive their request."""

    def __init__(self, host: Host, access: Access, routes: Sequence[Route]) -> None:
        self.routes = routes
        self.host = host
        self.access = access
        self._names = security.own_names()
        self._hubs: dict[str, PushHub] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def push(self, printer: Printer) -> PushHub:
        """The push clients of a printer."""
        if printer.id not in self._hubs:
            self._hubs[printer.id] = PushHub(self.host, printer, self.access)
        return self._hubs[printer.id]

    def check(self, request: HTTPServerRequest, socket: bool = False) -> None:
        """Host, Origin and forwarding headers. Raises ForbiddenError."""
        server = self.host.store.settings.server
        checks = security.RequestChecks(
            self._names,
            allowed_hosts=server.allowed_hosts,
            allowed_origins=server.allowed_origins,
        )
        address = local_address(request)
        checks.check(str(request.method), request.headers, address, socket)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` to its end, whoever asked for it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ends the sockets and waits for what is under way."""
        for hub in self._hubs.values():
            await hub.close()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def local_address(request: HTTPServerRequest) -> str:
    """The address of this machine to which a request's connection was made."""
    stream = getattr(request.connection, "stream", None)
    sock = getattr(stream, "socket", None)
    if sock is None:
        return ""
    try:
        return str(sock.getsockname()[0])
    except OSError:
        return ""

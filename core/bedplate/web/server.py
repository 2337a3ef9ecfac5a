"""The HTTP server: listening, limits, and an orderly end."""

from __future__ import annotations

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from bedplate.web.app import Application, make_application
from bedplate.web.context import Host
from bedplate.web.routing import JSON_LIMIT

MAX_BUFFER = 1024 * 1024
"""Bytes read ahead of a connection; uploads go to disk in pieces of 64 KiB."""

MAX_HEADER = 32 * 1024

IDLE_TIMEOUT = 3600
"""Seconds that a connection may stay open without a request."""


class Server:
    """A server that answers. `port` is the real one, where 0 was asked for."""

    def __init__(
        self, server: HTTPServer, application: Application, address: str, port: int
    ) -> None:
        self._server = server
        self.application = application
        self.address = address
        self.port = port

    @property
    def url(self) -> str:
        """Where it answers, with a final slash."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}/"

    async def close(self) -> None:
        """Stops listening, ends push connections, closes the rest."""
        self._server.stop()
        await self.application.close()
        await self._server.close_all_connections()


async def serve(host: Host, address: str, port: int) -> Server:
    """Begins to answer. Raises OSError where the address can't be listened on."""
    sockets = bind_sockets(port, address)
    application = make_application(host)
    server = HTTPServer(
        application,
        xheaders=False,
        max_buffer_size=MAX_BUFFER,
        max_body_size=JSON_LIMIT,
        max_header_size=MAX_HEADER,
        idle_connection_timeout=IDLE_TIMEOUT,
    )
    server.add_sockets(sockets)
    return Server(server, application, address, sockets[0].getsockname()[1])

"""The SockJS endpoint of a printer, and the plain WebSocket beside it.

sockjs-tornado is old and trusting, so it is wrapped: every handler checks Host and Origin before
anything else, only transports that are safe are there (no jsonp, no htmlfile, no iframe page: they
exist for foreign pages), and what it would queue without bound waits in `PushClient` instead.
"""

from __future__ import annotations

import asyncio
import json
import re
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from tornado.ioloop import IOLoop
from tornado.iostream import StreamBufferFullError
from tornado.web import RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from bedplate.errors import ForbiddenError
from bedplate.web import security
from bedplate.web.context import Printer
from bedplate.web.push import PushHub
from bedplate.web.push_client import PushClient
from bedplate.web.services import Services
from bedplate.web.wire import ErrorDocument

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its decorators warn at import
    from sockjs.tornado import SockJSConnection, SockJSRouter, proto
    from sockjs.tornado.session import Session

proto.json_encode = partial(json.dumps, separators=(",", ":"), allow_nan=False)
"""Set explicitly: it would take simplejson where that happens to be installed."""

TRANSPORTS = ("info", "websocket", "xhr", "xhr_send", "xhr_streaming", "eventsource")
"""Last segments of the addresses of sockjs-tornado that are let in, beside the greeting."""

DISABLED = ["jsonp", "htmlfile"]

MAX_WRITE_BUFFER = 1024 * 1024
"""Bytes that may wait in a socket's buffer; a history message has about 100 kB. Beyond it the
client does not read, and is closed."""

SESSION_EXPIRY = 5
"""Seconds between two polls after which a client counts as gone."""

HEARTBEAT = 25


class _Guard(RequestHandler):
    """Goes before every handler of sockjs-tornado."""

    services: Services
    logged = False
    """Read by the library at the end of every request, and set by it in some of them."""

    def set_default_headers(self) -> None:
        """Security headers, as everywhere."""
        for name, value in security.answer_headers().items():
            self.set_header(name, value)
        self.set_header("Server", "Bedplate")

    def prepare(self) -> None:
        """Foreign pages, hosts and proxies are turned away here."""
        try:
            self.services.check(self.request, socket=True)
        except ForbiddenError as error:
            self.set_status(403)
            self.set_header("Content-Type", "application/json")
            body = ErrorDocument(error=error.message, code=error.code)
            self.finish(msgspec.json.encode(body))
            return
        super().prepare()

    def check_origin(self, origin: str) -> bool:
        """`prepare` has checked it."""
        return True

    def preflight(self) -> None:
        """Cross-origin headers for origins that passed the check, and only where there is one."""
        origin = self.request.headers.get("Origin")
        if origin is not None:
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Allow-Credentials", "true")
            self.set_header("Vary", "Origin")


class _Sending(WebSocketHandler):
    """Counts what is on its way out, bounds it, and takes the end of a connection quietly."""

    outstanding = 0

    def open(self, *args: str, **kwargs: str) -> None:
        """Bounds the socket's buffer before anything is written."""
        stream = self.ws_connection.stream if self.ws_connection is not None else None
        if stream is not None:
            stream.max_write_buffer_size = MAX_WRITE_BUFFER
        super().open(*args, **kwargs)

    def send_pack(self, message: str, binary: bool = False) -> None:
        """Sends a frame."""
        try:
            future = self.write_message(message, binary)
        except (WebSocketClosedError, StreamBufferFullError):
            IOLoop.current().add_callback(self.give_up)
            return
        self.outstanding += 1
        asyncio.ensure_future(future).add_done_callback(self._sent)

    def _sent(self, future: asyncio.Future[None]) -> None:
        self.outstanding -= 1
        if future.cancelled():
            return
        if future.exception() is not None:
            self.give_up()
        elif self.outstanding == 0:
            self.drained()

    def drained(self) -> None:
        """All that was sent has left."""

    def give_up(self) -> None:
        """Ends the connection without waiting for the other side."""
        if self.ws_connection is not None:
            self.ws_connection._abort()


class RawSocket(_Guard, _Sending):
    """`/sockjs/websocket`: one JSON document a text frame, both ways, without SockJS around it."""

    def initialize(self, services: Services, hub: PushHub) -> None:
        """`hub` of the printer that the address names."""
        self.services = services
        self._hub = hub
        self._client: PushClient | None = None

    def open(self, *args: str, **kwargs: str) -> None:
        """Registers the client."""
        super().open(*args, **kwargs)
        self.set_nodelay(True)
        self._client = self._hub.connect(self, self.services.access.actor_of(self.request))
        if self._client is None:
            WebSocketHandler.close(self, 1013, "too many clients")

    @property
    def ready(self) -> bool:
        """Whether nothing is on its way."""
        return self.outstanding == 0 and self.ws_connection is not None

    def send(self, messages: list[str]) -> None:
        """One frame a message."""
        for message in messages:
            self.send_pack(message)

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Ends the connection; at once where the client does not read."""
        if self.outstanding:
            self.give_up()
        else:
            super().close(code, reason)

    def drained(self) -> None:
        """What had to wait goes out now."""
        if self._client is not None:
            self._client.flush()

    def on_message(self, message: str | bytes) -> None:
        """A message of the client."""
        if self._client is not None and isinstance(message, str):
            self._hub.receive(self._client, message)

    def on_close(self) -> None:
        """The connection is over."""
        if self._client is not None:
            self._hub.disconnect(self._client)


class _Connection(SockJSConnection):  # type: ignore[misc]
    """The hub's client behind a SockJS session of any transport."""

    def __init__(self, services: Services, hub: PushHub, session: Any) -> None:
        super().__init__(session)
        self._services = services
        self._hub = hub
        self._client: PushClient | None = None

    def on_open(self, request: Any) -> None:
        """Registers the client. Closing waits a tick: some transports can't within this call."""
        handler = self.session.handler.request
        self._client = self._hub.connect(self, self._services.access.actor_of(handler))
        if self._client is None:
            IOLoop.current().add_callback(self.close)

    def on_message(self, message: Any) -> None:
        """A message of the client; SockJS clients send strings, some send objects."""
        if self._client is not None:
            text = message if isinstance(message, str) else json.dumps(message)
            self._hub.receive(self._client, text)

    def on_close(self) -> None:
        """The session is over."""
        if self._client is not None:
            self._hub.disconnect(self._client)

    @property
    def ready(self) -> bool:
        """Whether a transport is attached and has sent what it got."""
        session = self.session
        handler = session.handler
        return bool(
            not session.is_closed
            and handler is not None
            and handler.active
            and not session.send_queue
            and not getattr(handler, "outstanding", 0)
        )

    def send(self, messages: list[str], binary: bool = False) -> None:
        """One frame for all: the messages are objects in its array, as OctoPrint's are."""
        if not self.session.is_closed:
            self.session.send_jsonified(",".join(messages))

    def refill(self) -> None:
        """The transport is ready again."""
        if self._client is not None:
            self._client.flush()


class _Session(Session):  # type: ignore[misc]
    """A session that asks its connection for what waits whenever a transport becomes free."""

    def set_handler(self, handler: Any, start_heartbeat: bool = True) -> bool:
        """A transport attaches: a poll, or the one connection of the others."""
        attached = super().set_handler(handler, start_heartbeat)
        IOLoop.current().add_callback(self._refill)
        return bool(attached)

    def flush(self) -> None:
        """The transport has sent what it had."""
        super().flush()
        IOLoop.current().add_callback(self._refill)

    def _refill(self) -> None:
        if self.conn is not None and not self.is_closed:
            self.conn.refill()


class _FramedSocket(_Sending):
    """Mixed into the WebSocket transport."""

    session: Any

    def drained(self) -> None:
        """What had to wait goes out now."""
        if self.session is not None and self.session.conn is not None:
            self.session.conn.refill()


class _Quiet:
    """Mixed into the transports that answer requests: a client that vanished is no news."""

    def send_complete(self, future: Any = None) -> None:
        """The answer, or a piece of it, has left or never will."""
        if future is not None and not future.cancelled():
            future.exception()
        super().send_complete(future)  # type: ignore[misc]


class Endpoint:
    """All addresses of a printer's push socket, relative to `/sockjs`."""

    def __init__(self, services: Services, printer: Printer) -> None:
        self._services = services
        self._hub = services.push(printer)
        self._router = SockJSRouter(
            partial(_Connection, services, self._hub),
            "",
            {
                "disabled_transports": DISABLED,
                "jsessionid": False,
                "disconnect_delay": SESSION_EXPIRY,
                "heartbeat_delay": HEARTBEAT,
                "websocket_allow_origin": [],
                "verify_ip": True,
            },
            io_loop=IOLoop.current(),
            session_kls=_Session,
        )
        self._handlers: list[tuple[re.Pattern[str], type[RequestHandler]]] = [
            (re.compile(pattern.rstrip("$")), self._guarded(handler))
            for pattern, handler, _ in self._router.urls
            if _is_let_in(pattern)
        ]

    def _guarded(self, handler: type[RequestHandler]) -> type[RequestHandler]:
        mixins: tuple[type, ...] = (_Guard,)
        if issubclass(handler, WebSocketHandler):
            mixins += (_FramedSocket,)
        elif hasattr(handler, "send_complete"):
            mixins += (_Quiet,)
        name = f"Guarded{handler.__name__}"
        return type(name, (*mixins, handler), {"services": self._services})

    def find(
        self, segments: Sequence[str]
    ) -> tuple[type[RequestHandler], dict[str, Any], list[bytes]] | None:
        """Handler class, its keywords and its path arguments for an address below `/sockjs`."""
        if list(segments) == ["websocket"]:
            return RawSocket, {"services": self._services, "hub": self._hub}, []
        path = "".join(f"/{segment}" for segment in segments)
        for pattern, handler in self._handlers:
            match = pattern.fullmatch(path)
            if match is not None:
                arguments = [value.encode() for value in match.groups()]
                return handler, {"server": self._router}, arguments
        return None

    def close(self) -> None:
        """Stops the library's timers, which it never does itself."""
        self._router._sessions_cleanup.stop()
        self._router.stats._callback.stop()


def _is_let_in(pattern: str) -> bool:
    last = pattern.rstrip("$").rpartition("/")[2]
    return (last in TRANSPORTS and pattern != "/websocket") or pattern == "/?"

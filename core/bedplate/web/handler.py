"""The one Tornado handler behind every declared route.

Order of things, all of it before the body is read: Host, Origin and forwarding headers; the route
and its method; the printer; the permission; type and size of the body. A refused request is
answered at once, and what the client still sends is thrown away for a while, so that the answer is
not lost in a reset connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import tornado.web
from tornado.iostream import StreamClosedError

from bedplate.errors import BadRequestError, BedplateError, NotFoundError
from bedplate.web import pages, security
from bedplate.web.body import BodyReceiver
from bedplate.web.context import Printer, default_printer
from bedplate.web.errors import MethodNotAllowedError, PayloadTooLargeError
from bedplate.web.routing import JSON_LIMIT, Answer, Call, Match, NotModifiedError, Receiver, Route
from bedplate.web.sending import SentFile, send_file
from bedplate.web.services import Services
from bedplate.web.wire import ErrorDocument, NoQuery, decode_fields

log = logging.getLogger(__name__)

DISCARD_TIME = 5.0
"""Seconds for which the rest of a refused body is read and thrown away: a client that sends all of
it before it reads the answer gets it nevertheless, one that sends without end does not hold us."""

NO_LIMIT = 1 << 62
"""For Tornado's own limit, which closes the connection without a word; ours answers."""


@tornado.web.stream_request_body
class RouteHandler(tornado.web.RequestHandler):
    """Runs the declared route that fits the request."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

    def initialize(
        self,
        services: Services,
        segments: tuple[str, ...],
        printer: str | None,
        match: Match | None,
        failure: BedplateError | None = None,
    ) -> None:
        """`segments` of the path; `printer` as the path names it; `match`, None for an unknown
        path; `failure`, what was wrong with the path itself."""
        self._services = services
        self._segments = segments
        self._printer_id = printer
        self._match = match
        self._route: Route | None = None
        self._call: Call[Any, Any] | None = None
        self._receiver: Receiver | None = None
        self._path_failure = failure
        self._failure: BedplateError | None = None
        self._received = 0
        self._limit = 0
        self._refused = False

    # -- before the body ---------------------------------------------------------------------------

    def set_default_headers(self) -> None:
        """Security headers on every answer, errors too."""
        for name, value in security.answer_headers().items():
            self.set_header(name, value)
        self.set_header("Server", "Bedplate")
        writes = self.request.method not in security.SAFE_METHODS
        self.set_header("Cache-Control", "no-store" if writes else "max-age=0")

    async def prepare(self) -> None:
        """All checks; a failed one answers at once."""
        try:
            self._prepare()
        except BedplateError as error:
            await self._refuse(error)

    def _prepare(self) -> None:
        request = self.request
        self._services.check(request)
        if self._path_failure is not None:
            raise self._path_failure
        if self._match is None:
            raise NotFoundError("There is nothing at this address.")
        if request.method == "OPTIONS":
            return
        method = "GET" if request.method == "HEAD" else str(request.method)
        route = self._match.routes.get(method)
        if route is None:
            self.set_header("Allow", ", ".join(self._match.allowed))
            raise MethodNotAllowedError(f"{request.method} is not possible here.")
        self._route = route
        actor = self._services.access.actor_of(request)
        self._services.access.authorize(actor, route.permission)
        printer = self._printer()
        self._call = Call(
            host=self._services.host,
            printer=printer,
            actor=actor,
            access=self._services.access,
            push=self._services.push(printer),
            routes=self._services.routes,
            request=request,
            parameters=self._match.parameters,
            prefix="" if self._printer_id is None else f"/printers/{self._printer_id}",
            body=None,
            query=self._query(route),
        )
        self._expect_body(route)

    def _printer(self) -> Printer:
        if self._printer_id is None:
            return default_printer(self._services.host)
        try:
            return self._services.host.printers[self._printer_id]
        except KeyError:
            raise NotFoundError(f'There is no printer "{self._printer_id}".') from None

    def _query(self, route: Route) -> msgspec.Struct:
        values = dict(parse_qsl(self.request.query, keep_blank_values=True))
        return decode_fields(values, route.query or NoQuery)

    def _expect_body(self, route: Route) -> None:
        """Chooses who takes the body, and how much of it."""
        assert self._call is not None
        if route.receiver is not None:
            assert route.receiver_limit is not None
            self._limit = route.receiver_limit(self._services.host)
            self._check_length()
            self._receiver = route.receiver(self._call)
        else:
            self._limit = JSON_LIMIT
            self._check_length()
            self._receiver = BodyReceiver(route, self.request.headers)
        self.request.connection.set_max_body_size(NO_LIMIT)  # type: ignore[union-attr]

    def _check_length(self) -> None:
        length = self.request.headers.get("Content-Length", "0").strip()
        if length.isdecimal() and int(length) > self._limit:
            raise PayloadTooLargeError(self._limit)

    async def _refuse(self, error: BedplateError) -> None:
        """Without a body, the error is answered in its turn, like anything else. With one, it is
        answered now; the end of the body then finishes the request and the connection."""
        headers = self.request.headers
        if headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in headers:
            self._failure = error
            return
        self._refused = True
        body = self._error_body(error)
        self.set_header("Connection", "close")
        self.set_header("Content-Length", str(len(body)))
        self.write(body)
        if "Expect" in headers:
            self.finish()
            return
        connection = self.request.connection
        connection.set_max_body_size(NO_LIMIT)  # type: ignore[union-attr]
        connection.set_body_timeout(DISCARD_TIME)  # type: ignore[union-attr]
        with contextlib.suppress(StreamClosedError):
            await self.flush()

    # -- the body ----------------------------------------------------------------------------------

    async def data_received(self, chunk: bytes) -> None:
        """The next piece of the body. After a failure the rest is read and thrown away."""
        if self._refused or self._failure is not None or self._receiver is None:
            return
        self._received += len(chunk)
        try:
            if self._received > self._limit:
                raise PayloadTooLargeError(self._limit)
            await self._receiver.write(chunk)
        except BedplateError as error:
            await self._receiver.abort()
            self._failure = error
            if self._received > self._limit:
                await self._refuse(error)

    def on_connection_close(self) -> None:
        """The client vanished: what had arrived so far is removed."""
        super().on_connection_close()
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            self._services.spawn(receiver.abort())

    # -- the answer --------------------------------------------------------------------------------

    async def _run(self) -> None:
        if self._refused:
            await self._end()
            return
        try:
            await self._answer()
        except NotModifiedError:
            self._put_headers(self._call.headers if self._call else {})
            self.set_status(304)
            self.finish()
        except BedplateError as error:
            body = self._error_body(error)
            self.finish(body)

    get = head = post = put = patch = delete = _run

    async def _end(self) -> None:
        """The body of a refused request has arrived: the answer is out, and that was all."""
        with contextlib.suppress(StreamClosedError):
            await self.finish()
        self.request.connection.close()  # type: ignore[union-attr]

    async def options(self, *args: str, **kwargs: str) -> None:
        """Which methods there are. No CORS headers: foreign pages get nothing here."""
        if self._refused or self._match is None or self._failure is not None:
            await self._run()
            return
        self.set_header("Allow", ", ".join(self._match.allowed))
        self.set_status(204)
        self.finish()

    async def _answer(self) -> None:
        if self._failure is not None:
            raise self._failure
        route, call, receiver = self._route, self._call, self._receiver
        if route is None or call is None or receiver is None:
            raise asyncio.CancelledError  # the client vanished while its last piece was handled
        try:
            call.body = await receiver.close()
            result = await route.handler(call)
        except BaseException:
            await receiver.abort()
            raise
        finally:
            self._receiver = None
        answer = (
            result
            if isinstance(result, Answer)
            else Answer(status=next(iter(route.answers)), document=result)
        )
        self._put_headers({**call.headers, **answer.headers})
        self.set_status(answer.status)
        await self._send(answer.document)

    async def _send(self, document: Any) -> None:
        if isinstance(document, SentFile):
            await send_file(self, document)
        elif isinstance(document, bytes):
            self.finish(document)
        elif self.get_status() == 204:
            self.clear_header("Content-Type")
            self.finish()
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(msgspec.json.encode(document))

    def _put_headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.set_header(name, value)

    # -- errors ------------------------------------------------------------------------------------

    def _error_body(self, error: BedplateError) -> bytes:
        """Sets status and type, and answers the body: JSON under `/api`, a page for people
        elsewhere."""
        self.set_status(error.http_status)
        self.set_header("Cache-Control", "no-store")
        if pages.wants_page(self._segments, self.request.headers):
            self.set_header("Content-Type", "text/html; charset=utf-8")
            return pages.error_page(error.http_status, error.message)
        self.set_header("Content-Type", "application/json")
        return msgspec.json.encode(ErrorDocument(error=error.message, code=error.code))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What Tornado reports by itself: bugs of ours (500) and malformed requests."""
        message = (
            "Something went wrong inside the host; its log says what."
            if status_code >= 500
            else self._reason
        )
        error = BedplateError(message) if status_code >= 500 else BadRequestError(message)
        body = self._error_body(error)
        self.set_status(status_code)
        self.finish(body)

    def log_exception(self, *details: Any) -> None:
        """A bug, or a vanished client, which is no news."""
        if isinstance(details[1], StreamClosedError | asyncio.CancelledError):
            return
        log.error(
            "%s %s failed",
            self.request.method,
            security.redact(str(self.request.uri)),
            exc_info=details,
        )

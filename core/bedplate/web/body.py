"""Bodies of commands: JSON, and forms where a route takes them. Held in memory: they are small."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from tornado.httputil import HTTPHeaders

from bedplate.errors import BadRequestError, UnsupportedTypeError
from bedplate.web.multipart import FormReader, boundary_of
from bedplate.web.routing import Content, Route
from bedplate.web.wire import decode_body, decode_fields

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def media_type(headers: HTTPHeaders) -> str:
    """The type of a body without its parameters, in lower case."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


class BodyReceiver:
    """Collects a small body and decodes it to what its route declares."""

    def __init__(self, route: Route, headers: HTTPHeaders) -> None:
        self._route = route
        self._headers = headers
        self._data = bytearray()

    async def write(self, data: bytes) -> None:
        """The next piece; the handler keeps the limit."""
        self._data += data

    async def abort(self) -> None:
        """Nothing to undo."""

    async def close(self) -> Any:
        """The body as the route's type; None where the route takes none, or none was required."""
        route = self._route
        if route.body is None or isinstance(route.body, Content):
            return None
        data = bytes(self._data)
        if not data and not route.body_required:
            return None
        kind = media_type(self._headers)
        if kind == JSON:
            return decode_body(data, route.body)
        if route.forms and kind == FORM:
            return decode_fields(_form(data), route.body)
        if route.forms and kind == MULTIPART:
            reader = FormReader(boundary_of(self._headers))
            reader.feed(data)
            return decode_fields(reader.fields, route.body)
        raise UnsupportedTypeError(f"The body must be {JSON}; its Content-Type says otherwise.")


def _form(data: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(data.decode("utf-8"), keep_blank_values=True))
    except (UnicodeDecodeError, ValueError):
        raise BadRequestError("The body of this request is not a valid form.") from None

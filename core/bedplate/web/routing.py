"""How a route is declared: once, with everything that validation, authorization and documents need.

A `Route` names method, path, handler, permission, the types of body, query and answers, and the
errors it may give. Tornado's routing, the checks before the handler runs, the error bodies and the
OpenAPI document all come from that one declaration.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from tornado.httputil import HTTPServerRequest

from bedplate.errors import BadRequestError, BedplateError, ForbiddenError
from bedplate.web.access import Access
from bedplate.web.context import Host, Printer
from bedplate.web.permissions import Actor, Permission
from bedplate.web.wire import truth

Body = TypeVar("Body")
Query = TypeVar("Query")

JSON_LIMIT = 100 * 1024
"""Bytes of a body that is not an upload: what OctoPrint takes, and far more than any command
needs."""


@dataclass(frozen=True)
class Content:
    """Stands in a declaration for an answer or body that is not JSON."""

    media_type: str
    schema: Mapping[str, Any] | None = None
    """JSON Schema of the fields, for forms."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a handler answers where the plain document would not do."""

    status: int = 200
    document: Any = None
    """JSON is made of it; bytes go out as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)


class NotModifiedError(Exception):
    """The client has this version already: 304. Not an error of the product's tree: nobody sees
    it."""


class PushEvents(Protocol):
    """The push clients of the printer that a request is about."""

    def event(self, name: str, payload: Mapping[str, Any] | None) -> None:
        """Sends an event in OctoPrint's form."""


@dataclass(kw_only=True)
class Call(Generic[Body, Query]):
    """One request, validated: what a handler gets."""

    host: Host
    printer: Printer
    actor: Actor
    access: Access
    push: PushEvents
    routes: Sequence[Route]
    """All that are declared, for those that describe them."""
    request: HTTPServerRequest
    parameters: Mapping[str, str]
    prefix: str
    """`/printers/<id>` where the request named a printer, else empty."""
    body: Body
    query: Query
    headers: dict[str, str] = field(default_factory=dict)
    """Headers for the answer."""

    def require(self, permission: Permission) -> None:
        """Raises ForbiddenError unless the actor has a further permission."""
        self.access.authorize(self.actor, permission)

    def may(self, permission: Permission) -> bool:
        """Whether the actor has a further permission."""
        return self.access.may(self.actor, permission)

    @property
    def base(self) -> str:
        """Scheme and host as the client addressed them; the Host header was checked before."""
        return f"{self.request.protocol}://{self.request.host}"

    def api(self, path: str) -> str:
        """Absolute address of a path of this printer's API."""
        return f"{self.base}{self.prefix}/api{path}"

    def revalidate(self, tag: str) -> None:
        """Gives the answer an ETag. Raises NotModifiedError where the client has that version.

        `?force=true` and `_refresh` ask for the document in any case.
        """
        etag = f'"{tag}"'
        self.headers["ETag"] = etag
        self.headers["Cache-Control"] = "no-cache"
        given = [part.strip() for part in self.request.headers.get("If-None-Match", "").split(",")]
        arguments = self.request.query_arguments
        forced = "_refresh" in arguments or truth(
            arguments.get("force", [b""])[-1].decode("utf-8", "replace")
        )
        if not forced and any(part.removeprefix("W/") == etag or part == "*" for part in given):
            raise NotModifiedError


class Receiver(Protocol):
    """Takes a request's body as it arrives, where it must not be held in memory."""

    async def write(self, data: bytes) -> None:
        """The next piece. Raises a BedplateError where the body is of no use."""

    async def close(self) -> Any:
        """The body is complete: answers what the handler gets as `call.body`."""

    async def abort(self) -> None:
        """The client vanished, or an error came up: leaves nothing behind."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """The one declaration of a route."""

    method: str
    path: str
    """Template: `{name}` is one segment, `{name:rest}` all that follow. Paths that begin with
    `/api/` exist for every printer, under `/printers/{printer}` too."""
    handler: Callable[[Call[Any, Any]], Awaitable[Any]]
    """Its docstring is the documentation: first line the summary, the rest the description."""
    permission: Permission
    also: tuple[Permission, ...] = ()
    """Further permissions that some commands of this route ask for."""
    body: Any = None
    """A msgspec type (a struct, or a union of structs tagged by `command`), `Content`, or None."""
    body_required: bool = True
    forms: bool = False
    """Takes the body's fields as a form as well."""
    receiver: Callable[[Call[Any, Any]], Receiver] | None = None
    receiver_limit: Callable[[Host], int] | None = None
    query: type[msgspec.Struct] | None = None
    answers: Mapping[int, Any]
    """Status to msgspec type, `Content`, or None for an empty body."""
    errors: tuple[type[BedplateError], ...] = ()
    tag: str
    """Under which heading it stands in the reference."""

    @property
    def name(self) -> str:
        """Unique name of the operation."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """First sentence of the handler's docstring."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        """The handler's docstring without its first line."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[2].strip()

    @property
    def all_errors(self) -> tuple[type[BedplateError], ...]:
        """What it may give, with what every route may give."""
        return (ForbiddenError, *self.errors)


def split_path(path: str) -> tuple[str, ...]:
    """Segments of a request's path: decoded once; encoded slashes separate as others do; duplicate
    and trailing slashes count for nothing.

    Raises BadRequestError for what is not UTF-8 or holds control characters.
    """
    try:
        decoded = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequestError("The path of this request is not UTF-8.") from None
    if any(ord(character) < 32 or ord(character) == 127 for character in decoded):
        raise BadRequestError("The path of this request holds control characters.")
    return tuple(segment for segment in decoded.split("/") if segment)


def match_template(template: str, segments: tuple[str, ...]) -> dict[str, str] | None:
    """The parameters of a path that fits the template, else None."""
    parts = [part for part in template.split("/") if part]
    parameters: dict[str, str] = {}
    for index, part in enumerate(parts):
        if part.endswith(":rest}"):
            rest = segments[index:]
            return {**parameters, part[1:-6]: "/".join(rest)} if rest else None
        if index >= len(segments):
            return None
        if part.startswith("{"):
            parameters[part[1:-1]] = segments[index]
        elif part != segments[index]:
            return None
    return parameters if len(parts) == len(segments) else None


def specificity(template: str) -> tuple[int, ...]:
    """Sort key: literal segments before parameters, parameters before rests."""
    ranks = {True: 0, False: 1}
    return tuple(
        2 if part.endswith(":rest}") else ranks[not part.startswith("{")]
        for part in template.split("/")
        if part
    )


@dataclass(frozen=True)
class Match:
    """All routes of one path, and the path's parameters."""

    routes: Mapping[str, Route]
    parameters: Mapping[str, str]

    @property
    def allowed(self) -> list[str]:
        """Methods that the path takes."""
        extra = {"OPTIONS"} | ({"HEAD"} if "GET" in self.routes else set())
        return sorted(set(self.routes) | extra)


class RouteTable:
    """Finds the routes of a path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        by_path: dict[str, dict[str, Route]] = {}
        for route in self.routes:
            methods = by_path.setdefault(route.path, {})
            if route.method in methods:
                raise ValueError(f"{route.method} {route.path} is declared twice")
            methods[route.method] = route
        self._paths = sorted(by_path.items(), key=lambda item: specificity(item[0]))

    def find(self, segments: tuple[str, ...]) -> Match | None:
        """The routes of a path, the most literal template first."""
        for template, methods in self._paths:
            parameters = match_template(template, segments)
            if parameters is not None:
                return Match(methods, parameters)
        return None

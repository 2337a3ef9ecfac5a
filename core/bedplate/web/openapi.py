"""The OpenAPI 3.1 document, made of the declared routes and their types. Nothing in it is written
twice.

It describes the routes of the core; types and their docstrings become schemas by msgspec.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

from bedplate.errors import BedplateError
from bedplate.messages.events import EVENTS, Envelope
from bedplate.web.errors import PayloadTooLargeError
from bedplate.web.permissions import OPEN, PERMISSIONS
from bedplate.web.routing import Content, Route
from bedplate.web.schema import described_components
from bedplate.web.wire import ErrorDocument

DESCRIPTION = """\
The HTTP interface of Bedplate. It speaks the language of OctoPrint's REST API (version 1.11), so
that slicers, apps and scripts made for that work unchanged, and adds to it where something was
missing.

Paths that begin with `/api/` speak of the first printer; under `/printers/{id}/api/` they speak of
any. Errors have the body `{"error": sentence, "code": stable name}`. Times of day are Unix seconds,
sizes are bytes, temperatures °C, lengths mm, unless a field says otherwise.

A key goes into the header `X-Api-Key`. As long as no authentication plugin is enabled the host
listens on this machine only, and keys are ignored.
"""

JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

Schema = dict[str, Any]


class SchemaBook:
    """Schemas of all types in the routes, under `#/components/schemas`."""

    def __init__(self, routes: Sequence[Route]) -> None:
        types: list[Any] = [ErrorDocument, Envelope, *EVENTS]
        for route in routes:
            types += [kind for kind in (route.body, route.query, *route.answers.values()) if kind]
        self._types = [kind for kind in _unique(types) if not isinstance(kind, Content)]
        schemas, self.components = described_components(self._types, "#/components/schemas/{name}")
        self._schemas = dict(zip(map(_key, self._types), schemas, strict=True))

    def of(self, kind: Any) -> Schema:
        """Schema of a type."""
        return self._schemas[_key(kind)]

    def resolved(self, kind: Any) -> Schema:
        """Schema of a struct, itself and not a reference."""
        schema = self.of(kind)
        reference = schema.get("$ref")
        return self.components[reference.rpartition("/")[2]] if reference else schema


def _key(kind: Any) -> str:
    return repr(kind)


def _unique(types: Iterable[Any]) -> list[Any]:
    found: dict[str, Any] = {}
    for kind in types:
        found.setdefault(_key(kind), kind)
    return list(found.values())


def document(routes: Sequence[Route], version: str) -> Schema:
    """The whole document."""
    book = SchemaBook(routes)
    paths: dict[str, Schema] = {}
    for route in routes:
        path = route.path.replace(":rest}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, book)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bedplate",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [
            {"url": "/", "description": "The first printer, and the host"},
            {
                "url": "/printers/{printer}",
                "description": "Any printer; only for paths that begin with /api/",
                "variables": {"printer": {"default": "default", "description": "Its id"}},
            },
        ],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "security": [{"key": []}, {"bearer": []}, {}],
        "paths": paths,
        "components": {
            "schemas": book.components,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "x-permissions": {
            permission.key: {"name": permission.name, "description": permission.description}
            for permission in (OPEN, *PERMISSIONS)
        },
    }


def _operation(route: Route, book: SchemaBook) -> Schema:
    operation: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "description": _description(route),
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *_query_parameters(route, book)],
        "responses": {**_answers(route, book), **_errors(route, book)},
        "x-permission": route.permission.key,
    }
    if route.also:
        operation["x-further-permissions"] = [permission.key for permission in route.also]
    if route.body is not None:
        operation["requestBody"] = _body(route, book)
    return operation


def _description(route: Route) -> str:
    needs = (
        "Needs no permission."
        if route.permission is OPEN
        else f"Needs the permission `{route.permission.key}`."
    )
    if route.also:
        names = ", ".join(f"`{permission.key}`" for permission in route.also)
        needs += f" Some requests also need {names}."
    return f"{route.description}\n\n{needs}".strip()


def _path_parameters(route: Route) -> list[Schema]:
    return [
        {
            "name": part[1:-1].removesuffix(":rest"),
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            **(
                {"description": "All that follows, slashes included."}
                if part.endswith(":rest}")
                else {}
            ),
        }
        for part in route.path.split("/")
        if part.startswith("{")
    ]


def _query_parameters(route: Route, book: SchemaBook) -> list[Schema]:
    if route.query is None:
        return []
    schema = book.resolved(route.query)
    return [
        {"name": name, "in": "query", "required": False, "schema": value}
        for name, value in schema.get("properties", {}).items()
    ]


def _body(route: Route, book: SchemaBook) -> Schema:
    if isinstance(route.body, Content):
        content: Schema = {route.body.media_type: {"schema": route.body.schema or {}}}
    else:
        types = (JSON, *FORMS) if route.forms else (JSON,)
        content = {kind: {"schema": book.of(route.body)} for kind in types}
    return {"required": route.body_required, "content": content}


def _answers(route: Route, book: SchemaBook) -> Schema:
    answers: Schema = {}
    for status, kind in route.answers.items():
        if kind is None:
            answers[str(status)] = {"description": "Done; no content."}
        elif isinstance(kind, Content):
            answers[str(status)] = {
                "description": "The content itself.",
                "content": {kind.media_type: {}},
            }
        else:
            description = book.resolved(kind).get("description", "") or route.summary
            answers[str(status)] = {
                "description": description,
                "content": {JSON: {"schema": book.of(kind)}},
            }
    return answers


def errors_of(route: Route) -> dict[int, list[type[BedplateError]]]:
    """The errors of a route by status, with those that follow from its shape."""
    found: list[type[BedplateError]] = list(route.all_errors)
    if route.body is not None:
        found.append(PayloadTooLargeError)
    by_status: dict[int, list[type[BedplateError]]] = {}
    for error in dict.fromkeys(found):
        by_status.setdefault(error.http_status, []).append(error)
    return dict(sorted(by_status.items()))


def _first_paragraph(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")


def _errors(route: Route, book: SchemaBook) -> Schema:
    """Outside of `/api` a browser gets a page instead of the JSON."""
    content: Schema = {JSON: {"schema": book.of(ErrorDocument)}}
    if not route.path.startswith("/api/"):
        content["text/html"] = {}
    return {
        str(status): {
            "description": " ".join(
                f"`{error.code}`: {_first_paragraph(error)}" for error in errors
            ),
            "content": content,
        }
        for status, errors in errors_of(route).items()
    }

"""Forms that all documents of the HTTP interface share, and reading values from forms and
queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from bedplate.errors import BadRequestError

T = TypeVar("T")

TRUE = frozenset({"true", "yes", "y", "1"})


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base class of documents; their fields are in camel case on the wire."""


class Command(Wire, frozen=True, tag_field="command"):
    """Base class of bodies of the form `{"command": name, ...}`. Unknown keys are ignored."""


class NoQuery(Wire, frozen=True):
    """Query of a route that takes none."""


class ErrorDocument(Wire, frozen=True):
    """Body of every answer with an error status."""

    error: str
    """A sentence for people."""
    code: str
    """Stable, for programs."""


def truth(value: str) -> bool:
    """Booleans in forms and queries: `true`, `yes`, `y` and `1` in any case are true, all else is
    not."""
    return value.strip().lower() in TRUE


def decode_body(data: bytes, kind: Any) -> Any:
    """JSON to `kind`. Raises BadRequestError with a sentence that names what is wrong."""
    try:
        return msgspec.json.decode(data, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequestError(explain(str(error))) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadRequestError("The body of this request is not valid JSON.") from None


def decode_fields(values: Mapping[str, str], kind: type[T]) -> T:
    """Fields of a form or a query to the struct `kind`. Raises BadRequestError."""
    plain: dict[str, Any] = dict(values)
    for info in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        if info.encode_name in plain and info.type in (bool, bool | None):
            plain[info.encode_name] = truth(plain[info.encode_name])
    try:
        return msgspec.convert(plain, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequestError(explain(str(error))) from None


def explain(message: str) -> str:
    """A validation error of msgspec as a sentence; the first words are those that OctoPrint
    uses."""
    text, _, place = message.partition(" - at `")
    place = place.rstrip("`").removeprefix("$").lstrip(".").replace("[...]", "")
    if text.startswith("Object missing required field"):
        missing = text.split("`")[1]
        return f"Mandatory parameters missing: {f'{place}.' if place else ''}{missing}."
    if text.startswith("Invalid value") and place == "command":
        return (
            f"command is invalid: {text.removeprefix('Invalid value ').strip()} is not known here."
        )
    return f"{place or 'The body'} is invalid: {text[:1].lower()}{text[1:]}."

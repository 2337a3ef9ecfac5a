"""JSON Schemas with the documentation that stands in the code; the events' for
`/api/events.json`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect as shapes

from bedplate.docstrings import field_documents
from bedplate.messages.events import PublicEvent

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def described_components(
    types: Sequence[Any], reference: str
) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """Schemas of types, and of the structs in them with what the code says of each field."""
    schemas, components = msgspec.json.schema_components(types, ref_template=reference)
    for cls in _structs(types):
        properties = components.get(cls.__name__, {}).get("properties", {})
        documents: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
                documents.update(field_documents(base))
        for field in msgspec.structs.fields(cls):
            if field.name in documents and field.encode_name in properties:
                text = " ".join(documents[field.name].split())
                properties[field.encode_name].setdefault("description", text)
    return tuple(schemas), components


def _structs(types: Sequence[Any]) -> list[type[msgspec.Struct]]:
    """All struct classes that occur in the types, at any depth."""
    found: dict[type[msgspec.Struct], None] = {}
    waiting: list[Any] = list(shapes.multi_type_info(types))
    while waiting:
        shape = waiting.pop()
        if isinstance(shape, shapes.StructType):
            if shape.cls in found:
                continue
            found[shape.cls] = None
            waiting += [field.type for field in shape.fields]
        else:
            for name in ("types", "item_types", "item_type", "key_type", "value_type", "type"):
                inner = getattr(shape, name, None)
                if inner is not None:
                    waiting += list(inner) if isinstance(inner, tuple) else [inner]
    return list(found)


def events_document(events: Sequence[type[PublicEvent]]) -> dict[str, Any]:
    """One schema for any event in its envelope: which payload belongs to which type."""
    _, components = described_components(events, "#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "title": "Events",
        "description": "An event in its envelope, as the journal and webhooks have it.",
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "type": {"enum": [event.__name__ for event in events]},
            "printer": {"type": ["string", "null"]},
            "seq": {"type": "integer", "minimum": 0},
            "time": {"type": "string", "format": "date-time"},
            "payload": {"type": "object"},
        },
        "required": ["id", "type", "printer", "seq", "time", "payload"],
        "oneOf": [
            {
                "title": event.__name__,
                "description": inspect.getdoc(event) or "",
                "properties": {
                    "type": {"const": event.__name__},
                    "payload": {"$ref": f"#/$defs/{event.__name__}"},
                },
            }
            for event in events
        ],
        "$defs": components,
    }

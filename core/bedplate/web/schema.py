"""JSON Schema of the events, for `/api/events.json` and the page about them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec

from bedplate.messages.events import PublicEvent

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def events_document(events: Sequence[type[PublicEvent]]) -> dict[str, Any]:
    """One schema for any event in its envelope: which payload belongs to which type."""
    _, components = msgspec.json.schema_components(events, ref_template="#/$defs/{name}")
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

"""The reference as HTML, made of the OpenAPI document and the schema of the events. No script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from bedplate.web.pages import page

Schema = Mapping[str, Any]

REFERENCE_STYLE = """
body { display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem;
  border-right: 1px solid var(--line); font-size: .875rem; }
nav b { display: block; margin: 1.1rem 0 .25rem; }
nav a { display: block; padding: .15rem 0; color: inherit; text-decoration: none;
  overflow-wrap: anywhere; }
nav a:hover, nav a:focus-visible { color: var(--accent); text-decoration: underline; }
main { max-width: 56rem; padding: 2rem clamp(1rem, 4vw, 3rem) 6rem; }
h1 { font-size: 1.9rem; margin: 0 0 1rem; }
h2 { margin: 3rem 0 1rem; padding-bottom: .3rem; border-bottom: 2px solid var(--line); }
h3 { margin: 0; font-size: 1rem; font-weight: 600; overflow-wrap: anywhere; }
h4 { margin: 1.1rem 0 .4rem; font-size: .8rem; letter-spacing: .04em; text-transform: uppercase;
  color: var(--soft); }
section.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1rem 1.2rem; margin: 1rem 0; scroll-margin-top: 1rem; }
section.card p { margin: .5rem 0; }
.method { display: inline-block; min-width: 4.2rem; padding: .05rem .5rem; margin-right: .5rem;
  border-radius: .35rem; border: 1px solid var(--accent); color: var(--accent); font-size: .8rem;
  text-align: center; }
.soft { color: var(--soft); }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-top: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); border-top: 0; }
details { margin: .4rem 0; } summary { cursor: pointer; }
@media (max-width: 48rem) { body { display: block; } nav { position: static; height: auto;
  border: 0; border-bottom: 1px solid var(--line); } nav .entries { display: none; } }
@media print { nav { display: none; } body { display: block; } }
"""

STATUS_WORDS = {"200": "OK", "201": "Created", "204": "No content"}


def api_page(document: Schema) -> bytes:
    """The page about the HTTP interface."""
    navigation: list[str] = []
    body: list[str] = [f"<h1>HTTP interface</h1>{_text(document['info']['description'])}"]
    body.append(
        '<p><a href="/api/openapi.json">OpenAPI document</a> · '
        '<a href="/docs/events">Events</a></p>'
    )
    schemas = document["components"]["schemas"]
    for tag in document["tags"]:
        name = tag["name"]
        navigation.append(f"<b>{escape(name)}</b>")
        body.append(f'<h2 id="{_anchor(name)}">{escape(name)}</h2>')
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if name in operation["tags"]:
                    navigation.append(_link(operation["operationId"], operation["summary"]))
                    body.append(_operation(method, path, operation, schemas))
    body.append('<h2 id="types">Types</h2>')
    navigation.append('<b><a href="#types">Types</a></b>')
    body += [_type(name, schema) for name, schema in sorted(schemas.items())]
    body.append('<h2 id="permissions">Permissions</h2>')
    navigation.append('<b><a href="#permissions">Permissions</a></b>')
    body.append(_permissions(document["x-permissions"]))
    return _whole("HTTP interface", navigation, body)


def events_page(document: Schema) -> bytes:
    """The page about the events."""
    navigation: list[str] = ["<b>Events</b>"]
    body = [
        "<h1>Events</h1>"
        "<p>Every event travels in the same envelope: in the journal, in webhooks, and to plugins. "
        "The push socket tells them under the names that OctoPrint's clients know, where there are "
        "such names.</p>",
        '<p><a href="/api/events.json">JSON Schema</a> · '
        '<a href="/docs/api">HTTP interface</a></p>',
        '<section class="card" id="envelope"><h3>Envelope</h3>',
        _fields(document),
        "</section>",
    ]
    for event in document["oneOf"]:
        name = event["title"]
        schema = document["$defs"][name]
        navigation.append(_link(name, name))
        body.append(
            f'<section class="card" id="{_anchor(name)}"><h3><code>{escape(name)}</code></h3>'
        )
        body.append(_text(event["description"]))
        body.append(_fields(schema) if schema.get("properties") else "<p>No payload.</p>")
        body.append("</section>")
    body.append("<h2>Types</h2>")
    events = {event["title"] for event in document["oneOf"]}
    for name, schema in sorted(document["$defs"].items()):
        if name not in events:
            body.append(_type(name, schema))
    return _whole("Events", navigation, body)


def _whole(title: str, navigation: list[str], body: list[str]) -> bytes:
    links = "\n".join(navigation)
    return page(
        f"{title} · Bedplate",
        REFERENCE_STYLE,
        f'<nav aria-label="Contents"><a href="/">Bedplate</a><div class="entries">{links}</div>'
        "</nav>\n"
        f"<main>{''.join(body)}</main>",
    )


def _operation(method: str, path: str, operation: Schema, schemas: Schema) -> str:
    parts = [
        f'<section class="card" id="{_anchor(operation["operationId"])}">',
        f'<h3><span class="method">{method.upper()}</span><code>{escape(path)}</code></h3>',
        f"<p>{_inline(operation['summary'])}.</p>{_text(operation['description'])}",
    ]
    if operation["parameters"]:
        rows = [
            (
                f"<code>{escape(item['name'])}</code>",
                escape(item["in"]),
                _kind(item["schema"]),
                _inline(item.get("description", item["schema"].get("description", ""))),
            )
            for item in operation["parameters"]
        ]
        parts.append(f"<h4>Parameters</h4>{_table(('Name', 'In', 'Type', ''), rows)}")
    if "requestBody" in operation:
        parts.append("<h4>Body</h4>")
        for media_type, content in operation["requestBody"]["content"].items():
            parts.append(f"<p class=soft><code>{escape(media_type)}</code></p>")
            parts.append(_shape(content["schema"], schemas))
    answers = [
        (f"<code>{status}</code>", _answer(answer), _inline(answer["description"]))
        for status, answer in operation["responses"].items()
    ]
    parts.append(f"<h4>Answers</h4>{_table(('Status', 'Type', ''), answers)}</section>")
    return "".join(parts)


def _answer(answer: Schema) -> str:
    kinds = []
    for media_type, content in answer.get("content", {}).items():
        schema = content.get("schema")
        kinds.append(_kind(schema) if schema else f"<code>{escape(media_type)}</code>")
    return " or ".join(dict.fromkeys(kinds))


def _shape(schema: Schema, schemas: Schema) -> str:
    """A body: its fields, or those of each of its alternatives."""
    options = schema.get("anyOf") or schema.get("oneOf") or [schema]
    parts = []
    for option in options:
        resolved = _resolve(option, schemas)
        constant = resolved.get("properties", {}).get("command", {}).get("enum")
        title = f'<code>"command": "{escape(constant[0])}"</code>' if constant else ""
        text = _text(resolved.get("description", ""))
        parts.append(f"<p>{title}</p>{text}{_fields(resolved, leave_out='command')}")
    return "".join(parts)


def _resolve(schema: Schema, schemas: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference:
        found: Schema = schemas[reference.rpartition("/")[2]]
        return found
    return schema


def _type(name: str, schema: Schema) -> str:
    return (
        f'<section class="card" id="{_anchor("type-" + name)}"><h3><code>{escape(name)}</code></h3>'
        f"{_text(schema.get('description', ''))}{_fields(schema)}</section>"
    )


def _fields(schema: Schema, leave_out: str = "") -> str:
    if "enum" in schema:
        return f"<p>{_kind(schema)}</p>"
    required = schema.get("required", ())
    rows = [
        (
            f"<code>{escape(name)}</code>",
            _kind(value),
            "" if name in required else "optional",
            _inline(value.get("description", "")),
        )
        for name, value in schema.get("properties", {}).items()
        if name != leave_out
    ]
    return _table(("Field", "Type", "", ""), rows) if rows else ""


def _kind(schema: Schema) -> str:
    """A type in a word or two, linked where it has a description of its own."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{_anchor("type-" + name)}"><code>{escape(name)}</code></a>'
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_kind(option) for option in schema[key])
    if "const" in schema:
        return f"<code>{escape(repr(schema['const']))}</code>"
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array" and isinstance(schema.get("items"), Mapping):
        return f"list of {_kind(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_kind(schema['additionalProperties'])}"
    return escape(" or ".join(kind) if isinstance(kind, list) else kind)


def _permissions(permissions: Schema) -> str:
    rows = [
        (f"<code>{escape(key)}</code>", escape(value["name"]), escape(value["description"]))
        for key, value in permissions.items()
    ]
    return _table(("Key", "Name", ""), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="table"><table><tr>{titles}</tr>{lines}</table></div>'


def _link(target: str, text: str) -> str:
    return f'<a href="#{_anchor(target)}">{_inline(text)}</a>'


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _text(text: str) -> str:
    """Docstring to paragraphs; code between backticks."""
    return "".join(f"<p>{_inline(part)}</p>" for part in text.strip().split("\n\n") if part.strip())


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))

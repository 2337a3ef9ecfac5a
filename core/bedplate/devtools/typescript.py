"""Writes the web page's types from the structs that the server sends.

    python -m bedplate.devtools.typescript           writes webapp/src/generated/messages.ts
    python -m bedplate.devtools.typescript --check   exits with 1 where that file is stale

Each struct becomes an interface and each enumeration a union of its values; docstrings of classes
and of fields go along. The page never spells a field of the server by hand, so the two cannot drift
apart.
"""

from __future__ import annotations

import argparse
import enum
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from msgspec import inspect as shapes

from bedplate.docstrings import field_documents
from bedplate.messages import events, snapshot, states
from bedplate.messages import printer as printer_snapshot

MODULES: tuple[ModuleType, ...] = (states, snapshot, printer_snapshot, events)
"""Modules whose structs and enumerations the page sees, in the order of the output."""

TARGET = Path(__file__).parents[3] / "webapp" / "src" / "generated" / "messages.ts"

HEADER = """\
// Generated from the server's message classes by `python -m bedplate.devtools.typescript`.
// Do not edit.
// Units: °C, mm, s, bytes, percent; times of day are Unix seconds.
"""

LINE_LENGTH = 100

PLAIN_TYPES: Mapping[type[shapes.Type], str] = {
    shapes.StrType: "string",
    shapes.IntType: "number",
    shapes.FloatType: "number",
    shapes.BoolType: "boolean",
    shapes.NoneType: "null",
    shapes.AnyType: "unknown",
}


def generate() -> str:
    """The whole generated file."""
    parts = [HEADER]
    for module in MODULES:
        for cls in _own_classes(module):
            if cls is events.PublicEvent:
                continue
            parts.append(_enumeration(cls) if issubclass(cls, enum.Enum) else _interface(cls))
    parts.append(_event_table())
    return "\n".join(parts)


def _own_classes(module: ModuleType) -> Iterator[type[Any]]:
    """Structs and enumerations that `module` itself defines, in the order of its text."""
    for value in vars(module).values():
        if (
            inspect.isclass(value)
            and issubclass(value, (msgspec.Struct, enum.Enum))
            and value.__module__ == module.__name__
        ):
            yield value


def _enumeration(cls: type[enum.Enum]) -> str:
    values = " | ".join(f'"{member.value}"' for member in cls)
    lines = [f"export type {cls.__name__} = {values};"]
    if len(lines[0]) > LINE_LENGTH:
        lines = [f"export type {cls.__name__} =", *(f'  | "{member.value}"' for member in cls)]
        lines[-1] += ";"
    return "\n".join([*_comment(inspect.getdoc(cls), ""), *lines, ""])


def _interface(cls: type[msgspec.Struct]) -> str:
    shape = shapes.type_info(cls)
    assert isinstance(shape, shapes.StructType)
    documents = field_documents(cls)
    lines = [*_comment(inspect.getdoc(cls), ""), f"export interface {cls.__name__} {{"]
    for field in shape.fields:
        lines += _comment(documents.get(field.name), "  ")
        lines.append(f"  readonly {field.encode_name}: {type_text(field.type)};")
    return "\n".join([*lines, "}", ""])


def _event_table() -> str:
    """The map from an event's type to its payload, and the union of the payloads."""
    names = [event.__name__ for event in events.EVENTS]
    lines = ["/** Payload of each event, by its type. */", "export interface PublicEvents {"]
    lines += [f"  readonly {name}: {name};" for name in names]
    lines += ["}", "", "/** Payload of any event. */"]
    lines += ["export type PublicEvent = PublicEvents[keyof PublicEvents];", ""]
    return "\n".join(lines)


def type_text(shape: shapes.Type) -> str:
    """The TypeScript type of a msgspec type. Raises TypeError for one that has no rule here."""
    plain = PLAIN_TYPES.get(type(shape))
    if plain is not None:
        return plain
    if isinstance(shape, (shapes.StructType, shapes.EnumType)):
        return shape.cls.__name__
    if isinstance(shape, shapes.UnionType):
        return " | ".join(type_text(part) for part in shape.types)
    if isinstance(shape, (shapes.ListType, shapes.VarTupleType, shapes.SetType)):
        return f"ReadonlyArray<{type_text(shape.item_type)}>"
    if isinstance(shape, shapes.DictType):
        return f"Readonly<Record<{type_text(shape.key_type)}, {type_text(shape.value_type)}>>"
    if isinstance(shape, shapes.LiteralType):
        return " | ".join(msgspec.json.encode(value).decode() for value in shape.values)
    raise TypeError(f"no TypeScript type is known for {shape}")


def _comment(text: str | None, indent: str) -> list[str]:
    """A documentation comment; each paragraph is wrapped anew, however the source breaks it."""
    if not text:
        return []
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    single = f"{indent}/** {paragraphs[0]} */"
    if len(paragraphs) == 1 and len(single) <= LINE_LENGTH:
        return [single]
    prefix = f"{indent} * "
    lines = [f"{indent}/**"]
    for number, paragraph in enumerate(paragraphs):
        lines += [prefix.rstrip()] if number else []
        lines += [f"{prefix}{part}" for part in textwrap.wrap(paragraph, LINE_LENGTH - len(prefix))]
    return [*lines, f"{indent} */"]


def main(arguments: list[str] | None = None) -> int:
    """Writes the file, or with `--check` compares it; the exit status is 1 where it is stale."""
    parser = argparse.ArgumentParser(prog="python -m bedplate.devtools.typescript")
    parser.add_argument("--check", action="store_true", help="only say whether the file is current")
    text = generate()
    current = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if parser.parse_args(arguments).check:
        if current == text:
            return 0
        print(f"{TARGET} is stale: run python -m bedplate.devtools.typescript", file=sys.stderr)
        return 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

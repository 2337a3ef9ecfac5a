"""Writes the settings reference in docs/operation.md from the settings classes.

    python -m bedplate.devtools.settings_reference           writes the part between the two markers
    python -m bedplate.devtools.settings_reference --check   exits with 1 where that part is stale

One table for each class of `bedplate.config.schema`: key, default, what it takes, help text.
"""

from __future__ import annotations

import argparse
import enum
import inspect
import json
import sys
import textwrap
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as shapes

from bedplate.config.schema import Settings
from bedplate.config.validation import PLACEHOLDER
from bedplate.docstrings import field_documents

TARGET = Path(__file__).parents[3] / "docs" / "operation.md"

BEGIN = "<!-- settings: written by python -m bedplate.devtools.settings_reference -->"
END = "<!-- settings: end -->"

LINE_LENGTH = 110

PLAIN_TYPES: Mapping[type[shapes.Type], str] = {
    shapes.StrType: "text",
    shapes.IntType: "whole number",
    shapes.FloatType: "number",
    shapes.BoolType: "true or false",
    shapes.NoneType: "empty",
    shapes.AnyType: "anything",
}
"""Types in the words of someone who edits a YAML file."""

BOUNDS = (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below"))
"""Bounds of numbers, in the order in which they are told."""


def generate() -> str:
    """The whole reference, without the markers."""
    return "\n\n".join(_sections(Settings, ""))


def keys() -> list[str]:
    """The dotted name of every setting that the reference has, in its order."""
    return [key for key, _ in _rows_below(Settings, "")]


def _sections(cls: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    """The table of a class, then those of the classes below it."""
    title = f"`{prefix.rstrip('.')}`" if prefix else "At the top"
    help_text = textwrap.fill(" ".join((inspect.getdoc(cls) or "").split()), LINE_LENGTH)
    rows = [row for _, row in _rows(cls, prefix)]
    if rows:
        head = ["| key | default | takes | |", "|---|---|---|---|"]
        yield "\n".join([f"### {title}", "", help_text, "", *head, *rows])
    for below, name in _classes_below(cls, prefix):
        yield from _sections(below, name)


def _rows_below(cls: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, str]]:
    yield from _rows(cls, prefix)
    for below, name in _classes_below(cls, prefix):
        yield from _rows_below(below, name)


def _classes_below(
    cls: type[msgspec.Struct], prefix: str
) -> Iterator[tuple[type[msgspec.Struct], str]]:
    for field in msgspec.structs.fields(cls):
        found = _section(field.type)
        if found is not None:
            below, is_dict = found
            yield below, f"{prefix}{field.name}.{f'{PLACEHOLDER}.' if is_dict else ''}"


def _section(kind: Any) -> tuple[type[msgspec.Struct], bool] | None:
    """The settings class behind an annotation, and whether there is one under each id."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, False
    if typing.get_origin(kind) is dict:
        found = _section(typing.get_args(kind)[1])
        return (found[0], True) if found else None
    return None


def _rows(cls: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, str]]:
    """Key and table row of each setting of a class; its sections have tables of their own."""
    documents = field_documents(cls)
    for field in msgspec.structs.fields(cls):
        if _section(field.type) is not None:
            continue
        key = f"{prefix}{field.name}"
        cells = (
            f"`{key}`",
            _default(field),
            _type_text(shapes.type_info(field.type)),
            _help(field.type, documents.get(field.name, "")),
        )
        yield key, "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default
    if value is msgspec.NODEFAULT and callable(field.default_factory):
        value = field.default_factory()
    if value is None or value == "":
        return "empty"
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, str):
        return "<br>".join(f"`{line}`" for line in value.splitlines())
    return f"`{json.dumps(value)}`"


def _type_text(shape: shapes.Type) -> str:
    """What a setting takes, with its bounds. Raises TypeError for a type that has no rule here."""
    if isinstance(shape, shapes.Metadata):
        return _type_text(shape.type)
    if isinstance(shape, shapes.EnumType):
        return ", ".join(f"`{member.value}`" for member in shape.cls)
    if isinstance(shape, shapes.UnionType):
        return " or ".join(_type_text(part) for part in shape.types)
    if isinstance(shape, shapes.ListType):
        return f"list: {_type_text(shape.item_type)}"
    if isinstance(shape, shapes.DictType):
        return "section under each id"
    plain = PLAIN_TYPES.get(type(shape))
    if plain is None:
        raise TypeError(f"no words are known for {shape}")
    bounds = [f"{word} {getattr(shape, name)}" for name, word in BOUNDS if _has(shape, name)]
    return " ".join([plain, *bounds])


def _has(shape: shapes.Type, bound: str) -> bool:
    return getattr(shape, bound, None) is not None


def _help(kind: Any, document: str) -> str:
    """Title and description of an annotation, or the text that stands below the field."""
    notes = [note for note in getattr(kind, "__metadata__", ()) if isinstance(note, msgspec.Meta)]
    parts = [text.rstrip(".") for note in notes for text in (note.title, note.description) if text]
    return ". ".join([*parts, " ".join(document.split()).rstrip(".")]).strip(". ") + "."


def main(arguments: list[str] | None = None) -> int:
    """Writes the reference, or with `--check` compares it; the exit status is 1 where it is stale.

    Raises SystemExit where the page has lost its markers.
    """
    parser = argparse.ArgumentParser(prog="python -m bedplate.devtools.settings_reference")
    parser.add_argument("--check", action="store_true", help="only say whether the page is current")
    check = parser.parse_args(arguments).check
    current = TARGET.read_text(encoding="utf-8")
    before, begin, rest = current.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{TARGET} has lost its markers: {BEGIN} and {END}")
    text = f"{before}{BEGIN}\n\n{generate()}\n\n{END}{after}"
    if check and current != text:
        print(f"{TARGET} is stale: run {parser.prog}", file=sys.stderr)
        return 1
    if not check:
        TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

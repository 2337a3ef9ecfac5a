"""Plain data against settings classes: every wrong value and every unknown key, by its dotted name.

msgspec stops at the first wrong value, does not name the keys of dicts, and can't say which known
key an unknown one resembles; hence a walk of our own, which leaves the single values to msgspec.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

PLACEHOLDER = "<id>"
"""Stands for the key of a dict in the dotted names of `known_keys`."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is wrong with the value at a dotted key."""

    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}" if self.key else self.reason


def problems(kind: Any, data: Any, key: str = "", root: Any = None) -> list[Problem]:
    """Everything in `data` that does not fit the annotation `kind`; empty if `convert` would take
    it.

    `key` is the dotted name of `data` itself. Unknown keys are compared with those of `root`
    (default: `kind`).
    """
    root = kind if root is None else root
    plain = _unwrap(kind)
    found: list[Problem] = []
    if _is_struct(plain):
        if not isinstance(data, dict):
            return [Problem(key, f"expected a section with keys, got {_kind_of(data)}")]
        fields = {field.name: field.type for field in msgspec.structs.fields(plain)}
        for name, value in data.items():
            dotted = _join(key, str(name))
            if name in fields:
                found += problems(fields[name], value, dotted, root)
            else:
                found.append(_unknown(dotted, list(fields), root))
    elif typing.get_origin(plain) is dict and isinstance(data, dict):
        id_kind, item = typing.get_args(plain)
        for name, value in data.items():
            dotted = _join(key, str(name))
            found += _wrong_id(id_kind, name, dotted)
            if _is_struct(_unwrap(item)):
                found += problems(item, value, dotted, root)
    return found or _wrong_value(kind, data, key)


def known_keys(kind: Any, prefix: str = "") -> Iterator[str]:
    """The dotted names of all settings under `kind`; keys of dicts are `<id>`."""
    plain = _unwrap(kind)
    if _is_struct(plain):
        for field in msgspec.structs.fields(plain):
            yield from known_keys(field.type, _join(prefix, field.name))
    elif (item := _section_of_dict(plain)) is not None:
        yield from known_keys(item, _join(prefix, PLACEHOLDER))
    elif prefix:
        yield prefix


def unknown_key(key: str, kind: Any) -> Problem:
    """Says that there is no setting `key` under `kind`, and which one may have been meant."""
    parts, plain = key.split("."), _unwrap(kind)
    for depth, part in enumerate(parts):
        if _is_struct(plain):
            names = {field.name: field.type for field in msgspec.structs.fields(plain)}
            if part not in names:
                return _unknown(".".join(parts[: depth + 1]), list(names), kind)
            plain = _unwrap(names[part])
        else:
            plain = _unwrap(_section_of_dict(plain) or Any)
    return Problem(key, "unknown")


def _unknown(key: str, siblings: list[str], root: Any) -> Problem:
    parent, _, name = key.rpartition(".")
    if close := difflib.get_close_matches(name, siblings, n=1):
        return Problem(key, f"unknown, did you mean {_join(parent, close[0])}?")
    # Perhaps it is in the wrong section: compare with the last part of every known key.
    elsewhere = {known.rpartition(".")[2]: known for known in known_keys(root)}
    if close := difflib.get_close_matches(name, elsewhere, n=1, cutoff=0.8):
        return Problem(key, f"unknown, did you mean {elsewhere[close[0]]}?")
    return Problem(key, f"unknown, the keys here are {', '.join(sorted(siblings))}")


def _wrong_value(kind: Any, data: Any, key: str) -> list[Problem]:
    try:
        msgspec.convert(data, type=kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at ")
        if reason.startswith("Object missing"):
            return [Problem(key, reason)]
        inside = re.search(r"(\[\d+\])[^`]*`$", place)
        return [Problem(key + (inside[1] if inside else ""), _in_words(reason))]
    return []


def _wrong_id(kind: Any, name: Any, key: str) -> list[Problem]:
    try:
        msgspec.convert(name, type=kind)
    except msgspec.ValidationError:
        notes = [m.description for m in getattr(kind, "__metadata__", ()) if m.description]
        return [Problem(key, f"not a valid id{f' ({notes[0]})' if notes else ''}")]
    return []


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a section with keys",
    "null": "nothing",
}


def _in_words(reason: str) -> str:
    """msgspec's sentence in the words of someone who edits a YAML file."""

    def words(match: re.Match[str]) -> str:
        return " or ".join(_WORDS.get(part, part) for part in match[1].split(" | "))

    translated = re.sub(r"`([a-z |]+)`", words, reason)
    return translated[:1].lower() + translated[1:]


def _kind_of(data: Any) -> str:
    names: dict[type, str] = {dict: "object", list: "array", type(None): "null"}
    name = names.get(type(data), type(data).__name__)
    return _WORDS.get(name, name)


def _unwrap(kind: Any) -> Any:
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    return kind


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _section_of_dict(kind: Any) -> Any:
    """The value's annotation where `kind` is a dict of sections, else None."""
    if typing.get_origin(kind) is not dict:
        return None
    item = typing.get_args(kind)[1]
    return item if _is_struct(_unwrap(item)) else None


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name

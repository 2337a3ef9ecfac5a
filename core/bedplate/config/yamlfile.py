"""The settings file's text: YAML to plain data, with the line of every key, and back."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from bedplate.errors import SettingsError


def parse(text: str, name: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The mapping that `text` holds, and the line (from 1) on which each dotted key stands.

    Keys are text, whatever they look like. Raises SettingsError with file name and line where the
    text is no YAML, holds something else than a mapping, or has a key twice.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None or (isinstance(node, yaml.ScalarNode) and node.value == ""):
            return {}, {}
        if not isinstance(node, yaml.MappingNode):
            raise SettingsError(f"{name}, line {_line(node)}: expected keys with values")
        lines: dict[str, int] = {}
        _collect_lines(node, "", lines, name)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}" if mark else ""
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise SettingsError(f"{name}{place}: not valid YAML: {what}") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-99-99
        raise SettingsError(f"{name}: not valid YAML: {error}") from error
    except RecursionError:
        raise SettingsError(f"{name}: nested too deeply") from None


def dump(data: dict[str, Any]) -> str:
    """`data` as YAML, in the order of its keys, texts of several lines as blocks."""
    if not data:
        return ""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


_BREAKS = frozenset("\r\x85\u2028\u2029\ufeff")


class _Loader(yaml.SafeLoader):
    """Takes every key as text: `1:` and `on:` are fine names of a printer."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        return {_text(key): self.construct_object(value, deep=True) for key, value in node.value}


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that scripts stay readable."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        if set(text) & _BREAKS:
            style = '"'  # PyYAML would take them for line ends otherwise
        else:
            style = "|" if "\n" in text else ""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style or None)


_Dumper.add_representer(str, _Dumper.represent_text)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _text(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key.start_mark)
    return str(key.value)


def _collect_lines(node: yaml.MappingNode, prefix: str, lines: dict[str, int], name: str) -> None:
    seen: set[str] = set()
    for key, value in node.value:
        text = _text(key)
        dotted = f"{prefix}{text}"
        if text in seen:
            raise SettingsError(f"{name}, line {_line(key)}: {dotted}: there twice")
        seen.add(text)
        lines[dotted] = _line(key)
        if isinstance(value, yaml.MappingNode):
            _collect_lines(value, f"{dotted}.", lines, name)

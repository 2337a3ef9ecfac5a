"""G-code as it comes in requests: placeholders, several lines in one text, the emergency stop."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bedplate.errors import BadRequestError

_PLACEHOLDER = re.compile(r"%\(([^()]*)\)[sdif]")
_EMERGENCY_STOP = re.compile(r"\s*(?:N\d+\s*)?M112(?![0-9.])", re.IGNORECASE)


def commands_of(texts: Iterable[str], parameters: Mapping[str, Any]) -> list[str]:
    """One command an item, placeholders replaced. Raises BadRequestError for an unknown one."""
    lines: list[str] = []
    for text in texts:
        lines += _fill(text, parameters).splitlines()
    return [line.strip() for line in lines if line.strip()]


def is_emergency_stop(command: str) -> bool:
    """Whether a command is M112."""
    return _EMERGENCY_STOP.match(command) is not None


def _fill(text: str, parameters: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            raise BadRequestError(f"Mandatory parameters missing: parameters.{match[1]}.")
        return str(parameters[match[1]])

    return _PLACEHOLDER.sub(value, text) if parameters else text

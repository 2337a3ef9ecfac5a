"""Fixtures: firmwares and printers, made to order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from plugins.virtual_printer.tests.conversation import Console, Printer

from bedplate_virtual_printer.firmware import Options


@pytest.fixture
def console() -> Callable[..., Console]:
    """Makes firmwares to talk to, at speed 0 unless told otherwise."""

    def make(**options: object) -> Console:
        return Console(Options(**{"speed": 0, **options}))  # type: ignore[arg-type]

    return make


@pytest.fixture
def printer() -> Iterator[Callable[..., Printer]]:
    """Starts printers as processes; all are ended afterwards."""
    printers: list[Printer] = []

    def start(*arguments: str) -> Printer:
        printers.append(Printer(*arguments))
        return printers[-1]

    yield start
    for each in printers:
        each.end()

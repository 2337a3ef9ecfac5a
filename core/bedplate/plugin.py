"""All that a plugin imports: the hook marker, the public events and the data classes of the hooks.

A plugin is a module or a class instance with functions marked `@hookimpl`, named in the entry-point
group `bedplate.plugins`. The hooks themselves are documented in `bedplate.hookspecs`.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pluggy

from bedplate.errors import BedplateError, PortError
from bedplate.messages.events import (
    EVENTS,
    Envelope,
    FilamentUse,
    FileAdded,
    FileAnalysed,
    FileRemoved,
    FirmwareAlarm,
    LayerChanged,
    LinkLost,
    PluginDisabled,
    PluginEnabled,
    PrintCancelled,
    PrintDone,
    PrinterConnected,
    PrinterConnecting,
    PrinterDisconnected,
    PrinterError,
    PrinterStalled,
    PrintFailed,
    PrintPaused,
    PrintProgress,
    PrintResumed,
    PrintStarted,
    PublicEvent,
    SettingsChanged,
)
from bedplate.messages.snapshot import FileRef, HeaterReading, Position, Temperatures

hookimpl = pluggy.HookimplMarker("bedplate")
"""Marks a function as the implementation of the hook of the same name."""

EventHandler = Callable[[Envelope], Awaitable[None] | None]
"""Takes an event. A plain function runs in the plugin's own thread, an async one as a task on the
host's loop.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Port:
    """A printer port that a plugin offers beside those of the machine."""

    name: str
    """What people choose and what stands in the settings: `VIRTUAL`. Unique among all ports."""
    label: str
    """What the page shows for it."""
    open: Callable[[], str]
    """Called in a worker thread each time that a connection begins. Answers the path of a terminal
    device or a pyserial URL that can be opened at once. Raises PortError with a sentence for
    people.
    """


class PluginContext:
    """What a plugin gets of its host, from `startup` to `shutdown`; whatever it registers is
    undone.

    `settings` is an instance of the plugin's settings class (hook `settings`), or None without one;
    `data_dir` is a folder of the plugin's own that exists; `logger` writes into the host's log
    under the plugin's name.
    """

    def __init__(
        self,
        *,
        id: str,
        settings: msgspec.Struct | None,
        logger: logging.Logger,
        data_dir: Path,
        subscribe: Callable[[EventHandler, tuple[type[PublicEvent], ...] | None], None],
    ) -> None:
        self.id = id
        self.settings: Any = settings
        self.logger = logger
        self.data_dir = data_dir
        self._subscribe = subscribe
        self._undo: list[Callable[[], None]] = []

    def subscribe(self, handler: EventHandler, *events: type[PublicEvent]) -> None:
        """Calls `handler` with every event of the given classes, in order; without any, with all.

        Events come at the pace at which the handler takes them; none is left out.
        """
        self._subscribe(handler, events or None)

    def on_shutdown(self, undo: Callable[[], None]) -> None:
        """Calls `undo` after the plugin's `shutdown` or its failure; the last one given first."""
        self._undo.append(undo)

    def close(self) -> list[Callable[[], None]]:
        """For the host: what `on_shutdown` was given, in the order in which to call it."""
        undo, self._undo = self._undo, []
        return undo[::-1]


__all__ = [
    "EVENTS",
    "BedplateError",
    "Envelope",
    "EventHandler",
    "FilamentUse",
    "FileAdded",
    "FileAnalysed",
    "FileRef",
    "FileRemoved",
    "FirmwareAlarm",
    "HeaterReading",
    "LayerChanged",
    "LinkLost",
    "PluginContext",
    "PluginDisabled",
    "PluginEnabled",
    "Port",
    "PortError",
    "Position",
    "PrintCancelled",
    "PrintDone",
    "PrintFailed",
    "PrintPaused",
    "PrintProgress",
    "PrintResumed",
    "PrintStarted",
    "PrinterConnected",
    "PrinterConnecting",
    "PrinterDisconnected",
    "PrinterError",
    "PrinterStalled",
    "PublicEvent",
    "SettingsChanged",
    "Temperatures",
    "hookimpl",
]

"""Our events under the names and with the payloads that OctoPrint's clients know. Pure; one table.

An event of ours for which OctoPrint has no name goes out under its own, with its own payload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec

from bedplate.messages.events import (
    FileAdded,
    FileAnalysed,
    FileRemoved,
    FirmwareAlarm,
    LayerChanged,
    LinkLost,
    PrintCancelled,
    PrintDone,
    PrinterConnected,
    PrinterConnecting,
    PrinterDisconnected,
    PrinterError,
    PrintFailed,
    PrintPaused,
    PrintResumed,
    PrintStarted,
    PublicEvent,
    SettingsChanged,
)
from bedplate.messages.printer import PrinterSnapshot
from bedplate.messages.snapshot import FileRef, Position
from bedplate.web import octoprint

Sent = tuple[str, Mapping[str, Any] | None]
"""Name and payload of an event on the wire."""

Event = TypeVar("Event", bound=PublicEvent)

STORAGES = {"local": "local", "sdcard": "sdcard"}

ERROR_REASONS = frozenset(
    {"firmware", "resend", "resend_loop", "timeout", "connection", "start_print", "autodetect"}
)
"""Reasons of the event `Error` that clients know; any other of ours is told as `connection`."""


def file_payload(file: FileRef) -> dict[str, Any]:
    """A print file in a payload. Files have no owner until somebody has to log in."""
    name = PurePosixPath(file.path).name
    return {
        "name": name,
        "path": file.path,
        "origin": file.origin,
        "size": file.size,
        "owner": None,
    }


def position_payload(position: Position | None) -> dict[str, Any]:
    """`position` of a payload; empty where the place is not known."""
    if position is None:
        return {}
    return {"position": {"x": position.x, "y": position.y, "z": position.z, "e": position.e}}


def _connected(event: PrinterConnected) -> list[Sent]:
    return [("Connected", {"port": event.port, "baudrate": event.baudrate})]


def _error(event: PrinterError) -> list[Sent]:
    reason = event.reason if event.reason in ERROR_REASONS else "connection"
    return [("Error", {"error": event.error, "reason": reason})]


def _alarm(event: FirmwareAlarm) -> list[Sent]:
    return [
        ("Error", {"error": event.line, "reason": "firmware", "logs": event.log}),
        ("FirmwareAlarm", msgspec.to_builtins(event)),
    ]


def _started(event: PrintStarted) -> list[Sent]:
    return [("PrintStarted", {**file_payload(event.file), "user": event.user})]


def _paused(event: PrintPaused) -> list[Sent]:
    extra = {"user": None, "reason": event.reason, "time": event.time}
    return [
        ("PrintPaused", {**file_payload(event.file), **extra, **position_payload(event.position)})
    ]


def _resumed(event: PrintResumed) -> list[Sent]:
    return [("PrintResumed", {**file_payload(event.file), "user": None, "time": event.time})]


def _done(event: PrintDone) -> list[Sent]:
    return [("PrintDone", {**file_payload(event.file), "time": event.time})]


def _failed(event: PrintFailed) -> list[Sent]:
    extra = {"time": event.time, "reason": "error", "error": event.error, "code": event.reason}
    return [("PrintFailed", {**file_payload(event.file), **extra})]


def _cancelled(event: PrintCancelled) -> list[Sent]:
    """OctoPrint tells a cancelled print twice, and some clients wait for the second one."""
    file = file_payload(event.file)
    size = event.file.size
    place = {
        "fileposition": event.offset,
        "progress": int(100 * event.offset / size) if size else 0,
        **position_payload(event.position),
    }
    return [
        ("PrintCancelled", {**file, "time": event.time, "user": None, **place}),
        ("PrintFailed", {**file, "time": event.time, "reason": "cancelled"}),
    ]


def _layer(event: LayerChanged) -> list[Sent]:
    return [
        ("ZChange", {"new": event.z, "old": None}),
        ("LayerChanged", msgspec.to_builtins(event)),
    ]


def _link_lost(event: LinkLost) -> list[Sent]:
    return [
        ("Error", {"error": event.reason, "reason": "connection"}),
        ("Disconnected", None),
        ("LinkLost", msgspec.to_builtins(event)),
    ]


def _file_change(name: str, operation: str, event: FileAdded | FileRemoved) -> list[Sent]:
    payload = {
        "storage": event.origin,
        "path": event.path,
        "name": PurePosixPath(event.path).name,
        "type": ["machinecode", "gcode"],
        "operation": operation,
    }
    return [(name, payload), ("UpdatedFiles", {"type": "printables"})]


def _file_added(event: FileAdded) -> list[Sent]:
    return _file_change("FileAdded", "add", event)


def _file_removed(event: FileRemoved) -> list[Sent]:
    return _file_change("FileRemoved", "remove", event)


def _analysed(event: FileAnalysed) -> list[Sent]:
    file = {"name": PurePosixPath(event.path).name, "path": event.path, "origin": event.origin}
    result = {
        "estimatedPrintTime": event.estimated_time,
        "filament": msgspec.to_builtins(event.filament),
        "layers": event.layers,
    }
    return [
        ("MetadataAnalysisFinished", {**file, "result": result if event.ok else {}}),
        ("FileAnalysed", msgspec.to_builtins(event)),
    ]


def _settings(event: SettingsChanged) -> list[Sent]:
    """The hashes only tell clients that something is different; the keys tell ours what."""
    return [("SettingsUpdated", {"config_hash": "", "effective_hash": "", "keys": event.keys})]


TRANSLATIONS: Mapping[type[PublicEvent], Callable[[Any], list[Sent]]] = {
    PrinterConnecting: lambda event: [("Connecting", None)],
    PrinterConnected: _connected,
    PrinterDisconnected: lambda event: [("Disconnected", None)],
    PrinterError: _error,
    FirmwareAlarm: _alarm,
    PrintStarted: _started,
    PrintPaused: _paused,
    PrintResumed: _resumed,
    PrintDone: _done,
    PrintFailed: _failed,
    PrintCancelled: _cancelled,
    LayerChanged: _layer,
    LinkLost: _link_lost,
    FileAdded: _file_added,
    FileRemoved: _file_removed,
    FileAnalysed: _analysed,
    SettingsChanged: _settings,
}
"""How each event is told. What is not here goes out under its own name."""


def translate(event: PublicEvent) -> list[Sent]:
    """What goes out for an event, in order."""
    translation = TRANSLATIONS.get(type(event))
    if translation is None:
        return [(type(event).__name__, msgspec.to_builtins(event))]
    return translation(event)


def changes(before: PrinterSnapshot, after: PrinterSnapshot) -> list[Sent]:
    """Events of OctoPrint that follow from a change of the snapshot alone."""
    sent: list[Sent] = []
    old, new = before.selected, after.selected
    if new is not None and (old is None or old.path != new.path):
        sent.append(("FileSelected", {**file_payload(new), "user": None}))
    elif new is None and old is not None:
        sent.append(("FileDeselected", None))
    if octoprint.state_id(before) != octoprint.state_id(after):
        payload = {
            "state_id": octoprint.state_id(after),
            "state_string": octoprint.state_text(after),
        }
        sent.append(("PrinterStateChanged", payload))
    return sent

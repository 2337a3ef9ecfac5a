"""Documents about a printer that REST and push share."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from bedplate.web.wire import Wire


class Flags(Wire, frozen=True):
    """The state as flags. `operational`: connected and usable, also while printing."""

    operational: bool
    printing: bool
    cancelling: bool
    pausing: bool
    paused: bool
    resuming: bool
    finishing: bool
    error: bool
    closed_or_error: bool
    ready: bool
    sd_ready: bool


class StateDocument(Wire, frozen=True):
    """A printer's state: text, flags, and what is wrong (empty if nothing is)."""

    text: str
    error: str
    flags: Flags


class HeaterDocument(Wire, frozen=True):
    """One heater, in °C; null where the printer did not say."""

    actual: float | None
    target: float | None
    offset: int = 0


HistoryPoint = dict[str, int | dict[str, float | None]]
"""One temperature report: `time` in whole Unix seconds, and a reading for each heater."""

TemperatureDocument = dict[str, HeaterDocument | list[HistoryPoint]]
"""Heaters by name; `history` with past reports if it was asked for."""


class FilamentDocument(Wire, frozen=True):
    """Filament that a tool uses: length in mm, volume in cm³."""

    length: float | None
    volume: float | None


Filament = dict[str, FilamentDocument | None]
"""By tool; offline and without a file, OctoPrint answers `length` and `volume` as keys, both
null."""


class JobFileDocument(Wire, frozen=True):
    """The file of a job; all fields null without one. `date` in whole Unix seconds."""

    name: str | None = None
    path: str | None = None
    display: str | None = None
    origin: str | None = None
    size: int | None = None
    date: int | None = None


class JobDocument(Wire, frozen=True):
    """What is or would be printed. Times in seconds."""

    file: JobFileDocument
    estimated_print_time: float | None = None
    average_print_time: float | None = None
    last_print_time: float | None = None
    filament: Filament | None = None
    user: str | None = None


class ProgressDocument(Wire, frozen=True):
    """How far a job is: percent, byte of the file, whole seconds."""

    completion: float | None = None
    filepos: int | None = None
    print_time: int | None = None
    print_time_left: int | None = None
    print_time_left_origin: str | None = None


class JobStateDocument(Wire, frozen=True):
    """Answer of `/api/job`. `error` is there only if something is wrong."""

    job: JobDocument
    progress: ProgressDocument
    state: str
    error: str | UnsetType = UNSET


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the library knows of a job's file; not a document itself. Times in seconds."""

    display: str | None = None
    date: int | None = None
    estimated_time: float | None = None
    average_time: float | None = None
    last_time: float | None = None
    filament: dict[str, FilamentDocument] | None = None


def plain(document: Any) -> Any:
    """A document as it stands on the wire, as builtin values."""
    return msgspec.to_builtins(document)

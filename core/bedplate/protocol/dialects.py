"""Firmware dialects as data: how each is recognised and what is peculiar to it.

Facts are read off running firmwares (see `docs/firmware.md`); a dialect that nothing matches is
`generic`, which assumes the least.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of firmware."""

    name: str
    recognised_by: str = ""
    """Pattern searched for in `FIRMWARE_NAME` of the answer to M115; empty: never by itself."""
    checks_order: bool = True
    """Refuses a line whose number is not the last one plus one. Where it does not, sending a line
    again that may have been taken would print it twice."""
    temperature_answer_has_ok: bool = True
    """M105 is answered in one line, `ok T:...`. Else the report comes first and the ok on its
    own."""


GENERIC = Dialect(name="generic")

DIALECTS: tuple[Dialect, ...] = (
    Dialect(name="klipper", recognised_by=r"^Klipper", checks_order=False),
    Dialect(
        name="teacup",
        recognised_by=r"^Teacup",
        checks_order=False,
        temperature_answer_has_ok=False,
    ),
    Dialect(name="prusa", recognised_by=r"^Prusa-Firmware"),
    Dialect(name="reprapfirmware", recognised_by=r"^RepRapFirmware"),
    Dialect(name="repetier", recognised_by=r"^Repetier"),
    Dialect(name="smoothieware", recognised_by=r"^Smoothieware", checks_order=False),
    Dialect(name="marlin", recognised_by=r"Marlin"),
    GENERIC,
)


def by_name(name: str) -> Dialect:
    """The dialect called `name`; the generic one where there is none."""
    return next((dialect for dialect in DIALECTS if dialect.name == name), GENERIC)


def recognise(fields: Mapping[str, str]) -> Dialect:
    """The dialect that the fields of an M115 answer speak of."""
    name = fields.get("FIRMWARE_NAME", "")
    for dialect in DIALECTS:
        if dialect.recognised_by and re.search(dialect.recognised_by, name):
            return dialect
    return GENERIC


LONG_COMMANDS = frozenset(
    b"G4 G28 G29 G30 G33 G34 G76 G80 G425 M0 M1 M48 M109 M125 M190 M191 M192 M226 M303 M400 M410"
    b" M600 M601 M603 M701 M702 M999".split()
)
"""Commands that may be silent for minutes without being lost: waits, homing, probing, tuning,
prompts."""


_CODE = re.compile(rb"\s*([GM])0*([0-9]+)", re.IGNORECASE)


def takes_long(command: bytes) -> bool:
    """Whether silence on this command means nothing."""
    code = _CODE.match(command)
    return code is not None and code[1].upper() + code[2] in LONG_COMMANDS

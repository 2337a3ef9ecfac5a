"""The ports that a printer may be connected to: those of the machine, and those that plugins
offer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from serial.tools import list_ports

BAUDRATES: tuple[int, ...] = (250000, 230400, 115200, 57600, 38400, 19200, 9600)
"""Rates that people may choose, highest first. 250000 is Marlin's on an AVR board, 115200 the
usual."""

BY_ID = Path("/dev/serial/by-id")
"""Names that stay the same whatever is plugged in first (made by udev)."""


class PortInfo(NamedTuple):
    """One port: `name` is what is chosen and stored, `label` what people read."""

    name: str
    label: str


def machine_ports(by_id: Path = BY_ID) -> list[PortInfo]:
    """Serial ports of this machine, USB ones first, by their stable names where there are any."""
    stable: dict[str, str] = {}
    if by_id.is_dir():
        stable = {os.path.realpath(link): str(link) for link in sorted(by_id.iterdir())}
    found = sorted(list_ports.comports(), key=lambda port: (port.vid is None, port.device))
    return [
        PortInfo(
            stable.get(os.path.realpath(port.device), port.device),
            f"{port.device} ({port.description})"
            if port.description and port.description != "n/a"
            else port.device,
        )
        for port in found
    ]


def is_target(name: str) -> bool:
    """Whether `name` can be opened as it is, listed or not: a device's path, or a network URL."""
    return name.startswith(("/dev/", "socket://", "rfc2217://")) or os.path.isabs(name)

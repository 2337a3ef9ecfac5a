"""The ports that a printer may be connected to, those of the machine and those that plugins
offer; and what is opened for the name of one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from serial.tools import list_ports

from bedplate.errors import PortError
from bedplate.plugin import Port

AUTO = "AUTO"
"""The port's name where it is to be found by itself."""

BAUDRATES: tuple[int, ...] = (250000, 230400, 115200, 57600, 38400, 19200, 9600)
"""Rates that people may choose, highest first. 250000 is Marlin's on an AVR board, 115200 the
usual."""

BY_ID = Path("/dev/serial/by-id")
"""Names that stay the same whatever is plugged in first (made by udev)."""


class PortInfo(NamedTuple):
    """One port: `name` is what is chosen and stored, `label` what people read."""

    name: str
    label: str


class PluginPorts(Protocol):
    """Where the ports of plugins come from."""

    def ports(self, printer_id: str) -> Awaitable[Sequence[tuple[str, Port]]]:
        """Plugin id and port, for each."""


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
    return name.startswith(("socket://", "rfc2217://")) or os.path.isabs(name)


async def choices(printer: str, plugins: PluginPorts) -> list[PortInfo]:
    """Ports to choose from: the machine's, then those that plugins offer to this printer."""
    found = await asyncio.to_thread(machine_ports)
    return found + [PortInfo(port.name, port.label) for _, port in await plugins.ports(printer)]


async def resolve(name: str, printer: str, plugins: PluginPorts) -> str:
    """What to open for a port's name: a path or URL. Raises PortError, also a plugin's own."""
    if name == AUTO:
        found = await asyncio.to_thread(machine_ports)
        if not found:
            raise PortError("No serial port was found. Is the printer plugged in and switched on?")
        return found[0].name
    for _, offered in await plugins.ports(printer):
        if offered.name == name:
            return await asyncio.to_thread(offered.open)
    if not is_target(name):
        raise PortError(f"There is no port {name}. Choose one of the list.")
    return name

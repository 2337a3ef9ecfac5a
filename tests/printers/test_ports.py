"""The list of ports, with names that stay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from bedplate.errors import PortError
from bedplate.plugin import Port
from bedplate.printers.ports import AUTO, PortInfo, choices, is_target, machine_ports, resolve


def found(device: str, description: str, vid: int | None) -> SimpleNamespace:
    return SimpleNamespace(device=device, description=description, vid=vid)


@pytest.fixture
def by_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a board on USB, another one without a stable name, and a port of its own."""
    for name in ("ttyACM0", "ttyUSB0", "ttyS0"):
        (tmp_path / name).touch()
    folder = tmp_path / "by-id"
    folder.mkdir()
    (folder / "usb-board-if00").symlink_to("../ttyACM0")
    (folder / "usb-gone-if00").symlink_to("../ttyACM9")
    monkeypatch.setattr(
        list_ports,
        "comports",
        lambda: [
            found(str(tmp_path / "ttyS0"), "n/a", None),
            found(str(tmp_path / "ttyUSB0"), "", 0x1A86),
            found(str(tmp_path / "ttyACM0"), "A board", 0x2341),
        ],
    )
    return folder


def test_usb_ports_come_first_by_their_stable_names(by_id: Path) -> None:
    machine = by_id.parent
    assert machine_ports(by_id) == [
        PortInfo(str(by_id / "usb-board-if00"), f"{machine}/ttyACM0 (A board)"),
        PortInfo(f"{machine}/ttyUSB0", f"{machine}/ttyUSB0"),
        PortInfo(f"{machine}/ttyS0", f"{machine}/ttyS0"),
    ]


def test_without_stable_names_the_devices_are_listed(by_id: Path) -> None:
    machine = by_id.parent
    assert machine_ports(by_id / "missing")[0].name == f"{machine}/ttyACM0"


@pytest.mark.parametrize(
    ("name", "can_be_opened"),
    [
        ("/dev/ttyUSB0", True),
        ("/dev/serial/by-id/usb-board-if00", True),
        ("socket://printer:23", True),
        ("rfc2217://printer:23", True),
        ("VIRTUAL", False),
        ("AUTO", False),
        ("ttyUSB0", False),
        ("http://printer", False),
        ("", False),
    ],
)
def test_what_can_be_opened_unlisted(name: str, can_be_opened: bool) -> None:
    assert is_target(name) is can_be_opened


class Offering:
    """Plugins that offer a port of a printer's own."""

    async def ports(self, printer_id: str) -> Sequence[tuple[str, Port]]:
        port = Port(name=f"NET-{printer_id}", label="A bridge", open=lambda: "socket://bridge:23")
        return [("network", port)]


async def test_ports_of_plugins_are_listed_after_the_machines(by_id: Path) -> None:
    listed = await choices("default", Offering())
    assert len(listed) == 4
    assert listed[-1] == PortInfo("NET-default", "A bridge")


async def test_a_port_of_a_plugin_is_what_the_plugin_says() -> None:
    assert await resolve("NET-default", "default", Offering()) == "socket://bridge:23"
    with pytest.raises(PortError, match="There is no port NET-default"):
        await resolve("NET-default", "other", Offering())


async def test_auto_is_the_first_port_of_the_machine(
    by_id: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await resolve(AUTO, "default", Offering()) == (await choices("", Offering()))[0].name
    monkeypatch.setattr(list_ports, "comports", list)
    with pytest.raises(PortError, match="No serial port was found"):
        await resolve(AUTO, "default", Offering())


async def test_another_path_is_opened_as_it_is() -> None:
    assert await resolve("/dev/ttyUSB7", "default", Offering()) == "/dev/ttyUSB7"

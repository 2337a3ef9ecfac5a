"""What the virtual printer offers to the host: a port, settings, a command."""

from __future__ import annotations

import logging
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from plugins.virtual_printer.tests.conversation import DEADLINE

from bedplate.plugin import PluginContext, PortError
from bedplate_virtual_printer.plugin import Settings, VirtualPrinter, printer_arguments


def started(tmp_path: Path, settings: Settings) -> VirtualPrinter:
    plugin = VirtualPrinter()
    plugin.startup(
        context=PluginContext(
            id="virtual_printer",
            settings=settings,
            logger=logging.getLogger("test"),
            data_dir=tmp_path,
            subscribe=lambda handler, events: lambda: None,
        )
    )
    return plugin


def converse(path: str, line: bytes) -> bytes:
    """Open the port, send a line, and answer all up to the ok."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(port, line + b"\n")
        said = b""
        while b"\nok" not in b"\n" + said or not said.endswith(b"\n"):
            assert select.select([port], [], [], DEADLINE)[0], said
            said += os.read(port, 4096)
        return said
    finally:
        os.close(port)


def gone(path: str) -> bool:
    """Whether the port disappears, as it does when its printer ends."""
    until = time.monotonic() + DEADLINE
    while Path(path).exists():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_the_port_leads_to_a_printer_that_ends_with_the_connection(tmp_path: Path) -> None:
    plugin = started(tmp_path, Settings(speed=0, record="record"))
    (port,) = plugin.ports()
    assert port.name == "VIRTUAL"
    path = port.open()
    assert b"FIRMWARE_NAME:Marlin" in converse(path, b"M115")
    assert gone(path)
    assert (tmp_path / "record").read_text() == "M115\n"


def test_each_connection_gets_a_printer_of_its_own(tmp_path: Path) -> None:
    (port,) = started(tmp_path, Settings(speed=0)).ports()
    one, two = port.open(), port.open()
    assert one != two
    for path in (one, two):
        assert b"ok T:21.00" in converse(path, b"M105")
        assert gone(path)


def test_settings_become_its_command_line(tmp_path: Path) -> None:
    settings = Settings(
        speed=2.5, seed=7, faults={"corrupt": 0.1}, record="/r/file", advanced_ok=True
    )
    assert printer_arguments(settings, tmp_path) == [
        "--exit-on-close",
        "--speed=2.5",
        "--seed=7",
        "--fault=corrupt=0.1",
        "--record=/r/file",
        "--advanced-ok",
    ]


def test_a_printer_that_does_not_start_is_a_port_error_with_its_reason(tmp_path: Path) -> None:
    (port,) = started(tmp_path, Settings(faults={"gremlins": 0.5})).ports()
    with pytest.raises(PortError, match="unknown fault 'gremlins'"):
        port.open()


def test_the_port_needs_a_running_host() -> None:
    (port,) = VirtualPrinter().ports()
    with pytest.raises(PortError):
        port.open()


def test_settings_are_checked() -> None:
    assert msgspec.convert({}, Settings) == Settings()
    for wrong in ({"speed": -1}, {"faults": {"corrupt": 2}}, {"spede": 1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, Settings)


def test_the_command_takes_the_same_options() -> None:
    (command,) = VirtualPrinter().cli_commands()
    assert command.name == "virtual-printer"
    shown = CliRunner().invoke(command, ["--help"])
    assert shown.exit_code == 0
    for option in ("--link", "--speed", "--seed", "--record", "--fault", "--exit-on-close"):
        assert option in shown.output
    refused = CliRunner().invoke(command, ["--fault", "gremlins"])
    assert refused.exit_code == 2


def test_only_the_plugin_module_imports_the_host() -> None:
    code = (
        "import sys, bedplate_virtual_printer.firmware, bedplate_virtual_printer.board; "
        "sys.exit(any(name.partition('.')[0] == 'bedplate' for name in sys.modules))"
    )
    home = Path(__file__).resolve().parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=home, check=False).returncode == 0

"""A printer that needs no hardware: the port VIRTUAL and `bedplate virtual-printer`.

The only module here that knows the host. It starts a printer as a process of its own for each
connection; that process belongs to whoever opens its port, outlives the host, and ends when the
port is closed.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated

import click
import msgspec

from bedplate.plugin import PluginContext, Port, PortError, hookimpl

from .__main__ import main

_START_LIMIT = 20.0
"""Seconds that a printer may take to name its port."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`plugins.virtual_printer` in the settings file."""

    speed: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            title="Speed",
            description="How much faster than a real printer it heats and moves; "
            "0 takes lines as fast as they come.",
        ),
    ] = 1.0
    seed: Annotated[
        int, msgspec.Meta(title="Seed", description="The same seed gives the same run of faults.")
    ] = 1
    faults: Annotated[
        dict[str, Annotated[float, msgspec.Meta(ge=0, le=1)]],
        msgspec.Meta(
            title="Faults", description="Name of a fault to its probability (see the README)."
        ),
    ] = msgspec.field(default_factory=dict)
    record: Annotated[
        str | None,
        msgspec.Meta(
            title="Record",
            description="File that takes each accepted command; "
            "a relative path lies in the plugin's data folder.",
        ),
    ] = None
    advanced_ok: Annotated[
        bool,
        msgspec.Meta(
            title="Advanced ok", description="Answer `ok N2 P15 B3`, so that a host may send ahead."
        ),
    ] = False


class VirtualPrinter:
    """The plugin; the host makes it work by `startup`."""

    def __init__(self) -> None:
        self._context: PluginContext | None = None

    @hookimpl
    def settings(self) -> type[msgspec.Struct]:
        """The plugin's settings."""
        return Settings

    @hookimpl
    def startup(self, context: PluginContext) -> None:
        """Keeps settings and data folder for the printers to come."""
        self._context = context

    @hookimpl
    def ports(self) -> list[Port]:
        """One printer for whoever connects to it."""
        return [Port(name="VIRTUAL", label="Virtual printer", open=self._open)]

    @hookimpl
    def cli_commands(self) -> list[click.Command]:
        """`bedplate virtual-printer`."""
        return [_virtual_printer]

    def _open(self) -> str:
        context = self._context
        if context is None:
            raise PortError("The virtual printer was not started yet.")
        path = start_printer(printer_arguments(context.settings, context.data_dir))
        context.logger.info("virtual printer at %s", path)
        return path


@click.command(
    "virtual-printer",
    help="Run a Marlin-like printer behind a pseudo-terminal (--help lists its options).",
    context_settings={"ignore_unknown_options": True},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def _virtual_printer(context: click.Context, arguments: tuple[str, ...]) -> None:
    # One description of the options, in __main__, which has to work without click.
    context.exit(main(arguments))


def printer_arguments(settings: Settings, data_dir: Path) -> list[str]:
    """The command line of a printer with these settings."""
    arguments = ["--exit-on-close", f"--speed={settings.speed}", f"--seed={settings.seed}"]
    arguments += [f"--fault={name}={chance}" for name, chance in settings.faults.items()]
    if settings.record is not None:
        arguments.append(f"--record={(data_dir / settings.record).absolute()}")
    if settings.advanced_ok:
        arguments.append("--advanced-ok")
    return arguments


def start_printer(arguments: list[str]) -> str:
    """Start a printer as a detached process; the path of its port.

    Raises PortError when it does not start, with what it said.
    """
    # Found from wherever this module was found, installed or not.
    here = str(Path(__file__).resolve().parent.parent)
    search = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "bedplate_virtual_printer", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": search},
            cwd="/",  # keeps no folder busy, and no stray module there can shadow its own
            start_new_session=True,
        )
    except OSError as error:
        raise PortError(f"The virtual printer can't be started: {error}") from error
    assert process.stdout is not None
    with process.stdout as output:
        until = time.monotonic() + _START_LIMIT
        said = _line(output.fileno(), until)
        if not said.startswith("PTY "):
            reason = "it said nothing"
            while said:  # the last line of a complaint says what is wrong
                reason = said.rpartition("error: ")[2].strip()
                said = _line(output.fileno(), until)
            process.kill()
            process.wait()
            raise PortError(f"The virtual printer did not start: {reason}")
    # Its end is nobody's business here, but must be taken note of lest it stay as a zombie.
    threading.Thread(target=process.wait, name="virtual printer", daemon=True).start()
    return said.removeprefix("PTY ").strip()


def _line(descriptor: int, until: float) -> str:
    """What can be read up to a line end, the end of the stream, or the time `until`."""
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
        byte = os.read(descriptor, 1) if readable else b""
        if not byte:
            break
        line += byte
    return line.decode(errors="replace")


plugin = VirtualPrinter()
"""What the entry point names."""

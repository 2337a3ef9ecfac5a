"""The command line: `bedplate serve` and its companions. Plugins add commands of their own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import click
import msgspec
import platformdirs
import yaml

from bedplate import __version__
from bedplate.config.store import SettingsStore
from bedplate.errors import BedplateError, DataDirectoryInUseError, SettingsError
from bedplate.messages.codec import encode, frame_decoder
from bedplate.messages.commands import EmergencyStop
from bedplate.messages.frames import Reply
from bedplate.plugins import PluginManager
from bedplate.printers.ports import machine_ports
from bedplate.printers.supervisor import read_record

USAGE = 2
IN_USE = 3
ESTOP_TIMEOUT = 5.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def default_data_dir() -> Path:
    """Where data lie unless told otherwise."""
    return Path(platformdirs.user_data_dir("bedplate", appauthor=False))


class Commands(click.Group):
    """The core's commands, and those of plugins, which are only looked for when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._of_plugins(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or self._of_plugins(ctx).get(cmd_name)

    def _of_plugins(self, ctx: click.Context) -> dict[str, click.Command]:
        store = SettingsStore(default_data_dir() / "config.yaml")
        with contextlib.suppress(SettingsError):  # help is needed most when something is wrong
            store.load()
        plugins = PluginManager(store, store.path.parent)
        plugins.load()
        return {str(command.name): command for command in plugins.cli_commands()}


data_option = click.option(
    "--data",
    "data",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_data_dir,
    help="Data directory.",
)


@click.group(cls=Commands)
@click.version_option(__version__, prog_name="bedplate")
def main() -> None:
    """A host for 3D printers."""


@main.command()
@data_option
@click.option("--address", help="Address to listen on; default: the settings', 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="TCP port; 0 picks a free one.")
@click.option("--demo", is_flag=True, help="Virtual printer, sample files, loopback only.")
def serve(data: Path, address: str | None, port: int | None, demo: bool) -> None:
    """Run the host."""
    from bedplate.host import Host  # the other commands do without the web server

    async def run() -> None:
        host = Host(data)
        settings = host.store.settings.server
        listen = LOOPBACK[0] if demo else address or settings.address
        if listen not in LOOPBACK and not settings.allow_unprotected:
            raise SettingsError(
                f"Without an authentication plugin only loopback is served, not {listen}."
                " Set server.allow_unprotected to true if anybody who reaches this machine may"
                " use the printer."
            )
        await _serve(host, listen, settings.port if port is None else port, demo=demo)

    try:
        asyncio.run(run())
    except DataDirectoryInUseError as error:
        raise Failure(error.message, IN_USE) from error
    except BedplateError as error:
        raise Failure(error.message, USAGE) from error
    except OSError as error:
        raise Failure(f"The server can't start: {error}", USAGE) from error


async def _serve(host: Any, address: str, port: int, *, demo: bool) -> None:
    """Start, say where, and wait for the end."""
    from bedplate.web.server import serve as serve_web

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        # First the printers that go on printing, so that no client is told that they are offline.
        await host.start()
        server = await serve_web(host, address, port)
        try:
            click.echo(f"Bedplate {__version__} listening on {server.url}")
            if demo:
                click.echo("Demo: no login, virtual printer.", err=True)
                await host.start_demo()
            await ended.wait()
        finally:
            await server.close()
    finally:
        await host.stop()


@main.command()
def ports() -> None:
    """List the serial ports of this machine."""
    found = machine_ports()
    for port in found:
        click.echo(f"{port.name}\t{port.label}")
    if not found:
        click.echo("No serial port was found.", err=True)


@main.command()
@data_option
@click.option("--printer", default="default", show_default=True, help="Id of the printer.")
def estop(data: Path, printer: str) -> None:
    """Stop a printer at once (M112), even where the host hangs or is gone."""
    record = read_record(data / "printers" / printer)
    if record is None:
        raise Failure(f"No link of printer {printer} runs on {data}.", 1)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ESTOP_TIMEOUT)
            connection.connect(record.socket)
            connection.sendall(encode(EmergencyStop(request=1)))
            reply = _reply(connection)
    except OSError as error:
        raise Failure(f"The link of printer {printer} can't be reached: {error}", 1) from error
    if reply.error is not None:
        raise Failure(reply.error.message, 1)
    click.echo("Stopped.")


def _reply(connection: socket.socket) -> Reply:
    decoder = frame_decoder()
    while data := connection.recv(65536):
        for frame in decoder.feed(data):
            if isinstance(frame, Reply):
                return frame
    raise ConnectionError("it closed the connection")


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON, one document a line.")
def analyse(files: tuple[Path, ...], as_json: bool) -> None:
    """Read G-code files and tell what is in them."""
    from bedplate.gcode.analysis import analyse as analyse_file

    failed = False
    for path in files:
        try:
            analysis = analyse_file(path).analysis
        except (BedplateError, OSError) as error:
            click.echo(f"{path}: {error}", err=True)
            failed = True
            continue
        if as_json:
            click.echo(msgspec.json.encode({"file": str(path), "analysis": analysis}))
            continue
        minutes = round(analysis.estimated_time / 60)
        length = sum(use.length for use in analysis.filament.values())
        click.echo(
            f"{path}: {analysis.commands} commands, {len(analysis.layers)} layers,"
            f" {minutes // 60} h {minutes % 60} min, {length / 1000:.2f} m of filament"
        )
    if failed:
        sys.exit(1)


@main.group()
def config() -> None:
    """Look at the settings, and change them."""


@config.command()
@data_option
def check(data: Path) -> None:
    """Check the settings file."""
    store = SettingsStore(data / "config.yaml")
    try:
        store.load()
    except SettingsError as error:
        raise Failure(error.message, USAGE) from error
    click.echo(f"{store.path}: fine")


@config.command()
@data_option
@click.argument("key")
def get(data: Path, key: str) -> None:
    """Print the value at a dotted KEY, as YAML."""
    store = SettingsStore(data / "config.yaml")
    try:
        store.load()
        value = msgspec.to_builtins(store.get(key))
    except SettingsError as error:
        raise Failure(error.message, USAGE) from error
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    click.echo(text.removesuffix("\n...\n").rstrip("\n"))


@config.command("set")
@data_option
@click.argument("key")
@click.argument("value")
def set_value(data: Path, key: str, value: str) -> None:
    """Set the VALUE, in YAML, at a dotted KEY."""
    data.mkdir(parents=True, exist_ok=True)
    store = SettingsStore(data / "config.yaml")
    try:
        store.load()
        changed = store.set({key: yaml.safe_load(value)})
    except yaml.YAMLError as error:
        raise Failure(f"{value!r} is not a YAML value: {error}", USAGE) from error
    except SettingsError as error:
        raise Failure(error.message, USAGE) from error
    click.echo("\n".join(changed) if changed else "nothing changed")


class Failure(click.ClickException):
    """An error for people, with the exit status that scripts rely on."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.exit_code = status  # type: ignore[misc]

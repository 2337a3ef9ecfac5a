"""Keeps a list of all prints in a CSV file: a complete Bedplate plugin.

Its entry point: `print_log = print_log:plugin` in the group `bedplate.plugins`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import click
import msgspec

from bedplate.plugin import (
    Envelope,
    PluginContext,
    PrintCancelled,
    PrintDone,
    PrintFailed,
    hookimpl,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`plugins.print_log` in the settings file."""

    file: Annotated[
        str, msgspec.Meta(title="File", description="In the plugin's data folder.", min_length=1)
    ] = "prints.csv"
    cancelled: Annotated[
        bool, msgspec.Meta(title="Cancelled prints", description="Write them down too.")
    ] = True


class PrintLog:
    """The plugin; nothing happens before `startup`."""

    def __init__(self) -> None:
        self._path = Path()

    @hookimpl
    def settings(self) -> type[msgspec.Struct]:
        """The plugin's settings."""
        return Settings

    @hookimpl
    def startup(self, context: PluginContext) -> None:
        """Listens to the ends of prints from now on."""
        self._path = context.data_dir / context.settings.file
        wanted = [PrintDone, PrintFailed]
        if context.settings.cancelled:
            wanted.append(PrintCancelled)
        context.subscribe(self._note, *wanted)
        context.on_shutdown(lambda: context.logger.info("no prints are written down any more"))

    @hookimpl
    def cli_commands(self) -> list[click.Command]:
        """`bedplate print-log FILE`."""
        return [show]

    def _note(self, envelope: Envelope) -> None:
        """A plain function: it runs in the plugin's own thread, so it may write to a file."""
        event = envelope.payload
        row = [envelope.time, envelope.type, event.file.path, round(event.time)]
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)


@click.command("print-log")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show(file: Path) -> None:
    """Show a list of prints."""
    with file.open(newline="", encoding="utf-8") as rows:
        for time, kind, path, seconds in csv.reader(rows):
            click.echo(f"{time}  {kind:<14}  {int(seconds) // 60:4d} min  {path}")


plugin = PrintLog()
"""What the entry point names."""

"""System commands: none are configured, and clients that ask get an empty list."""

from __future__ import annotations

from bedplate.errors import NotFoundError
from bedplate.web.permissions import SYSTEM
from bedplate.web.routing import Call, Route
from bedplate.web.wire import NoQuery, Wire

SOURCES = ("core", "plugin", "custom")


class SystemCommand(Wire, frozen=True):
    """A command of the machine."""

    action: str
    name: str
    source: str
    confirm: str
    resource: str


class SystemCommands(Wire, frozen=True):
    """All commands, by where they come from."""

    core: list[SystemCommand]
    plugin: list[SystemCommand]
    custom: list[SystemCommand]


async def read_system_commands(call: Call[None, NoQuery]) -> SystemCommands:
    """All system commands."""
    return SystemCommands(core=[], plugin=[], custom=[])


async def read_system_commands_of(call: Call[None, NoQuery]) -> list[SystemCommand]:
    """System commands of one source."""
    if call.parameters["source"] not in SOURCES:
        raise NotFoundError(f'There is no source "{call.parameters["source"]}".')
    return []


async def run_system_command(call: Call[None, NoQuery]) -> None:
    """Run a system command."""
    raise NotFoundError("There is no such system command here.")


ROUTES = (
    Route(
        method="GET",
        path="/api/system/commands",
        handler=read_system_commands,
        permission=SYSTEM,
        answers={200: SystemCommands},
        tag="System",
    ),
    Route(
        method="GET",
        path="/api/system/commands/{source}",
        handler=read_system_commands_of,
        permission=SYSTEM,
        answers={200: list[SystemCommand]},
        errors=(NotFoundError,),
        tag="System",
    ),
    Route(
        method="POST",
        path="/api/system/commands/{source}/{action}",
        handler=run_system_command,
        permission=SYSTEM,
        answers={204: None},
        errors=(NotFoundError,),
        tag="System",
    ),
)

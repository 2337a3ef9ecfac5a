"""Every hook of the host, in one place. The first sentence of each says when it is called.

Implementations carry the hook's name and `@bedplate.plugin.hookimpl`, and name only the arguments
they want. Each is called on its own: what one plugin raises, or how long it takes, harms no other.
Hooks that take part in no decision run away from the host's loop, so they may block; a time limit
stands beside each.
"""

# The functions here are signatures without a body.
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import Awaitable

import click
import msgspec
import pluggy

from bedplate.plugin import PluginContext, Port

hookspec = pluggy.HookspecMarker("bedplate")


@hookspec
def settings() -> type[msgspec.Struct]:
    """Called once when the plugin is loaded, before its other hooks.

    Answers the class of the plugin's settings: its fields are the keys under `plugins.<id>` in the
    settings file. Each field needs a default, so that the plugin works without any; `msgspec.Meta`
    on a field gives its bounds, title and help text. The values reach the plugin as
    `context.settings`. Limit: 5 s.
    """


@hookspec
def startup(context: PluginContext) -> Awaitable[None] | None:
    """Called once when the host starts, before it answers requests.

    Settings, files and printers are there by then. An async implementation is awaited on the loop,
    a plain one runs in the plugin's own thread. A plugin that fails here counts as failed: its
    context is undone and its other hooks are not called. Limit: 10 s.
    """


@hookspec
def shutdown() -> Awaitable[None] | None:
    """Called once when the host stops in order, while its event bus still works.

    Whatever was registered through the context is undone afterwards without the plugin's help. An
    async implementation is awaited on the loop, a plain one runs in the plugin's own thread.
    Limit: 5 s.
    """


@hookspec
def ports(printer_id: str) -> list[Port]:
    """Called each time the ports of a printer are listed, and before a connection to one of them.

    Answers the ports that the plugin offers to this printer, an empty list for none. Listing must
    not open or start anything: that is for `Port.open`. Limit: 2 s.
    """


@hookspec
def cli_commands() -> list[click.Command]:
    """Called when `bedplate` is run on the command line, without a running host.

    Answers commands that are added to `bedplate` under their own names. They have no context:
    whatever they need comes from their arguments.
    """

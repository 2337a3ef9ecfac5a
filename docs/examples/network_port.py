"""Offers a printer behind a serial-to-network bridge as a port: the hook `ports`.

Its entry point: `network_port = network_port:plugin` in the group `bedplate.plugins`.
"""

from __future__ import annotations

import socket
from typing import Annotated

import msgspec

from bedplate.plugin import PluginContext, Port, PortError, hookimpl


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`plugins.network_port` in the settings file."""

    host: Annotated[str, msgspec.Meta(description="Name or address of the bridge.")] = ""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 2323


class NetworkPort:
    """The plugin."""

    def __init__(self) -> None:
        self._settings = Settings()

    @hookimpl
    def settings(self) -> type[msgspec.Struct]:
        """The plugin's settings."""
        return Settings

    @hookimpl
    def startup(self, context: PluginContext) -> None:
        """Keeps the settings."""
        self._settings = context.settings

    @hookimpl
    def ports(self) -> list[Port]:
        """The bridge, once one is set. Listing it asks nothing of it."""
        if not self._settings.host:
            return []
        return [Port(name="BRIDGE", label=f"Bridge {self._settings.host}", open=self._open)]

    def _open(self) -> str:
        """What the link is to open. Runs in a worker thread, so it may wait."""
        host, port = self._settings.host, self._settings.port
        try:
            socket.create_connection((host, port), timeout=3).close()
        except OSError as error:
            raise PortError(f"The bridge {host} does not answer: {error}") from error
        return f"socket://{host}:{port}"


plugin = NetworkPort()
"""What the entry point names."""

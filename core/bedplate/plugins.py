"""Finding plugins, loading them, and calling their hooks, each implementation on its own.

What a plugin raises is logged under its name and shown beside it. One that does not answer in time
is suspended: its thread may hang for ever, so nothing more is asked of it.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import pluggy

from bedplate import hookspecs
from bedplate.bus import EventBus
from bedplate.config.store import SettingsStore
from bedplate.errors import SettingsError
from bedplate.messages.events import Envelope, PluginDisabled, PluginEnabled, PublicEvent
from bedplate.plugin import EventHandler, PluginContext, Port
from bedplate.plugin_checks import anything, check_implementations, list_of, settings_type
from bedplate.plugin_runtime import Answer, Check, Plugin, PluginError, PluginInfo, module_summary

log = logging.getLogger(__name__)

Value = TypeVar("Value")

GROUP = "bedplate.plugins"

LIMITS: Mapping[str, float] = {
    "import": 20,
    "settings": 5,
    "startup": 10,
    "shutdown": 5,
    "ports": 2,
    "cli_commands": 5,
}
"""Seconds that a plugin may take; the hooks' documentation names them too."""


class PluginManager:
    """The plugins of a host, or of the command line, which has no bus and no `startup`.

    `entry_points` are those of the group `bedplate.plugins` unless given.
    """

    def __init__(
        self,
        store: SettingsStore,
        data_dir: Path,
        bus: EventBus | None = None,
        *,
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
        limits: Mapping[str, float] = LIMITS,
    ) -> None:
        self._store = store
        self._data_dir = data_dir
        self._bus = bus
        self._entry_points = entry_points
        self._limits = limits
        self._plugins: dict[str, Plugin] = {}
        self._hooks = pluggy.PluginManager("bedplate")
        self._hooks.add_hookspecs(hookspecs)

    def load(self) -> None:
        """Imports every plugin that is not disabled; one that fails is listed with the reason."""
        found = self._entry_points
        if found is None:
            found = importlib.metadata.entry_points(group=GROUP)
        disabled = self._store.settings.disabled_plugins
        for entry in sorted(found, key=lambda entry: entry.name):
            if entry.name in self._plugins:
                log.error("plugin id %s is there twice: %s is left out", entry.name, entry.value)
                continue
            plugin = self._plugins[entry.name] = Plugin(entry.name, entry.dist)
            if entry.name not in disabled:
                self._load(plugin, entry)

    def list(self) -> Sequence[PluginInfo]:
        """All plugins, by id: those in use, disabled and failed ones."""
        return [plugin.info() for plugin in self._plugins.values()]

    def cli_commands(self) -> Sequence[click.Command]:
        """The commands that plugins add to the command line."""
        answers = [
            self._call_now(plugin, "cli_commands", list_of(click.Command))
            for plugin in self._having("cli_commands")
        ]
        return [command for a in answers if a.reason is None for command in a.value]

    async def startup(self) -> None:
        """Hands every plugin its context. Those that fail are taken out again; all is published."""
        bus = self._running_bus()
        for plugin in self._plugins.values():
            if plugin.enabled:
                await self._start(plugin)
            if plugin.enabled:
                bus.publish(PluginEnabled(plugin=plugin.id))
            elif plugin.error is not None:
                bus.publish(PluginDisabled(plugin=plugin.id, reason=plugin.error))

    async def shutdown(self) -> None:
        """Stops every plugin, the last started first, and undoes what it registered."""
        for plugin in reversed(self._plugins.values()):
            if plugin.context is not None:
                if plugin in self._having("shutdown"):
                    await self._call(plugin, "shutdown", anything)
                await self._undo(plugin)
            plugin.enabled = False
            plugin.end_thread()

    async def ports(self, printer_id: str) -> Sequence[tuple[str, Port]]:
        """The ports that plugins offer to a printer, each with its plugin's id."""
        plugins = self._having("ports")
        answers = await asyncio.gather(
            *(self._call(p, "ports", list_of(Port), printer_id=printer_id) for p in plugins)
        )
        return [
            (plugin.id, port)
            for plugin, answer in zip(plugins, answers, strict=True)
            if answer.reason is None
            for port in answer.value
        ]

    # Loading and starting

    def _load(self, plugin: Plugin, entry: importlib.metadata.EntryPoint) -> None:
        loaded = plugin.call_now("import", entry.load, self._limits["import"], anything)
        if loaded.reason is not None:
            self._take_out(plugin, loaded.reason)
            return
        plugin.module = loaded.value
        plugin.summary = module_summary(entry.module) or plugin.summary
        try:
            check_implementations(self._hooks, plugin.id, plugin.module)
            self._hooks.register(plugin.module, name=plugin.id)
        except (PluginError, ValueError) as error:  # ValueError: the same module under two ids
            self._take_out(plugin, str(error))
            return
        plugin.enabled = True
        if plugin in self._having("settings"):
            answer = self._call_now(plugin, "settings", settings_type)
            if answer.reason is None:
                plugin.settings_type = answer.value
            else:
                self._take_out(plugin, answer.reason)

    async def _start(self, plugin: Plugin) -> None:
        folder = self._data_dir / "plugin-data" / plugin.id
        kind = plugin.settings_type
        try:
            settings = self._store.plugin(plugin.id, kind) if kind else None
            folder.mkdir(parents=True, exist_ok=True)
        except SettingsError as error:
            self._take_out(plugin, error.message)
            return
        except OSError as error:
            self._take_out(plugin, f"its folder {folder} can't be made: {error.strerror}")
            return
        plugin.context = PluginContext(
            id=plugin.id,
            settings=settings,
            logger=logging.getLogger(f"bedplate.plugin.{plugin.id}"),
            data_dir=folder,
            subscribe=functools.partial(self._subscribe, plugin, asyncio.get_running_loop()),
        )
        if plugin not in self._having("startup"):
            return
        answer = await self._call(plugin, "startup", anything, context=plugin.context)
        if answer.reason is not None:
            self._take_out(plugin, answer.reason)
            await self._undo(plugin)

    def _take_out(self, plugin: Plugin, reason: str) -> None:
        log.error("plugin %s is not in use: %s", plugin.id, reason)
        plugin.error, plugin.enabled = reason, False
        if self._hooks.has_plugin(plugin.id):
            self._hooks.unregister(name=plugin.id)
        self._close_subscriptions(plugin)

    async def _undo(self, plugin: Plugin) -> None:
        self._close_subscriptions(plugin)
        for undo in plugin.context.close() if plugin.context else ():
            await plugin.call("on_shutdown", undo, self._limits["shutdown"], anything)
        plugin.context = None

    # Events

    def _subscribe(
        self,
        plugin: Plugin,
        loop: asyncio.AbstractEventLoop,
        handler: EventHandler,
        events: tuple[type[PublicEvent], ...] | None,
    ) -> None:
        """Called by the plugin, from whatever thread it is in."""
        bus = self._running_bus()

        async def deliver(envelope: Envelope) -> None:
            handle = functools.partial(handler, envelope)
            await plugin.call(f"handler of {envelope.type}", handle, None, anything)

        def subscribe() -> None:
            if plugin.context is not None:
                subscription = bus.subscribe(f"plugin {plugin.id}", deliver, events=events)
                plugin.subscriptions.append(subscription)

        loop.call_soon_threadsafe(subscribe)

    def _close_subscriptions(self, plugin: Plugin) -> None:
        for subscription in plugin.subscriptions:
            subscription.close()
        plugin.subscriptions.clear()

    def _running_bus(self) -> EventBus:
        if self._bus is None:
            raise RuntimeError("plugins are started by a host only")
        return self._bus

    # Calling

    def _having(self, hook: str) -> Sequence[Plugin]:
        """The plugins in use that implement `hook`, by id."""
        names = {implementation.plugin_name for implementation in self._implementations(hook)}
        return [p for p in self._plugins.values() if p.enabled and p.id in names]

    def _implementations(self, hook: str) -> Sequence[pluggy.HookImpl]:
        caller: pluggy.HookCaller = getattr(self._hooks.hook, hook)
        return caller.get_hookimpls()

    def _bound(self, plugin: Plugin, hook: str, arguments: dict[str, Any]) -> Callable[[], Any]:
        """The plugin's implementation with those of the arguments that it names."""
        (implementation,) = [i for i in self._implementations(hook) if i.plugin_name == plugin.id]
        wanted = {name: arguments[name] for name in implementation.argnames}
        return functools.partial(implementation.function, **wanted)

    def _call_now(self, plugin: Plugin, hook: str, check: Check[Value]) -> Answer[Value]:
        answer = plugin.call_now(hook, self._bound(plugin, hook, {}), self._limits[hook], check)
        return self._judge(plugin, answer)

    async def _call(
        self, plugin: Plugin, hook: str, check: Check[Value], **arguments: Any
    ) -> Answer[Value]:
        function = self._bound(plugin, hook, arguments)
        return self._judge(plugin, await plugin.call(hook, function, self._limits[hook], check))

    def _judge(self, plugin: Plugin, answer: Answer[Value]) -> Answer[Value]:
        if answer.hung and answer.reason is not None and plugin.enabled:
            self._take_out(plugin, f"suspended: {answer.reason}")
        return answer

"""Plugins are found, checked and called one by one; what one does wrong stays its own."""

from __future__ import annotations

import importlib
import logging
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.helpers import eventually

from bedplate import hookspecs
from bedplate.bus import EventBus
from bedplate.config.store import SettingsStore
from bedplate.journal import Journal
from bedplate.messages.events import FileAdded, FileRemoved
from bedplate.plugins import LIMITS, PluginManager

Make = Callable[..., PluginManager]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def bus(journal: Journal) -> EventBus:
    return EventBus(journal, lambda: datetime.now(UTC), lambda: str(uuid4()))


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    return SettingsStore(tmp_path / "config.yaml")


@pytest.fixture
def make(
    tmp_path: Path, bus: EventBus, store: SettingsStore, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    """Makes a manager of plugins whose modules are given as source text, by plugin id."""
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)

    def make(limits: dict[str, float] | None = None, **sources: str) -> PluginManager:
        entries = []
        for id, source in sources.items():
            head = "from bedplate.plugin import *\n"
            (tmp_path / f"plugin_{id}.py").write_text(head + textwrap.dedent(source))
            entries.append(EntryPoint(id, f"plugin_{id}", "bedplate.plugins"))
        importlib.invalidate_caches()
        manager = PluginManager(
            store, tmp_path, bus, entry_points=entries, limits={**LIMITS, **(limits or {})}
        )
        manager.load()
        return manager

    yield make
    for name in set(sys.modules) - known:
        if name.startswith("plugin_"):
            del sys.modules[name]


def module(id: str) -> Any:
    return sys.modules[f"plugin_{id}"]


def error_of(manager: PluginManager, id: str) -> str | None:
    return next(info.error for info in manager.list() if info.id == id)


PORT = """
@hookimpl
def ports(printer_id):
    return [Port(name=f"P-{printer_id}", label="A port", open=lambda: "/dev/null")]
"""


async def test_ports_of_all_plugins_are_listed_with_their_plugin(make: Make) -> None:
    manager = make(b=PORT, a=PORT, none="")
    assert [(id, port.name) for id, port in await manager.ports("x")] == [
        ("a", "P-x"),
        ("b", "P-x"),
    ]
    await manager.shutdown()


async def test_a_plugin_gets_its_context_at_startup(make: Make, store: SettingsStore) -> None:
    store.set({"plugins.whole": {"speed": 3}})
    manager = make(
        whole="""
        import msgspec
        class Settings(msgspec.Struct):
            speed: int = 1
        seen = []
        @hookimpl
        def settings():
            return Settings
        @hookimpl
        def startup(context):
            seen.append(context)
            context.logger.warning("here I am")
            context.on_shutdown(lambda: seen.append("first registered"))
            context.on_shutdown(lambda: seen.append("last registered"))
        @hookimpl
        def shutdown():
            seen.append("shutdown")
        """
    )
    await manager.startup()
    context = module("whole").seen[0]
    assert (context.id, context.settings.speed) == ("whole", 3)
    assert context.data_dir.is_dir()
    assert context.data_dir.parts[-2:] == ("plugin-data", "whole")
    await manager.shutdown()
    assert module("whole").seen[1:] == ["shutdown", "last registered", "first registered"]


async def test_plain_hooks_run_in_the_plugins_thread_and_async_ones_on_the_loop(make: Make) -> None:
    manager = make(
        plain="""
        import threading
        threads = []
        @hookimpl
        def startup():
            threads.append(threading.current_thread())
        @hookimpl
        def shutdown():
            threads.append(threading.current_thread())
        """,
        awaited="""
        import threading
        threads = []
        @hookimpl
        async def startup(context):
            threads.append(threading.current_thread())
        """,
    )
    await manager.startup()
    await manager.shutdown()
    first, second = module("plain").threads
    assert first is second is not threading.main_thread()
    assert first.name == "plugin plain"
    assert module("awaited").threads == [threading.main_thread()]


async def test_events_reach_plain_and_async_handlers_in_order(make: Make, bus: EventBus) -> None:
    manager = make(
        listener="""
        import threading
        got, threads = [], set()
        def plain(envelope):
            got.append(("plain", envelope.payload.path))
            threads.add(threading.current_thread().name)
        async def awaited(envelope):
            got.append(("awaited", envelope.payload.path))
        @hookimpl
        def startup(context):
            context.subscribe(plain, FileAdded)
            context.subscribe(awaited, FileAdded, FileRemoved)
        """
    )
    await manager.startup()
    await eventually(lambda: len(bus.subscriptions) == 2)
    for number in range(5):
        bus.publish(FileAdded(path=str(number), origin="local"))
    bus.publish(FileRemoved(path="0", origin="local"))
    listener = module("listener")
    await eventually(lambda: len(listener.got) == 11)
    assert [path for kind, path in listener.got if kind == "plain"] == list("01234")
    assert [path for kind, path in listener.got if kind == "awaited"] == list("012340")
    assert listener.threads == {"plugin listener"}
    await manager.shutdown()
    assert bus.subscriptions == ()


async def test_a_failing_handler_is_counted_with_its_plugin(make: Make, bus: EventBus) -> None:
    manager = make(
        bad="""
        def handle(envelope):
            raise KeyError("no")
        @hookimpl
        def startup(context):
            context.subscribe(handle, FileAdded)
        """
    )
    await manager.startup()
    await eventually(lambda: bus.subscriptions)
    bus.publish(FileAdded(path="x", origin="local"))
    bus.publish(FileAdded(path="y", origin="local"))
    await eventually(lambda: manager.list()[0].failures == 2)
    assert manager.list()[0].enabled
    await manager.shutdown()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module", "import failed: ModuleNotFoundError"),
        ("def (", "import failed: SyntaxError"),
        ("raise SystemExit(3)", "import failed: SystemExit"),
        ("@hookimpl\ndef prots(): pass", "there is no hook 'prots' (did you mean 'ports'?)"),
        (
            "@hookimpl\ndef ports(printer): pass",
            "ports asks for 'printer', but the hook gives printer_id (did you mean 'printer_id'?)",
        ),
        ("@hookimpl\ndef shutdown(now): pass", "shutdown asks for 'now', but the hook gives no"),
        ("@hookimpl\ndef ports(*all): pass", "ports asks for '*all'"),
        ("@hookimpl(wrapper=True)\ndef ports(): yield", "hook wrappers are not supported"),
        ("@hookimpl\ndef settings(): return dict", "not a class derived from msgspec.Struct"),
        (
            "import msgspec\nclass S(msgspec.Struct):\n    x: int\n"
            "@hookimpl\ndef settings(): return S",
            "answered a class whose field 'x' has no default",
        ),
        ("@hookimpl\ndef settings(): 1 / 0", "settings failed: ZeroDivisionError"),
    ],
)
async def test_a_plugin_that_cannot_be_loaded_says_why_and_harms_no_other(
    make: Make, journal: Journal, source: str, reason: str
) -> None:
    manager = make(bad=source, good=PORT)
    assert reason in (error_of(manager, "bad") or "")
    assert error_of(manager, "good") is None
    await manager.startup()
    assert [id for id, _ in await manager.ports("x")] == ["good"]
    events = {e.payload.plugin: e.type for e in journal.read(0)}  # type: ignore[attr-defined]
    assert events == {"bad": "PluginDisabled", "good": "PluginEnabled"}
    await manager.shutdown()


async def test_a_plugin_that_fails_at_startup_is_undone(make: Make, bus: EventBus) -> None:
    manager = make(
        bad="""
        undone = []
        @hookimpl
        def startup(context):
            context.subscribe(print)
            context.on_shutdown(lambda: undone.append(1))
            context.on_shutdown(lambda: 1 / 0)
            raise RuntimeError("no camera")
        @hookimpl
        def ports():
            return []
        """
    )
    await manager.startup()
    assert error_of(manager, "bad") == "startup failed: RuntimeError: no camera"
    await eventually(lambda: bus.subscriptions == ())
    assert module("bad").undone == [1]
    assert await manager.ports("x") == []
    await manager.shutdown()


async def test_wrong_settings_keep_a_plugin_out_and_name_the_key(
    make: Make, store: SettingsStore
) -> None:
    store.set({"plugins.picky.sped": 3})
    manager = make(
        picky="""
        import msgspec
        class Settings(msgspec.Struct):
            speed: int = 1
        @hookimpl
        def settings():
            return Settings
        """
    )
    await manager.startup()
    assert "plugins.picky.sped: unknown, did you mean plugins.picky.speed?" in (
        error_of(manager, "picky") or ""
    )
    await manager.shutdown()


async def test_a_hook_that_answers_nonsense_is_left_out(make: Make) -> None:
    manager = make(
        bad="@hookimpl\ndef ports(): return ['/dev/ttyUSB0']",
        none="@hookimpl\ndef ports(): return None",
        good=PORT,
    )
    assert [id for id, _ in await manager.ports("x")] == ["good"]
    info = manager.list()[0]
    assert (info.id, info.enabled, info.failures, info.calls) == ("bad", True, 1, 2)
    await manager.shutdown()


async def test_a_plugin_that_hangs_is_suspended(make: Make) -> None:
    manager = make(
        limits={"ports": 0.05},
        hanging="""
        import threading
        forever = threading.Event()
        @hookimpl
        def ports():
            forever.wait()
        """,
        good=PORT,
    )
    assert [id for id, _ in await manager.ports("x")] == ["good"]
    assert error_of(manager, "hanging") == "suspended: ports did not end within 0.05 s"
    assert [id for id, _ in await manager.ports("x")] == ["good"]
    assert manager.list()[1].failures == 1
    await manager.shutdown()
    module("hanging").forever.set()


async def test_an_async_startup_that_hangs_is_cancelled(make: Make) -> None:
    manager = make(
        limits={"startup": 0.05},
        hanging="""
        import asyncio
        ended = []
        @hookimpl
        async def startup():
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(1)
        """,
    )
    await manager.startup()
    await eventually(lambda: module("hanging").ended)
    assert "did not end" in (error_of(manager, "hanging") or "")
    await manager.shutdown()


async def test_disabled_plugins_are_listed_but_not_imported(
    make: Make, store: SettingsStore
) -> None:
    store.set({"disabled_plugins": ["off"]})
    manager = make(off="raise RuntimeError('imported')")
    info = manager.list()[0]
    assert (info.id, info.enabled, info.error) == ("off", False, None)
    await manager.startup()
    await manager.shutdown()


def test_commands_for_the_command_line_need_no_host(make: Make) -> None:
    manager = make(
        cli="""
        import click
        @click.command("hello")
        def hello(): pass
        @hookimpl
        def cli_commands():
            return [hello]
        """,
        bad="@hookimpl\ndef cli_commands(): return 'hello'",
    )
    assert [command.name for command in manager.cli_commands()] == ["hello"]


@pytest.mark.parametrize(
    ("source", "summary"),
    [
        ("", "A sample"),
        ('"""\n"""', "A sample"),
        ('"""Does things.\n\nIn detail."""', "Does things."),
        ("__doc__ = 5", "A sample"),
    ],
)
def test_installed_plugins_are_found_with_version_and_the_first_line_about_them(
    tmp_path: Path,
    store: SettingsStore,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    summary: str,
) -> None:
    monkeypatch.delitem(sys.modules, "bedplate_sample_plugin", raising=False)
    site = tmp_path / "site"
    info = site / "bedplate_sample-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: bedplate-sample\nVersion: 1.2\nSummary: A sample\n"
    )
    (info / "entry_points.txt").write_text("[bedplate.plugins]\nsample = bedplate_sample_plugin\n")
    (site / "bedplate_sample_plugin.py").write_text(source)
    monkeypatch.syspath_prepend(site)
    manager = PluginManager(store, tmp_path)
    manager.load()
    found = {info.id: info for info in manager.list()}["sample"]
    assert (found.version, found.summary, found.enabled) == ("1.2", summary, True)


def test_an_id_that_is_there_twice_is_used_once(
    tmp_path: Path, store: SettingsStore, caplog: pytest.LogCaptureFixture
) -> None:
    entries = [EntryPoint("x", module, "bedplate.plugins") for module in ("json", "string")]
    manager = PluginManager(store, tmp_path, entry_points=entries)
    with caplog.at_level(logging.ERROR):
        manager.load()
    assert len(manager.list()) == 1
    assert "twice" in caplog.text


def test_every_hook_is_documented_by_when_it_is_called_and_has_a_limit() -> None:
    hooks = {name for name, hook in vars(hookspecs).items() if hasattr(hook, "bedplate_spec")}
    assert hooks == set(LIMITS) - {"import"}
    for name in hooks:
        document = getattr(hookspecs, name).__doc__
        assert document.startswith("Called "), name
        if name != "cli_commands":
            assert f"Limit: {LIMITS[name]:g} s." in " ".join(document.split()), name

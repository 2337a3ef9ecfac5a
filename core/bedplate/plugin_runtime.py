"""One plugin at run time: its worker thread, and calls into it that are caught, timed and counted.

This is the wall between plugins and host: the only place that takes whatever a plugin's code
raises.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib.metadata
import inspect
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from bedplate.bus import Subscription
from bedplate.errors import BedplateError
from bedplate.plugin import PluginContext

log = logging.getLogger(__name__)

Value = TypeVar("Value")

_Task = tuple[Callable[[], Any], "concurrent.futures.Future[Any]"]


class PluginInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin as the page lists it."""

    id: str
    version: str
    summary: str
    """First line of its module's docstring, or else what its distribution says."""
    enabled: bool
    """Loaded and in use."""
    error: str | None
    """Why it is not in use although nobody disabled it, else None."""
    failures: int
    """Calls that raised, ran out of time or answered something else than the hook asks for."""
    calls: int
    seconds: float
    """Spent in its hooks and handlers, all calls together."""


class PluginError(Exception):
    """What a plugin did wrong, as a sentence."""


class Answer(Generic[Value]):
    """How a call ended: with a value, or with a reason; `hung`: it did not end in time."""

    def __init__(
        self, value: Value | None = None, reason: str | None = None, hung: bool = False
    ) -> None:
        self.reason = reason
        self.hung = hung
        self._value = value

    @property
    def value(self) -> Value:
        """The value of a call that went well."""
        if self.reason is not None:
            raise PluginError(self.reason)
        return self._value  # type: ignore[return-value]  # what Check answered


Check = Callable[[Any], Value]
"""Takes what an implementation answered and gives it back, or raises PluginError."""


class PluginThread:
    """Runs functions in order. A daemon thread: one that hangs does not keep the host from ending.

    (The pools of `concurrent.futures` are joined at exit, hanging threads included.)
    """

    def __init__(self, name: str) -> None:
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, function: Callable[[], Any]) -> concurrent.futures.Future[Any]:
        """Queues `function`; the future carries what it answers or raises."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._tasks.put((function, future))
        return future

    def close(self) -> None:
        """Ends the thread after what is queued; does not wait for it."""
        self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            function, future = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except BaseException as failure:  # noqa: BLE001 - handed on to whoever waits
                future.set_exception(failure)


class Plugin:
    """A plugin that was found, whatever became of it."""

    def __init__(self, id: str, distribution: importlib.metadata.Distribution | None) -> None:
        self.id = id
        self.enabled = False
        self.error: str | None = None
        self.module: object = None
        self.settings_type: type[msgspec.Struct] | None = None
        self.context: PluginContext | None = None
        self.subscriptions: list[Subscription] = []
        self.summary = _summary(distribution) if distribution else ""
        self._version = distribution.version if distribution else ""
        self._failures = 0
        self._calls = 0
        self._seconds = 0.0
        self._thread: PluginThread | None = None

    def info(self) -> PluginInfo:
        """The plugin as others see it."""
        return PluginInfo(
            id=self.id,
            version=self._version,
            summary=self.summary,
            enabled=self.enabled,
            error=self.error,
            failures=self._failures,
            calls=self._calls,
            seconds=round(self._seconds, 3),
        )

    def submit(self, function: Callable[[], Any]) -> concurrent.futures.Future[Any]:
        """Runs `function` in the plugin's own thread, which begins with the first one."""
        if self._thread is None:
            self._thread = PluginThread(f"plugin {self.id}")
        return self._thread.submit(function)

    def end_thread(self) -> None:
        """Ends the plugin's thread after what is queued."""
        if self._thread is not None:
            self._thread.close()
            self._thread = None

    def call_now(
        self, what: str, function: Callable[[], Any], limit: float, check: Check[Value]
    ) -> Answer[Value]:
        """Calls `function` in the plugin's thread and waits for it, at most `limit` seconds.

        For the time before there is a loop. `what` stands in log and reasons.
        """
        began = time.monotonic()
        future = self.submit(function)
        concurrent.futures.wait([future], limit)
        return self._answer(what, future, began, limit, check)

    async def call(
        self, what: str, function: Callable[[], Any], limit: float | None, check: Check[Value]
    ) -> Answer[Value]:
        """The same on the loop; a coroutine function runs there itself, a plain one in the thread.

        `limit` None: as long as it takes.
        """
        began = time.monotonic()
        future: asyncio.Future[Any] = (
            asyncio.ensure_future(function())
            if inspect.iscoroutinefunction(function)
            else asyncio.wrap_future(self.submit(function))
        )
        try:
            await asyncio.wait([future], timeout=limit)
        finally:
            if not future.done():
                future.cancel()
        return self._answer(what, future, began, limit, check)

    def _answer(
        self,
        what: str,
        future: asyncio.Future[Any] | concurrent.futures.Future[Any],
        began: float,
        limit: float | None,
        check: Check[Value],
    ) -> Answer[Value]:
        self._calls += 1
        self._seconds += time.monotonic() - began
        if not future.done() or future.cancelled():
            self._failures += 1
            log.error("plugin %s: %s did not end within %s s", self.id, what, limit)
            return Answer(reason=f"{what} did not end within {limit:g} s", hung=True)
        try:
            return Answer(check(future.result()))
        except PluginError as error:
            self._failures += 1
            log.error("plugin %s: %s %s", self.id, what, error)
            return Answer(reason=f"{what} {error}")
        except (Exception, SystemExit) as error:  # boundary: a plugin harms only itself
            self._failures += 1
            log.error("plugin %s: %s failed", self.id, what, exc_info=error)
            return Answer(reason=f"{what} failed: {sentence(error)}")


def sentence(error: BaseException) -> str:
    """An exception in a few words: our own by their message, others with their class."""
    return str(error) if isinstance(error, BedplateError) else f"{type(error).__name__}: {error}"


def module_summary(name: str) -> str:
    """First line of the docstring of a module that is imported, empty without one.

    A distribution may bring several plugins, and be about something else: the core brings some.
    """
    text = sys.modules[name].__doc__ if name in sys.modules else None
    return inspect.cleandoc(text).partition("\n")[0] if isinstance(text, str) else ""


def _summary(distribution: importlib.metadata.Distribution) -> str:
    metadata = distribution.metadata
    return metadata["Summary"] if "Summary" in metadata else ""  # noqa: SIM401 - it has no get

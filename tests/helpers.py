"""Small helpers of the tests. No sleeps for luck: wait for a condition, with a deadline."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

POLL = 0.01


async def eventually(
    condition: Callable[[], Any | Awaitable[Any]], timeout: float = 10, what: str = ""
) -> Any:
    """Waits on the loop until `condition()` (plain or async) is true, and answers its value.

    Raises AssertionError after `timeout` seconds, with `what` or the condition's source place.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or _place(condition)}")
        await asyncio.sleep(POLL)


def wait_until(condition: Callable[[], Any], timeout: float = 10, what: str = "") -> Any:
    """Like `eventually`, for tests without a loop."""
    deadline = time.monotonic() + timeout
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or _place(condition)}")
        time.sleep(POLL)


def _place(function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)

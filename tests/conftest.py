"""Shared by all tests: `async def` tests run by themselves, on a loop of their own."""

from __future__ import annotations

import asyncio
import inspect

import pytest

TEST_TIMEOUT = 120.0
"""Seconds after which a coroutine test counts as hanging; no test comes near it."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine function with `asyncio.run`; leaves all others alone."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    test = pyfuncitem.obj

    async def run() -> None:
        async with asyncio.timeout(TEST_TIMEOUT):
            await test(**arguments)

    asyncio.run(run())
    return True

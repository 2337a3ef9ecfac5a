"""Shared by all tests: `async def` tests run by themselves, on a loop of their own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.processes import Workshop

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


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """Makes printers, links and hosts as processes; all are ended afterwards."""
    made = Workshop(tmp_path)
    try:
        yield made
    finally:
        made.close()

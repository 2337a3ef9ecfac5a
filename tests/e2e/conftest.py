"""A real headless Chromium, and a demo host for it to look at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.processes import Serving, Workshop

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1366, "height": 900}
PHONE = {"width": 390, "height": 844}
TIMEOUT = 30_000
"""Milliseconds that the page may take for anything."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file; each has a context of its own.

    No longer than that: Playwright keeps a loop running in this thread, and the coroutine tests of
    other files need their own.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "These tests need Chromium: install the package chromium."
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


Opened = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Opened]:
    """Opens a host's page; afterwards nothing may have been written to the console as an error."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(host: Serving, *, viewport: dict[str, int] = DESKTOP, **options: Any) -> Page:
        context = browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda message: (
                faults.append(message.text)
                if message.type == "error" and "Content Security Policy" in message.text
                else None
            ),
        )
        page.goto(host.url + "/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def demo(workshop: Workshop) -> Callable[[float], Serving]:
    """Starts the demo at a speed: 0 for at once, 20 for twenty times faster than a real printer."""

    def start(speed: float) -> Serving:
        workshop.settings(f"plugins:\n  virtual_printer:\n    speed: {speed}\n")
        host = workshop.host("--demo")
        host.wait_for(
            lambda state: state["connection"]["state"] == "operational", "virtual printer"
        )
        return host

    return start

"""The web page in a real browser, with a real host and the virtual printer behind it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.e2e.conftest import PHONE, TIMEOUT, Opened
from tests.processes import SAMPLES, Serving, Workshop, commands_of, without_added

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT)

PANELS = {
    "Print": "bp-print-panel",
    "Files": "bp-file-panel",
    "Temperatures": "bp-temperature-panel",
}

Demo = Callable[[float], Serving]


def region(page: Page, name: str) -> Locator:
    """A panel: the element which fills the card of that name."""
    return page.locator(PANELS[name])


def status(page: Page) -> Locator:
    """The state in the header."""
    return page.get_by_role("banner").get_by_role("status").first


def test_a_newcomer_prints_a_sample_with_one_click_and_cancels_it(
    demo: Demo, open_page: Opened
) -> None:
    page = open_page(demo(20))
    expect(status(page)).to_have_text("Ready")
    page.get_by_role("button", name="Print bunny-small.gcode").click()
    expect(status(page)).to_contain_text("Printing")
    panel = region(page, "Print")
    expect(panel).to_contain_text(re.compile(r"Layer \d+ of 75"))
    expect(panel).to_contain_text("Remaining")

    panel.get_by_role("button", name="Pause").click()
    expect(status(page)).to_contain_text("Paused")
    panel.get_by_role("button", name="Resume").click()
    expect(status(page)).to_contain_text("Printing")

    panel.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog", name="Cancel this print?")).to_be_visible()
    page.get_by_role("button", name="Keep printing").click()
    expect(status(page)).to_contain_text("Printing")
    panel.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the print").click()
    expect(status(page)).to_have_text("Ready")
    expect(panel).to_contain_text(re.compile("cancelled", re.IGNORECASE))


def test_an_uploaded_file_is_listed_and_printed_to_its_end_exactly(
    workshop: Workshop, open_page: Opened, tmp_path: Path
) -> None:
    printer = workshop.printer()
    host = workshop.host()
    host.connect(printer.path)
    page = open_page(host)
    source = tmp_path / "My part.gcode"
    source.write_bytes((SAMPLES / "nut-cura.gcode").read_bytes())
    with page.expect_file_chooser() as chooser:
        region(page, "Files").get_by_role("button", name="Upload").click()
    chooser.value.set_files(source)
    page.get_by_role("button", name="Print My part.gcode").click()
    expect(region(page, "Print")).to_contain_text("Last print")
    expect(region(page, "Print")).to_contain_text(re.compile("Printed in"))
    host.wait_for(lambda state: state["job"]["outcome"] == "done", "end of the print")
    accepted = without_added(printer.record)
    assert accepted == commands_of(source)


def test_a_file_dropped_anywhere_is_uploaded(demo: Demo, open_page: Opened) -> None:
    page = open_page(demo(0))
    expect(status(page)).to_have_text("Ready")
    transfer = page.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["G28\\nG1 X5\\n"], "dropped.gcode"));
            return transfer;
        }"""
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("body", event, {"dataTransfer": transfer})
    expect(page.get_by_role("button", name="Print dropped.gcode")).to_be_visible()


def test_a_file_that_is_not_gcode_is_refused_in_words(
    demo: Demo, open_page: Opened, tmp_path: Path
) -> None:
    page = open_page(demo(0))
    picture = tmp_path / "picture.gcode"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2000))
    with page.expect_file_chooser() as chooser:
        region(page, "Files").get_by_role("button", name="Upload").click()
    chooser.value.set_files(picture)
    expect(page.locator("body")).to_contain_text(re.compile(r"PNG|picture|G-code"))
    expect(page.get_by_role("button", name="Print picture.gcode")).to_have_count(0)


def test_targets_are_set_by_typing_and_by_preset_and_the_temperatures_follow(
    demo: Demo, open_page: Opened
) -> None:
    page = open_page(demo(20))
    expect(status(page)).to_have_text("Ready")
    target = page.get_by_role("textbox", name="Target of nozzle in °C")
    target.fill("60")
    target.press("Enter")
    header = page.get_by_role("banner")
    expect(header).to_contain_text("/60°")
    region(page, "Temperatures").get_by_role("button", name=re.compile("PLA")).click()
    expect(header).to_contain_text("/210°")
    region(page, "Temperatures").get_by_role("button", name=re.compile("All off")).click()
    expect(header).not_to_contain_text("/210°")


def test_the_terminal_sends_shows_the_answer_and_recalls(demo: Demo, open_page: Opened) -> None:
    page = open_page(demo(0))
    expect(status(page)).to_have_text("Ready")
    entry = page.get_by_role("textbox", name="Command for the printer")
    lines = page.get_by_role("log", name="Lines")
    entry.fill("M114")
    entry.press("Enter")
    expect(lines).to_contain_text("Count X:")
    entry.fill("M9999")
    entry.press("Enter")
    expect(lines).to_contain_text("Unknown command")
    entry.press("ArrowUp")
    entry.press("ArrowUp")
    expect(entry).to_have_value("M114")


def test_the_emergency_stop_acts_at_once_and_the_page_says_how_to_go_on(
    demo: Demo, open_page: Opened
) -> None:
    host = demo(20)
    page = open_page(host)
    page.get_by_role("button", name="Print bunny-small.gcode").click()
    expect(status(page)).to_contain_text("Printing")
    page.get_by_role("button", name="Emergency stop").first.click()
    host.wait_for(lambda state: state["connection"]["state"] == "halted", "halt")
    page.get_by_role("button", name=re.compile("Connect|Reconnect")).first.click()
    expect(status(page)).to_have_text("Ready")


def test_the_page_comes_back_by_itself_and_shows_the_same_print_after_the_host_was_killed(
    demo: Demo, workshop: Workshop, open_page: Opened
) -> None:
    host = demo(10)
    page = open_page(host)
    page.get_by_role("button", name="Print bunny-small.gcode").click()
    host.wait_for(lambda state: (state["job"] or {}).get("layer"), "first layer")
    before = host.state()
    port = host.url.rpartition(":")[2]
    host.kill()
    expect(page.locator("body")).to_contain_text(re.compile("connect", re.IGNORECASE))
    again = workshop.host("--demo", "--port", port)
    expect(page.locator("bp-link-banner")).not_to_contain_text(re.compile(r"\w"))
    expect(status(page)).to_contain_text("Printing")
    after = again.state()
    assert after["job"]["id"] == before["job"]["id"]
    assert after["link_pid"] == before["link_pid"]
    assert after["job"]["offset"] >= before["job"]["offset"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_on_a_narrow_phone(demo: Demo, open_page: Opened, scheme: str) -> None:
    page = open_page(
        demo(0), viewport={"width": 360, "height": 740}, color_scheme=scheme, has_touch=True
    )
    expect(status(page)).to_have_text("Ready")
    for name in ("Print", "Control", "Files", "Terminal"):
        page.get_by_role("navigation").get_by_text(name, exact=True).click()
        expect(page.get_by_role("button", name="Emergency stop")).to_be_in_viewport()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, f"{name} is {wide} px wide"


def test_a_print_is_started_by_keyboard_alone(demo: Demo, open_page: Opened) -> None:
    page = open_page(demo(20))
    expect(status(page)).to_have_text("Ready")
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                let element = document.activeElement;
                while (element?.shadowRoot?.activeElement)
                    element = element.shadowRoot.activeElement;
                return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
            }"""
        )
        if "Print nut-cura.gcode" in focused:
            break
    page.keyboard.press("Enter")
    expect(status(page)).to_contain_text("Printing")


def test_two_pages_see_the_same(demo: Demo, open_page: Opened) -> None:
    host = demo(20)
    desktop, phone = open_page(host), open_page(host, viewport=PHONE)
    expect(status(phone)).to_have_text("Ready")
    desktop.get_by_role("button", name="Print nut-cura.gcode").click()
    expect(status(phone)).to_contain_text("Printing")

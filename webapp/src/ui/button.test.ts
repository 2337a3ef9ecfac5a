// @vitest-environment happy-dom
import { render } from "lit";
import { afterEach, expect, it, vi } from "vitest";
import { BLOCKED, button } from "./button";
import type { ButtonOptions } from "./button";

function show(options: ButtonOptions): HTMLButtonElement {
  render(button(options), document.body);
  return document.querySelector("button") as HTMLButtonElement;
}

afterEach(() => render(null, document.body));

it("does what it says", () => {
  const onPress = vi.fn();
  const element = show({ label: "Pause", onPress });
  element.click();
  expect(onPress).toHaveBeenCalledTimes(1);
  expect(element.textContent?.trim()).toBe("Pause");
  expect(element.hasAttribute("aria-disabled")).toBe(false);
});

it("that can't be used says why, in its title and when pressed, and does nothing", () => {
  const onPress = vi.fn();
  const told = vi.fn<(event: Event) => void>();
  document.body.addEventListener(BLOCKED, told, { once: true });
  const element = show({ label: "Print", reason: "A print is running.", onPress });
  element.click();
  expect(onPress).not.toHaveBeenCalled();
  expect(element.getAttribute("aria-disabled")).toBe("true");
  expect(element.title).toBe("A print is running.");
  expect((told.mock.calls[0]?.[0] as CustomEvent<string>).detail).toBe("A print is running.");
});

it("that is at work ignores further presses", () => {
  const onPress = vi.fn();
  show({ label: "Connect", busy: true, onPress }).click();
  expect(onPress).not.toHaveBeenCalled();
});

it("of an icon alone has a name", () => {
  expect(show({ label: "Delete a.gcode", icon: "remove", iconOnly: true }).getAttribute("aria-label")).toBe(
    "Delete a.gcode",
  );
});

it("that can't be used does not submit its form", () => {
  const form = document.body.appendChild(document.createElement("form"));
  const submitted = vi.fn((event: Event) => event.preventDefault());
  form.addEventListener("submit", submitted);
  render(button({ label: "Send", type: "submit", reason: "Not connected." }), form);
  form.querySelector("button")?.click();
  expect(submitted).not.toHaveBeenCalled();
  form.remove();
});

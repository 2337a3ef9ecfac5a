import { expect, it } from "vitest";
import { formatMoment } from "./format-moment";

const NOW = new Date(2026, 10, 22, 23, 30);

it.each([
  [new Date(2026, 10, 22, 23, 55), "23:55"],
  [new Date(2026, 10, 23, 3, 10), "tomorrow 03:10"],
  [new Date(2026, 10, 21, 22, 40), "yesterday 22:40"],
  [new Date(2026, 10, 12, 14, 5), "12 Nov 14:05"],
  [new Date(2025, 10, 12, 14, 5), "12 Nov 2025 14:05"],
])("%s reads %s", (moment, text) => {
  expect(formatMoment(moment, NOW, "en-GB")).toBe(text);
});

import { expect, it } from "vitest";
import { formatDay } from "./format-day";

const NOW = new Date(2026, 0, 1, 9, 30);

it.each([
  [new Date(2026, 0, 1, 8, 5), "08:05"],
  [new Date(2025, 11, 31, 22, 40), "yesterday"],
  [new Date(2025, 11, 12, 14, 5), "12 Dec 2025"],
  [new Date(2026, 2, 3), "3 Mar"],
])("%s reads %s", (moment, text) => {
  expect(formatDay(moment, NOW, "en-GB")).toBe(text);
});

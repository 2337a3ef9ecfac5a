import { expect, it } from "vitest";
import { formatPercent } from "./format-percent";

it.each([
  [0, "0 %"],
  [99.99, "99 %"],
  [100, "100 %"],
  [-1, "0 %"],
  [140, "100 %"],
])("%d reads %s", (completion, text) => {
  expect(formatPercent(completion)).toBe(text);
});

import { expect, it } from "vitest";
import { formatLength } from "./format-length";

it.each([
  [0, "0 mm"],
  [839.6, "840 mm"],
  [4350, "4.35 m"],
])("%d mm is %s", (length, text) => {
  expect(formatLength(length)).toBe(text);
});

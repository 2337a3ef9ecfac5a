import { expect, it } from "vitest";
import { parseNumber } from "./parse-number";

it.each([
  ["210", 210],
  [" 0,5 ", 0.5],
  ["-5.", -5],
  [".2", 0.2],
  ["", null],
  ["1e9", null],
  ["12 mm", null],
  ["1.2.3", null],
])("%j is %s", (text, value) => {
  expect(parseNumber(text)).toBe(value);
});

import { expect, it } from "vitest";
import { formatDuration } from "./format-duration";

it.each([
  [0, "0 s"],
  [-3, "0 s"],
  [59.4, "59 s"],
  [59.6, "1 min"],
  [719, "11 min"],
  [3600, "1 h 00 min"],
  [5000, "1 h 23 min"],
  [183600, "2 d 3 h"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

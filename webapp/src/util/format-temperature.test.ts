import { expect, it } from "vitest";
import { formatTemperature } from "./format-temperature";

it.each([
  [209.6, "210"],
  [0, "0"],
  [-0.2, "0"],
  [null, "–"],
  [undefined, "–"],
])("%s reads %s", (degrees, text) => {
  expect(formatTemperature(degrees)).toBe(text);
});

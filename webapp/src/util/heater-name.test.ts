import { expect, it } from "vitest";
import { heaterName } from "./heater-name";

it.each([
  ["tool0", 1, "Nozzle"],
  ["tool0", 2, "Nozzle 1"],
  ["tool1", 2, "Nozzle 2"],
  ["bed", 1, "Bed"],
  ["chamber", 1, "Chamber"],
])("%s of %d is called %s", (heater, tools, name) => {
  expect(heaterName(heater, tools)).toBe(name);
});

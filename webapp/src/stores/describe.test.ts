import { describe as group, expect, it } from "vitest";
import { describe, describeHeating, describeOutcome, documentTitle } from "./describe";
import { connection, JOB, printing, situation } from "./fixtures";
import { NOTHING_KNOWN } from "./situation";

group("the state in words", () => {
  it("is the job's while the printer is connected", () => {
    expect(describe(printing())).toEqual({ text: "Printing", tone: "active" });
    expect(describe(situation()).text).toBe("Ready");
  });

  it("is the connection's otherwise, whatever became of the job", () => {
    const halted = situation({ ...connection("halted"), job: JOB });
    expect(describe(halted)).toEqual({ text: "Halted", tone: "bad" });
  });

  it("is known to be unknown at first", () => {
    expect(describe(NOTHING_KNOWN).text).toBe("Loading…");
  });
});

it.each([
  ["done", "Printed in 1 h 00 min."],
  ["cancelled", "Cancelled at 43 % after 1 h 00 min."],
  ["failed", "Failed at 43 % after 1 h 00 min."],
] as const)("outcome %s reads %j", (outcome, text) => {
  expect(describeOutcome({ ...JOB, state: "idle", outcome }).text).toBe(text);
});

group("heating", () => {
  const heaters = (tool: number, bed: number) => ({
    time: 0,
    heaters: { bed: { actual: bed, target: 60 }, tool0: { actual: tool, target: 210 } },
  });

  it("names what is not warm yet", () => {
    const text = describeHeating(situation({ temperatures: heaters(143.2, 59) }));
    expect(text).toEqual(["Nozzle heats: 143 of 210 °C"]);
  });

  it("is silent when all is warm, or nothing is known", () => {
    expect(describeHeating(situation({ temperatures: heaters(209, 58) }))).toEqual([]);
    expect(describeHeating(situation({ temperatures: null }))).toEqual([]);
  });
});

group("the title of the tab", () => {
  it.each([
    [printing(), "43 % · bunny.gcode"],
    [printing({ state: "paused" }), "Paused · 43 % · bunny.gcode"],
    [situation(), "Ready · Bedplate"],
    [situation({}, false), "Offline · Bedplate"],
    [NOTHING_KNOWN, "Bedplate"],
  ])("%#", (when, title) => {
    expect(documentTitle(when)).toBe(title);
  });
});

import { expect, it } from "vitest";
import { newsOf } from "./changes";
import { JOB, SNAPSHOT } from "./fixtures";

const running = { ...SNAPSHOT, job: JOB };
const ended = (outcome: "done" | "failed" | "cancelled") => ({
  ...SNAPSHOT,
  job: { ...JOB, state: "idle", outcome, problem: { code: "x", text: "The printer restarted.", hint: "" } } as const,
});

it.each([
  ["done", "success", /bunny.gcode is printed/],
  ["failed", "error", /failed. The printer restarted/],
  ["cancelled", "info", /was cancelled/],
] as const)("tells that a print has %s", (outcome, kind, text) => {
  const news = newsOf(running, ended(outcome));
  expect(news?.kind).toBe(kind);
  expect(news?.text).toMatch(text);
});

it("says nothing of what had ended before, or of what goes on", () => {
  expect(newsOf(null, ended("done"))).toBeNull();
  expect(newsOf(ended("done"), ended("done"))).toBeNull();
  expect(newsOf(running, { ...running, time: 1 })).toBeNull();
  expect(newsOf(SNAPSHOT, running)).toBeNull();
});

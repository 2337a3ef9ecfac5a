import { expect, it } from "vitest";
import { backoff } from "./backoff";

it("grows, and stops growing", () => {
  const delays = [0, 1, 2, 3, 4, 5, 6, 50].map((attempt) => backoff(attempt, 0));
  expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
});

it("spreads by a fifth at most", () => {
  expect(backoff(5, 0.999999)).toBeLessThanOrEqual(18000);
  expect(backoff(5, 0.5)).toBe(16500);
});

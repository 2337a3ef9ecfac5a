import { expect, it } from "vitest";
import { changed, nextUpload, queued, removed } from "./uploads";

const TWO = queued(queued([], { id: 1, name: "a", folder: "", size: 10 }), { id: 2, name: "b", folder: "", size: 20 });

it("sends one at a time, in the order in which they came", () => {
  expect(nextUpload(TWO)?.id).toBe(1);
  const sending = changed(TWO, 1, { state: "sending" });
  expect(nextUpload(sending)).toBeUndefined();
  expect(nextUpload(changed(sending, 1, { state: "done" }))?.id).toBe(2);
});

it("goes on after a failure, and keeps the failed one until it is removed", () => {
  const failed = changed(TWO, 1, { state: "failed", problem: "Disk full." });
  expect(nextUpload(failed)?.id).toBe(2);
  expect(failed[0]).toMatchObject({ state: "failed", problem: "Disk full." });
  expect(removed(failed, 1).map(({ id }) => id)).toEqual([2]);
});

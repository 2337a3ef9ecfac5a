import { expect, it } from "vitest";
import { added, dismissed } from "./notices";
import type { Notice } from "./notices";

const notice = (id: number, text: string): Notice => ({ id, kind: "error", text });

it("shows a repeated failure once, and the newest three at most", () => {
  let notices: readonly Notice[] = [];
  for (const [id, text] of ["a", "b", "a", "c", "d"].entries()) notices = added(notices, notice(id, text));
  expect(notices.map(({ text }) => text)).toEqual(["a", "c", "d"]);
  expect(dismissed(notices, 2).map(({ text }) => text)).toEqual(["c", "d"]);
});

import { expect, it } from "vitest";
import { viewOf } from "./views";

it.each([
  ["#files", "files"],
  ["#terminal", "terminal"],
  ["", "print"],
  ["#unknown", "print"],
])("fragment %j shows %s", (hash, view) => {
  expect(viewOf(hash)).toBe(view);
});

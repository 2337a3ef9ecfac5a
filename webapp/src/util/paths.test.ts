import { expect, it } from "vitest";
import { baseName } from "./base-name";
import { encodePath } from "./encode-path";
import { joinPath } from "./join-path";
import { parentPath } from "./parent-path";

it.each([
  ["parts/a.gcode", "parts", "a.gcode"],
  ["a.gcode", "", "a.gcode"],
  ["x/y/z", "x/y", "z"],
])("%s is in %j and called %s", (path, parent, name) => {
  expect(parentPath(path)).toBe(parent);
  expect(baseName(path)).toBe(name);
  expect(joinPath(parent, name)).toBe(path);
});

it("encodes names but not slashes", () => {
  expect(encodePath("Teile/Würfel 50%#1?.gcode")).toBe("Teile/W%C3%BCrfel%2050%25%231%3F.gcode");
});

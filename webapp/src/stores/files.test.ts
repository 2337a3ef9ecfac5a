import { describe, expect, it } from "vitest";
import type { FileEntry } from "../api/files";
import { countFiles, entryAt, failed, folderEntries, loaded, NO_FILES, opened, search, sorted } from "./files";

function file(path: string, more: Partial<FileEntry> = {}): FileEntry {
  return { name: path.split("/").at(-1) ?? "", path, origin: "local", type: "machinecode", ...more };
}

function folder(path: string, children: FileEntry[]): FileEntry {
  return file(path, { type: "folder", children });
}

const TREE = [
  file("a.gcode", { size: 5, date: 1 }),
  folder("parts", [file("parts/part 10.gcode"), folder("parts/old", [file("parts/old/part 2.gcode")])]),
  file("b.gcode", { size: 9, date: 2 }),
];

describe("the files", () => {
  it("are found by path", () => {
    expect(entryAt(TREE, "parts/old/part 2.gcode")?.name).toBe("part 2.gcode");
    expect(entryAt(TREE, "parts")?.type).toBe("folder");
    expect(entryAt(TREE, "parts/none")).toBeUndefined();
  });

  it("are listed by folder", () => {
    const state = opened(loaded(NO_FILES, { files: TREE }), "parts");
    expect(folderEntries(state).map(({ name }) => name)).toEqual(["part 10.gcode", "old"]);
  });

  it("leave out what is on the printer's own card", () => {
    const state = loaded(NO_FILES, { files: [...TREE, file("X.GCO", { origin: "sdcard" })] });
    expect(folderEntries(state).length).toBe(3);
  });

  it("come back to a folder that exists when the open one was deleted", () => {
    const state = opened(loaded(NO_FILES, { files: TREE }), "parts/old");
    const without = [folder("parts", [])];
    expect(loaded(state, { files: without }).folder).toBe("parts");
    expect(loaded(state, { files: [] }).folder).toBe("");
  });

  it("stay listed when a reload fails", () => {
    const state = failed(loaded(NO_FILES, { files: TREE }), "No answer.");
    expect(state.entries.length).toBe(3);
    expect(state.problem).toBe("No answer.");
    expect(loaded(state, { files: TREE }).problem).toBe("");
  });

  it("are counted at any depth", () => {
    expect(TREE.map(countFiles)).toEqual([1, 2, 1]);
  });
});

describe("order", () => {
  it.each([
    ["newest", ["parts", "b.gcode", "a.gcode"]],
    ["name", ["parts", "a.gcode", "b.gcode"]],
    ["size", ["parts", "b.gcode", "a.gcode"]],
  ] as const)("by %s has folders first", (order, names) => {
    expect(sorted(TREE, order).map(({ name }) => name)).toEqual(names);
  });

  it("counts as people do", () => {
    const names = sorted([file("part 10"), file("part 2")], "name").map(({ name }) => name);
    expect(names).toEqual(["part 2", "part 10"]);
  });
});

it("searches below the open folder, in any case", () => {
  expect(search(TREE, "PART").map(({ path }) => path)).toEqual([
    "parts",
    "parts/part 10.gcode",
    "parts/old/part 2.gcode",
  ]);
  expect(search(TREE, "  ")).toBe(TREE);
});

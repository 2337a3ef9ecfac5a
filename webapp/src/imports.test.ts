/** Imports run one way: util, generated <- api, ui <- stores, connection <- panels <- pages <- app. No cycles. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const SOURCE = import.meta.dirname;

/** Folders from the inside out; those of one level may use each other, but never in a circle. */
const LEVELS: readonly (readonly string[])[] = [
  ["util", "generated"],
  ["api", "ui"],
  ["stores", "connection"],
  ["panels"],
  ["pages"],
  ["."],
];

/** Rules inside a level. */
const FORBIDDEN: readonly (readonly [from: string, to: string])[] = [
  ["ui", "api"],
  ["api", "ui"],
  ["stores", "connection"],
  ["util", "generated"],
];

const files = (readdirSync(SOURCE, { recursive: true }) as string[]).filter(
  (path) => path.endsWith(".ts") && !path.endsWith(".test.ts"),
);
const graph = new Map(files.map((path) => [path, importsOf(path)]));

function importsOf(path: string): string[] {
  const text = readFileSync(join(SOURCE, path), "utf-8");
  const targets = [...text.matchAll(/^(?:import|export)\s(?:[^"';]*?\sfrom\s)?["'](\.[^"']+)["']/gm)];
  return targets
    .map((match) => relative(SOURCE, resolve(SOURCE, dirname(path), match[1] as string)))
    .filter((target) => !/\.(css|json)$/.test(target))
    .map((target) => `${target}.ts`);
}

const levelOf = (path: string) => LEVELS.findIndex((folders) => folders.includes(dirname(path)));

it("finds the sources and their imports", () => {
  expect(files.length).toBeGreaterThan(30);
  for (const [path, targets] of graph) {
    expect(levelOf(path), `the level of ${path}`).toBeGreaterThanOrEqual(0);
    for (const target of targets) expect(files, `what ${path} imports`).toContain(target);
  }
  expect(graph.get("main.ts")).toContain("app.ts");
});

it.each([...graph.keys()])("%s imports inwards only", (path) => {
  for (const target of graph.get(path) ?? []) {
    expect(levelOf(target), `${path} imports ${target}`).toBeLessThanOrEqual(levelOf(path));
    expect(FORBIDDEN).not.toContainEqual([dirname(path), dirname(target)]);
  }
});

it("has no cycle", () => {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) throw new Error(`a cycle: ${[...trail, path].join(" -> ")}`);
    if (done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
});

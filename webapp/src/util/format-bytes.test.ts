import { expect, it } from "vitest";
import { formatBytes } from "./format-bytes";

it.each([
  [0, "0 bytes"],
  [812, "812 bytes"],
  [1_420_000, "1.4 MB"],
  [9_960, "10 kB"],
  [999_600, "1.0 MB"],
  [38_000_000_000, "38 GB"],
  [5e15, "5000 TB"],
])("%d is %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

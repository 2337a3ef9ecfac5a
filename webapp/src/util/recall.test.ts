import { expect, it } from "vitest";
import { recall } from "./recall";

const HISTORY = ["G28", "M105"];

it("goes back to the oldest and no further, and forward to an empty line", () => {
  const newest = recall(HISTORY, 0, 1);
  expect(newest).toEqual({ place: 1, text: "M105" });
  const oldest = recall(HISTORY, newest.place, 1);
  expect(oldest).toEqual({ place: 2, text: "G28" });
  expect(recall(HISTORY, oldest.place, 1)).toEqual(oldest);
  expect(recall(HISTORY, 1, -1)).toEqual({ place: 0, text: "" });
  expect(recall(HISTORY, 0, -1)).toEqual({ place: 0, text: "" });
});

it("has nothing to offer without history", () => {
  expect(recall([], 0, 1)).toEqual({ place: 0, text: "" });
});

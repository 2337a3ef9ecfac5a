import { describe, expect, it } from "vitest";
import { whyNoStop, whyNot } from "./abilities";
import type { Action } from "./abilities";
import { connection, printing, situation, SNAPSHOT } from "./fixtures";
import { NOTHING_KNOWN } from "./situation";
import type { Situation } from "./situation";

const READY = situation();
const PRINTING = printing();
const PAUSED = printing({ state: "paused" });
const CANCELLING = printing({ state: "cancelling" });
const CLOSED = situation(connection("closed"));
const CONNECTING = situation(connection("handshaking"));
const HALTED = situation(connection("halted"));
const OFFLINE = situation({}, false);
const SELECTED = situation({ selected: { path: "a.gcode", origin: "local", size: 1 } });
const COLD = situation({ temperatures: { time: 0, heaters: { tool0: { actual: 23.4, target: 0 } } } });

const cases: [action: Action, when: string, situation: Situation, reason: RegExp | ""][] = [
  ["print", "ready", READY, ""],
  ["print", "printing", PRINTING, /print is running/],
  ["print", "paused", PAUSED, /print is running/],
  ["print", "closed", CLOSED, /not connected/],
  ["print", "connecting", CONNECTING, /still connecting/],
  ["print", "halted", HALTED, /Reconnect/],
  ["print", "offline", OFFLINE, /no connection to Bedplate/],
  ["start", "ready without a file", READY, /Choose a file/],
  ["start", "ready with a file", SELECTED, ""],
  ["select", "closed", CLOSED, ""],
  ["select", "printing", PRINTING, /print is running/],
  ["pause", "printing", PRINTING, ""],
  ["pause", "paused", PAUSED, /moves/],
  ["pause", "ready", READY, /No print/],
  ["resume", "paused", PAUSED, ""],
  ["resume", "printing", PRINTING, /not paused/],
  ["cancel", "paused", PAUSED, ""],
  ["cancel", "cancelling", CANCELLING, /already/],
  ["heat", "printing", PRINTING, ""],
  ["preheat", "printing", PRINTING, /Pause it first/],
  ["preheat", "paused", PAUSED, ""],
  ["move", "printing", PRINTING, /Pause it first/],
  ["move", "paused", PAUSED, ""],
  ["extrude", "hot", READY, ""],
  ["extrude", "cold", COLD, /has 23 °C.*170/],
  ["extrude", "without temperatures", situation({ temperatures: null }), /not known/],
  ["motors", "paused", PAUSED, /print is running/],
  ["disconnect", "halted", HALTED, ""],
  ["disconnect", "closed", CLOSED, /not connected/],
  ["connect", "nothing known", NOTHING_KNOWN, /no connection/],
];

describe("whether an action can be done", () => {
  it.each(cases)("%s, %s", (action, _when, when, reason) => {
    const text = whyNot(action, when);
    if (reason === "") expect(text).toBe("");
    else expect(text).toMatch(reason);
  });
});

describe("an emergency stop", () => {
  it.each(["opening", "handshaking", "operational", "resetting", "halted", "error"] as const)(
    "is there while the connection is %s",
    (state) => expect(whyNoStop(situation(connection(state)))).toBe(""),
  );

  it("has nothing to stop without a connection", () => {
    expect(whyNoStop(CLOSED)).not.toBe("");
  });

  it("is there while the host is out of reach, whatever was known last", () => {
    expect(whyNoStop(NOTHING_KNOWN)).toBe("");
    expect(whyNoStop({ live: false, snapshot: SNAPSHOT })).toBe("");
  });
});

import { describe, expect, it } from "vitest";
import { nextState, TRANSITIONS } from "./states";
import type { SocketEvent, SocketState } from "./states";

const STATES = Object.keys(TRANSITIONS) as SocketState[];
const EVENTS = [...new Set(STATES.flatMap((state) => Object.keys(TRANSITIONS[state])))] as SocketEvent[];

describe("the connection's states", () => {
  it("lead only to states that exist", () => {
    for (const state of STATES) {
      for (const next of Object.values(TRANSITIONS[state])) expect(STATES).toContain(next);
    }
  });

  it("can all be reached, and all be stopped", () => {
    const reached = new Set<SocketState>(["stopped"]);
    for (let size = 0; size < reached.size; ) {
      size = reached.size;
      for (const state of [...reached]) for (const next of Object.values(TRANSITIONS[state])) reached.add(next);
    }
    expect([...reached].sort()).toEqual([...STATES].sort());
    for (const state of STATES) if (state !== "stopped") expect(nextState(state, "stop")).toBe("stopped");
  });

  it("refuse every event that is not in the table", () => {
    for (const state of STATES) {
      for (const event of EVENTS) {
        if (TRANSITIONS[state][event] === undefined) expect(() => nextState(state, event)).toThrow(event);
      }
    }
  });
});

import { describe, expect, it } from "vitest";
import { appendLogs, EMPTY_BUFFER, MAX_LINES, replaceLogs, visibleLines } from "./terminal";

const LOGS = ["Send: N1 M105*38", "Recv: ok T:21.3 /0.0 B:21 /0", "Send: N2 G1 X10*5", "Recv: ok", "Connected"];

describe("the terminal's buffer", () => {
  it("tells sent, received and other lines apart", () => {
    const { lines } = appendLogs(EMPTY_BUFFER, LOGS);
    expect(lines.map(({ kind }) => kind)).toEqual(["sent", "received", "sent", "received", "note"]);
    expect(lines[1]?.text).toBe("ok T:21.3 /0.0 B:21 /0");
  });

  it("is bounded and keeps the newest", () => {
    let buffer = EMPTY_BUFFER;
    for (let round = 0; round < 3; round += 1) {
      buffer = appendLogs(buffer, Array.from({ length: 600 }, (_, index) => `Recv: ${round}/${index}`));
    }
    expect(buffer.lines.length).toBe(MAX_LINES);
    expect(buffer.lines.at(-1)?.text).toBe("2/599");
    expect(new Set(buffer.lines.map(({ id }) => id)).size).toBe(MAX_LINES);
  });

  it("does not change for an empty message", () => {
    expect(appendLogs(EMPTY_BUFFER, [])).toBe(EMPTY_BUFFER);
  });

  it("starts anew with a history, under new identities", () => {
    const first = appendLogs(EMPTY_BUFFER, LOGS);
    const second = replaceLogs(first, ["Recv: ok"]);
    expect(second.lines).toEqual([{ id: 5, kind: "received", text: "ok" }]);
  });
});

describe("a filter", () => {
  const cases: [filter: string, log: string, hidden: boolean][] = [
    ["temperatures", "Send: M105", true],
    ["temperatures", "Send: N7 M105*33", true],
    ["temperatures", "Recv: ok T:210.1 /210.0 B:60 /60 @:64", true],
    ["temperatures", "Recv:  T:23.1 /0.0", true],
    ["temperatures", "Recv: B:60.0 /60.0", true],
    ["temperatures", "Recv: FIRMWARE_NAME:Marlin 2.1", false],
    ["temperatures", "Send: M104 S210", false],
    ["temperatures", "Send: M1055", false],
    ["acknowledgements", "Recv: ok", true],
    ["acknowledgements", "Recv: ok N12 P15 B3", true],
    ["acknowledgements", "Recv: echo:busy: processing", true],
    ["acknowledgements", "Recv: wait", true],
    ["acknowledgements", "Recv: ok T:21 /0", false],
    ["acknowledgements", "Recv: Error:checksum mismatch", false],
    ["moves", "Send: N3 G1 X1 Y2 E.1*9", true],
    ["moves", "Send: G0 Z5", true],
    ["moves", "Send: G28", false],
    ["moves", "Send: G10", false],
  ];
  it.each(cases)("%s, line %j: hidden %s", (filter, log, hidden) => {
    const buffer = appendLogs(EMPTY_BUFFER, [log]);
    expect(visibleLines(buffer, new Set([filter])).length).toBe(hidden ? 0 : 1);
  });

  it("that is off hides nothing", () => {
    const buffer = appendLogs(EMPTY_BUFFER, LOGS);
    expect(visibleLines(buffer, new Set())).toBe(buffer.lines);
  });
});

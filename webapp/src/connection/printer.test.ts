import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { JOB, SNAPSHOT } from "../stores/fixtures";
import { PrinterSession } from "./printer";
import type { TransportHandlers } from "./transport";

const FILES = { files: [{ name: "a.gcode", path: "a.gcode", origin: "local", type: "machinecode" }], free: 5 };

/** What the host answers to requests. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  "/api/login": { name: "local", session: "s" },
  "/api/state": SNAPSHOT,
  "/api/files": FILES,
};

describe("a printer's session", () => {
  let session: PrinterSession;
  let line: TransportHandlers;
  let requests: string[];

  beforeEach(async () => {
    vi.useFakeTimers();
    requests = [];
    vi.stubGlobal("fetch", (url: string) => {
      const { pathname } = new URL(url);
      requests.push(pathname);
      return Promise.resolve(new Response(JSON.stringify(ANSWERS[pathname])));
    });
    session = new PrinterSession("http://host/", (_url, handlers) => {
      line = handlers;
      return { send: () => undefined, close: () => undefined };
    });
    session.start();
    await vi.advanceTimersByTimeAsync(0);
    line.opened();
    line.received({ connected: {} });
    line.received({ history: { temps: [{ time: 5, tool0: { actual: 20, target: 0 } }], logs: ["Recv: start"] } });
    await vi.advanceTimersByTimeAsync(0);
  });

  afterEach(() => {
    session.stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("shows a first state, files, temperatures and lines", () => {
    expect(session.situation.value).toEqual({ live: true, snapshot: SNAPSHOT });
    expect(session.files.value.entries.length).toBe(1);
    expect(session.temperatures.value.times).toEqual([5]);
    expect(session.terminal.value.lines.length).toBe(1);
  });

  it("adds what is pushed", () => {
    line.received({ current: { temps: [{ time: 7, tool0: { actual: 21, target: 0 } }], logs: ["Send: M105"] } });
    expect(session.temperatures.value.times).toEqual([5, 7]);
    expect(session.terminal.value.lines.length).toBe(2);
  });

  it("keeps the lines when a history without any comes", () => {
    line.received({ history: { temps: [], logs: [] } });
    expect(session.terminal.value.lines.length).toBe(1);
  });

  it("loads the files once for a burst of events", async () => {
    const before = requests.filter((path) => path === "/api/files").length;
    for (const type of ["FileAdded", "UpdatedFiles", "MetadataAnalysisFinished"]) {
      line.received({ event: { type, payload: {} } });
    }
    line.received({ event: { type: "ZChange", payload: {} } });
    await vi.advanceTimersByTimeAsync(1000);
    expect(requests.filter((path) => path === "/api/files").length).toBe(before + 1);
  });

  it("tells how a print ended", () => {
    line.received({ snapshot: { ...SNAPSHOT, job: JOB } });
    line.received({ snapshot: { ...SNAPSHOT, job: { ...JOB, state: "idle", outcome: "done" } } });
    expect(session.notices.value.map(({ kind }) => kind)).toEqual(["success"]);
  });

  it("keeps what it knew when the connection is lost, and says that it is old", () => {
    line.closed();
    expect(session.situation.value).toEqual({ live: false, snapshot: SNAPSHOT });
  });
});

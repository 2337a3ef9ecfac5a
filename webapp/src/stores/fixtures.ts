/** Snapshots for tests. */
import type { JobView, PrinterSnapshot } from "../generated/messages";
import type { Situation } from "./situation";

export const SNAPSHOT: PrinterSnapshot = {
  printer: "default",
  name: "Default printer",
  time: 1_795_356_651,
  link_pid: 4711,
  connection: { state: "operational", text: "Operational", port: "VIRTUAL", baudrate: 115200, problem: null },
  firmware: { name: "Marlin 2.1.2", dialect: "marlin", machine: "Shop", extruders: 1, capabilities: {} },
  temperatures: {
    time: 1_795_356_650,
    heaters: { tool0: { actual: 210.4, target: 210 }, bed: { actual: 59.8, target: 60 } },
  },
  position: null,
  busy: null,
  line: { transmitted: 0, resends: 0, lost_oks: 0, oddities: 0 },
  selected: null,
  job: null,
};

export const JOB: JobView = {
  id: "j1",
  file: { path: "parts/bunny.gcode", origin: "local", size: 1_000_000 },
  state: "printing",
  outcome: null,
  offset: 430_000,
  line: 1200,
  lines: 5000,
  layer: 12,
  layers: 96,
  z: 2.4,
  completion: 43.7,
  started: 1_795_350_000,
  elapsed: 3600,
  remaining: 4500,
  remaining_origin: "analysis",
  user: null,
  problem: null,
};

/** A live situation, with changes to the snapshot. */
export function situation(change: Partial<PrinterSnapshot> = {}, live = true): Situation {
  return { live, snapshot: { ...SNAPSHOT, ...change } };
}

/** A live situation with a job in some state. */
export function printing(change: Partial<JobView> = {}): Situation {
  return situation({ job: { ...JOB, ...change } });
}

export function connection(state: PrinterSnapshot["connection"]["state"]): Partial<PrinterSnapshot> {
  return { connection: { ...SNAPSHOT.connection, state } };
}

/** States in the words of the page. Pure functions; the words are tables. */
import type { ConnectionState, JobState, JobView } from "../generated/messages";
import { baseName } from "../util/base-name";
import { formatDuration } from "../util/format-duration";
import { formatPercent } from "../util/format-percent";
import { heaterName } from "../util/heater-name";
import { isBusy } from "./situation";
import type { Situation } from "./situation";
import { byHeater } from "./temperatures";

export type Tone = "calm" | "active" | "good" | "warning" | "bad";

export interface Description {
  readonly text: string;
  readonly tone: Tone;
}

const CONNECTIONS: Readonly<Record<ConnectionState, Description>> = {
  closed: { text: "Not connected", tone: "calm" },
  opening: { text: "Opening the port…", tone: "active" },
  detecting: { text: "Looking for the printer…", tone: "active" },
  handshaking: { text: "Connecting…", tone: "active" },
  operational: { text: "Ready", tone: "good" },
  resetting: { text: "Printer restarts…", tone: "warning" },
  halted: { text: "Halted", tone: "bad" },
  error: { text: "Connection failed", tone: "bad" },
};

const JOBS: Readonly<Record<JobState, Description>> = {
  idle: { text: "Ready", tone: "good" },
  starting: { text: "Starting…", tone: "active" },
  printing: { text: "Printing", tone: "active" },
  pausing: { text: "Pausing…", tone: "warning" },
  paused: { text: "Paused", tone: "warning" },
  resuming: { text: "Resuming…", tone: "active" },
  cancelling: { text: "Cancelling…", tone: "warning" },
  finishing: { text: "Finishing…", tone: "active" },
};

/** The printer's state in one or two words. */
export function describe(situation: Situation): Description {
  const { snapshot } = situation;
  if (snapshot === null) return { text: "Loading…", tone: "calm" };
  if (snapshot.connection.state !== "operational") return CONNECTIONS[snapshot.connection.state];
  return JOBS[snapshot.job?.state ?? "idle"];
}

/** How the last print ended, in a sentence. */
export function describeOutcome(job: JobView): Description {
  const time = formatDuration(job.elapsed);
  switch (job.outcome) {
    case "done":
      return { text: `Printed in ${time}.`, tone: "good" };
    case "cancelled":
      return { text: `Cancelled at ${formatPercent(job.completion)} after ${time}.`, tone: "calm" };
    case "failed":
      return { text: `Failed at ${formatPercent(job.completion)} after ${time}.`, tone: "bad" };
    case null:
      return { text: "", tone: "calm" };
  }
}

/** Below the target by more than this (°C), a heater is still on its way. */
const NEARLY_THERE = 3;

/** What a print waits for while its heaters warm up: a line for each of them. */
export function describeHeating({ snapshot }: Situation): string[] {
  if (!snapshot?.temperatures) return [];
  const heaters = Object.entries(snapshot.temperatures.heaters).sort(([a], [b]) => byHeater(a, b));
  const tools = heaters.filter(([name]) => name.startsWith("tool")).length;
  return heaters
    .filter(([, { actual, target }]) => actual !== null && target !== null && target - actual > NEARLY_THERE)
    .map(([name, { actual, target }]) => {
      const now = Math.round(actual ?? 0);
      return `${heaterName(name, tools)} heats: ${now} of ${Math.round(target ?? 0)} °C`;
    });
}

/** What the browser's tab says: progress first, since a tab shows the beginning alone. */
export function documentTitle(situation: Situation): string {
  const { live, snapshot } = situation;
  if (!live) return snapshot === null ? "Bedplate" : "Offline · Bedplate";
  const job = snapshot?.job;
  if (job && isBusy(situation)) {
    const paused = job.state === "paused" ? "Paused · " : "";
    return `${paused}${formatPercent(job.completion)} · ${baseName(job.file.path)}`;
  }
  return `${describe(situation).text} · Bedplate`;
}

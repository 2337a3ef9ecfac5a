/**
 * What can be done now, and why not. One table: an action, and the reasons that rule it out, in the order in which
 * they are told. Nothing else in the page decides whether a control is usable.
 */
import { byHeater } from "./temperatures";
import { isBusy, isConnected, isConnecting, jobState } from "./situation";
import type { Situation } from "./situation";

/** Says why an action is ruled out; an empty text where it is not. */
type Reason = (situation: Situation) => string;

/** Firmwares refuse to push filament that is colder than this (Marlin's EXTRUDE_MINTEMP), in °C. */
const MINIMUM_EXTRUSION = 170;

const offline: Reason = ({ live }) => (live ? "" : "There is no connection to Bedplate.");

const notConnected: Reason = (situation) => {
  if (isConnected(situation)) return "";
  if (isConnecting(situation)) return "The printer is still connecting.";
  const halted = situation.snapshot?.connection.state === "halted";
  return halted ? "The printer has halted. Reconnect it first." : "The printer is not connected.";
};

const anyJob: Reason = (situation) => (isBusy(situation) ? "A print is running." : "");

const movingJob: Reason = (situation) =>
  isBusy(situation) && jobState(situation) !== "paused" ? "A print is running. Pause it first." : "";

const nothingSelected: Reason = ({ snapshot }) => (snapshot?.selected ? "" : "Choose a file first.");

const jobIsNot =
  (state: "printing" | "paused", text: string): Reason =>
  (situation) =>
    jobState(situation) === state ? "" : text;

const noJob: Reason = (situation) => (isBusy(situation) ? "" : "No print is running.");

const cancelling: Reason = (situation) =>
  jobState(situation) === "cancelling" ? "The print is already being cancelled." : "";

const cold: Reason = ({ snapshot }) => {
  const heaters = Object.entries(snapshot?.temperatures?.heaters ?? {}).sort(([a], [b]) => byHeater(a, b));
  const nozzle = heaters[0]?.[1].actual ?? null;
  if (nozzle !== null && nozzle >= MINIMUM_EXTRUSION) return "";
  const now = nozzle === null ? "The nozzle's temperature is not known" : `The nozzle has ${Math.round(nozzle)} °C`;
  return `${now}. Heat it to at least ${MINIMUM_EXTRUSION} °C first.`;
};

const closed: Reason = ({ snapshot }) =>
  snapshot === null || snapshot.connection.state === "closed" ? "The printer is not connected." : "";

const REASONS = {
  print: [offline, notConnected, anyJob],
  start: [offline, notConnected, anyJob, nothingSelected],
  select: [offline, anyJob],
  pause: [offline, noJob, jobIsNot("printing", "Only a print that moves can be paused.")],
  resume: [offline, noJob, jobIsNot("paused", "The print is not paused.")],
  cancel: [offline, noJob, cancelling],
  heat: [offline, notConnected],
  preheat: [offline, notConnected, movingJob],
  move: [offline, notConnected, movingJob],
  extrude: [offline, notConnected, movingJob, cold],
  motors: [offline, notConnected, anyJob],
  fan: [offline, notConnected],
  command: [offline, notConnected],
  connect: [offline],
  disconnect: [offline, closed],
  files: [offline],
} satisfies Record<string, readonly Reason[]>;

export type Action = keyof typeof REASONS;

/** Why an action can't be done now, in a sentence; empty where it can. */
export function whyNot(action: Action, situation: Situation): string {
  for (const reason of REASONS[action]) {
    const text = reason(situation);
    if (text !== "") return text;
  }
  return "";
}

/**
 * Why there is nothing to stop; empty where there may be. Deliberately lenient: without a connection to the host the
 * button still tries, since what this page knows may be old.
 */
export function whyNoStop(situation: Situation): string {
  return situation.live ? closed(situation) : "";
}

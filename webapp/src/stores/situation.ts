/** What is true of a printer right now, as the page needs it: the snapshot, and whether it is current. */
import type { ConnectionState, JobState, PrinterSnapshot } from "../generated/messages";

export interface Situation {
  /** The push socket is open: the snapshot is current and requests will arrive. */
  readonly live: boolean;
  /** null until the first one came. */
  readonly snapshot: PrinterSnapshot | null;
}

export const NOTHING_KNOWN: Situation = { live: false, snapshot: null };

const CONNECTING: ReadonlySet<ConnectionState> = new Set(["opening", "detecting", "handshaking", "resetting"]);

export function isConnected({ snapshot }: Situation): boolean {
  return snapshot?.connection.state === "operational";
}

export function isConnecting({ snapshot }: Situation): boolean {
  return snapshot !== null && CONNECTING.has(snapshot.connection.state);
}

/** State of the job that owns the printer; "idle" where none does. */
export function jobState({ snapshot }: Situation): JobState {
  return snapshot?.job?.state ?? "idle";
}

export function isBusy(situation: Situation): boolean {
  return jobState(situation) !== "idle";
}

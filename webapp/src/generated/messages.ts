// Generated from the server's message classes by `python -m bedplate.devtools.typescript`.
// Do not edit.
// Units: °C, mm, s, bytes, percent; times of day are Unix seconds.

/** Where the connection to a printer stands. */
export type ConnectionState =
  | "closed"
  | "opening"
  | "detecting"
  | "handshaking"
  | "operational"
  | "resetting"
  | "halted"
  | "error";

/** Where the print job of a printer stands; `idle` before the first and after each one. */
export type JobState =
  | "idle"
  | "starting"
  | "printing"
  | "pausing"
  | "paused"
  | "resuming"
  | "cancelling"
  | "finishing";

/** How a job ended. */
export type Outcome = "done" | "failed" | "cancelled";

/**
 * Something that went wrong, for programs (`code`) and for people (`text`, and `hint`: what can be
 * done).
 */
export interface Problem {
  readonly code: string;
  readonly text: string;
  readonly hint: string;
}

/** Temperature and set target of one heater in °C; `None` where the printer did not say. */
export interface HeaterReading {
  readonly actual: number | null;
  readonly target: number | null;
}

/** One temperature report. Heaters are named `tool0`, `tool1`, ..., `bed`, `chamber`. */
export interface Temperatures {
  readonly time: number;
  readonly heaters: Readonly<Record<string, HeaterReading>>;
}

/** Position as the firmware reported it (M114, M154), in mm. */
export interface Position {
  readonly x: number | null;
  readonly y: number | null;
  readonly z: number | null;
  readonly e: number | null;
}

/** What the firmware said of itself (M115) and the dialect that follows from it. */
export interface Firmware {
  readonly name: string;
  readonly dialect: string;
  readonly machine: string | null;
  readonly extruders: number;
  readonly capabilities: Readonly<Record<string, boolean>>;
}

/**
 * A print file: `path` relative to the files of its `origin` (`local`, `sdcard`), size in bytes.
 */
export interface FileRef {
  readonly path: string;
  readonly origin: string;
  readonly size: number;
}

/**
 * The job that runs, or the last one that ran.
 *
 * Every place (`offset`, `line`, `layer`, `z`) is what the printer acknowledged, not what was read.
 */
export interface JobSnapshot {
  readonly id: string;
  readonly file: FileRef;
  readonly state: JobState;
  readonly outcome: Outcome | null;
  /** Bytes of the file up to the end of the last acknowledged line. */
  readonly offset: number;
  /** Number of that line in the file, from 1; 0 before the first. */
  readonly line: number;
  /** From 1; None while no layer has begun or none are known. */
  readonly layer: number | null;
  readonly layers: number | null;
  readonly z: number | null;
  readonly started: number;
  /** Seconds spent printing, pauses left out. */
  readonly elapsed: number;
  readonly user: string | null;
  /** Why it failed, or why it paused where that was not asked for. */
  readonly problem: Problem | null;
}

/** Quality of the serial line since it was opened. */
export interface LineStatistics {
  readonly transmitted: number;
  readonly resends: number;
  readonly lost_oks: number;
  /** Replies that did not fit: noise, acknowledgements of nothing. */
  readonly oddities: number;
}

/** Everything that a link knows of its printer. */
export interface LinkSnapshot {
  readonly state: ConnectionState;
  /** The port's name as people chose it (`VIRTUAL`, `/dev/serial/by-id/...`). */
  readonly port: string | null;
  readonly baudrate: number | null;
  readonly firmware: Firmware | null;
  readonly problem: Problem | null;
  readonly temperatures: Temperatures | null;
  readonly position: Position | null;
  /** What the firmware says it is busy with ("processing", "paused for user"), else None. */
  readonly busy: string | null;
  readonly job: JobSnapshot | null;
  readonly line: LineStatistics;
}

/** The connection, with the state in the words that OctoPrint's clients know (`text`). */
export interface ConnectionView {
  readonly state: ConnectionState;
  readonly text: string;
  readonly port: string | null;
  readonly baudrate: number | null;
  /** Why it is closed, halted or in error, where that was not asked for. */
  readonly problem: Problem | null;
}

/** The running job, or the last one, with what the file's analysis adds. */
export interface JobView {
  readonly id: string;
  readonly file: FileRef;
  readonly state: JobState;
  readonly outcome: Outcome | null;
  readonly offset: number;
  readonly line: number;
  readonly lines: number | null;
  readonly layer: number | null;
  readonly layers: number | null;
  readonly z: number | null;
  /** Percent of the file's bytes that the printer acknowledged. */
  readonly completion: number;
  readonly started: number;
  readonly elapsed: number;
  readonly remaining: number | null;
  /** Where `remaining` comes from: "analysis" (the file's estimate) or "linear" (bytes so far). */
  readonly remaining_origin: string | null;
  readonly user: string | null;
  readonly problem: Problem | null;
}

/** A printer as its clients see it. */
export interface PrinterSnapshot {
  readonly printer: string;
  readonly name: string;
  readonly time: number;
  readonly link_pid: number | null;
  readonly connection: ConnectionView;
  readonly firmware: Firmware | null;
  readonly temperatures: Temperatures | null;
  readonly position: Position | null;
  readonly busy: string | null;
  readonly line: LineStatistics;
  /** The file that `start` would print. */
  readonly selected: FileRef | null;
  readonly job: JobView | null;
}

/** A connection to the printer is being made. */
export interface PrinterConnecting {
  readonly port: string;
  readonly baudrate: number | null;
}

/** The printer answered and takes commands. */
export interface PrinterConnected {
  readonly port: string;
  readonly baudrate: number | null;
  readonly firmware: string | null;
}

/** The connection was closed on purpose, or ended after an error that was reported before. */
export interface PrinterDisconnected {
  readonly port: string;
}

/** The connection failed. `reason` is a stable code, `error` a sentence for people. */
export interface PrinterError {
  readonly error: string;
  readonly reason: string;
  readonly port: string | null;
}

/**
 * The firmware reported that it stopped itself; sending is frozen until the printer is reset.
 *
 * `kind` is one of thermal_runaway, heating_failed, maxtemp, mintemp, killed, other.
 */
export interface FirmwareAlarm {
  readonly kind: string;
  readonly line: string;
  /** The last lines of the conversation. */
  readonly log: ReadonlyArray<string>;
}

/** A job began: its first line goes out. */
export interface PrintStarted {
  readonly file: FileRef;
  readonly job: string;
  readonly user: string | null;
}

/** A job stands still and can be resumed. */
export interface PrintPaused {
  readonly file: FileRef;
  readonly job: string;
  readonly time: number;
  readonly reason: string;
  readonly position: Position | null;
}

/** A paused job goes on. */
export interface PrintResumed {
  readonly file: FileRef;
  readonly job: string;
  readonly time: number;
}

/** Every line of the file was acknowledged and the last move has ended. */
export interface PrintDone {
  readonly file: FileRef;
  readonly job: string;
  readonly time: number;
}

/**
 * A job ended before its file did, and nobody asked for it.
 *
 * `reason` is a stable code; `error` a sentence that names the place and says what can be done.
 */
export interface PrintFailed {
  readonly file: FileRef;
  readonly job: string;
  readonly time: number;
  readonly reason: string;
  readonly error: string;
  readonly offset: number;
  readonly line: number;
  readonly position: Position | null;
}

/** A job was cancelled by a person, a client or the firmware's own request. */
export interface PrintCancelled {
  readonly file: FileRef;
  readonly job: string;
  readonly time: number;
  readonly offset: number;
  readonly line: number;
  readonly reason: string;
  readonly position: Position | null;
}

/** A job passed one of the configured marks (25, 50 and 75 % by default). */
export interface PrintProgress {
  readonly file: FileRef;
  readonly job: string;
  readonly completion: number;
  readonly time: number;
  readonly time_left: number | null;
}

/** The printer acknowledged the first line of a layer. `layer` counts from 1, `z` in mm. */
export interface LayerChanged {
  readonly job: string;
  readonly layer: number;
  readonly layers: number;
  readonly z: number;
}

/**
 * The printer does not answer in the middle of a job; `since` is the Unix time of its last sign of
 * life.
 */
export interface PrinterStalled {
  readonly since: number;
}

/** The link process of the printer ended unexpectedly. A job that ran is not resumed by itself. */
export interface LinkLost {
  readonly reason: string;
  readonly job: string | null;
}

/** A file was uploaded or appeared. */
export interface FileAdded {
  readonly path: string;
  readonly origin: string;
}

/** A file was deleted or disappeared. */
export interface FileRemoved {
  readonly path: string;
  readonly origin: string;
}

/** Filament that one tool uses: mm and cm³. */
export interface FilamentUse {
  readonly length: number;
  readonly volume: number;
}

/** The analysis of a file ended; `ok` is false where it could not be read. */
export interface FileAnalysed {
  readonly path: string;
  readonly origin: string;
  readonly ok: boolean;
  readonly layers: number | null;
  readonly estimated_time: number | null;
  readonly filament: Readonly<Record<string, FilamentUse>>;
}

/** A plugin was loaded. */
export interface PluginEnabled {
  readonly plugin: string;
}

/** A plugin was unloaded, or could not be loaded (`reason` says why). */
export interface PluginDisabled {
  readonly plugin: string;
  readonly reason: string;
}

/** Settings were changed; `keys` are dotted names, never values. */
export interface SettingsChanged {
  readonly keys: ReadonlyArray<string>;
}

/** What every event travels in: journal, webhooks, push. `seq` counts the journal's entries. */
export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly printer: string | null;
  readonly seq: number;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly payload: PublicEvent;
}

/** Payload of each event, by its type. */
export interface PublicEvents {
  readonly PrinterConnecting: PrinterConnecting;
  readonly PrinterConnected: PrinterConnected;
  readonly PrinterDisconnected: PrinterDisconnected;
  readonly PrinterError: PrinterError;
  readonly FirmwareAlarm: FirmwareAlarm;
  readonly PrintStarted: PrintStarted;
  readonly PrintPaused: PrintPaused;
  readonly PrintResumed: PrintResumed;
  readonly PrintDone: PrintDone;
  readonly PrintFailed: PrintFailed;
  readonly PrintCancelled: PrintCancelled;
  readonly PrintProgress: PrintProgress;
  readonly LayerChanged: LayerChanged;
  readonly PrinterStalled: PrinterStalled;
  readonly LinkLost: LinkLost;
  readonly FileAdded: FileAdded;
  readonly FileRemoved: FileRemoved;
  readonly FileAnalysed: FileAnalysed;
  readonly PluginEnabled: PluginEnabled;
  readonly PluginDisabled: PluginDisabled;
  readonly SettingsChanged: SettingsChanged;
}

/** Payload of any event. */
export type PublicEvent = PublicEvents[keyof PublicEvents];

/** The lines of the terminal: bounded, filtered, never read back from the page. Pure functions. */

/** Three times what the host sends at first; more can't be looked through by eye anyway. */
export const MAX_LINES = 1000;

export type LineKind = "sent" | "received" | "note";

export interface TerminalLine {
  /** Counts up, so that a line keeps its identity while older ones leave. */
  readonly id: number;
  readonly kind: LineKind;
  readonly text: string;
}

export interface TerminalBuffer {
  readonly lines: readonly TerminalLine[];
  readonly next: number;
}

export const EMPTY_BUFFER: TerminalBuffer = { lines: [], next: 0 };

const PREFIXES: readonly (readonly [prefix: string, kind: LineKind])[] = [
  ["Send: ", "sent"],
  ["Recv: ", "received"],
];

/** The buffer with the lines of one push message added, and the oldest dropped. */
export function appendLogs(buffer: TerminalBuffer, logs: readonly string[]): TerminalBuffer {
  if (logs.length === 0) return buffer;
  const added = logs.map((log, index) => parseLine(log, buffer.next + index));
  return {
    lines: [...buffer.lines, ...added].slice(-MAX_LINES),
    next: buffer.next + logs.length,
  };
}

/** The buffer that a history message replaces the old one by. */
export function replaceLogs(buffer: TerminalBuffer, logs: readonly string[]): TerminalBuffer {
  return appendLogs({ lines: [], next: buffer.next }, logs);
}

function parseLine(log: string, id: number): TerminalLine {
  for (const [prefix, kind] of PREFIXES) {
    if (log.startsWith(prefix)) return { id, kind, text: log.slice(prefix.length) };
  }
  return { id, kind: "note", text: log };
}

export interface LineFilter {
  readonly id: string;
  readonly label: string;
  readonly hides: (line: TerminalLine) => boolean;
}

/** A sent line begins with its number: "N12 M105*37". */
const command = (pattern: string) => new RegExp(`^(?:N\\d+ *)?(?:${pattern})\\b`, "i");
const ASKS_TEMPERATURE = command("M105|M155");
const MOVES = command("G0|G1|G2|G3");

/** What the terminal can leave out. */
export const FILTERS: readonly LineFilter[] = [
  {
    id: "temperatures",
    label: "temperatures",
    hides: ({ kind, text }) =>
      kind === "sent" ? ASKS_TEMPERATURE.test(text) : kind === "received" && /(?:^|\s)[TB]\d?:\s*-?\d/.test(text),
  },
  {
    id: "acknowledgements",
    label: "ok, busy",
    hides: ({ kind, text }) =>
      kind === "received" && /^(?:ok(?:\s+[NPB]\d+)*|wait|(?:echo:\s*)?busy:.*)\s*$/i.test(text),
  },
  {
    id: "moves",
    label: "moves",
    hides: ({ kind, text }) => kind === "sent" && MOVES.test(text),
  },
];

/** The lines that none of the chosen filters hides. */
export function visibleLines(buffer: TerminalBuffer, hidden: ReadonlySet<string>): readonly TerminalLine[] {
  const filters = FILTERS.filter((filter) => hidden.has(filter.id));
  if (filters.length === 0) return buffer.lines;
  return buffer.lines.filter((line) => !filters.some((filter) => filter.hides(line)));
}

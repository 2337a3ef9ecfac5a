/**
 * Keeps the push connection to the host: signs in, opens, subscribes, notices silence, and comes back by itself.
 * The only user of a transport. What may follow what stands in `states.ts`.
 */
import { ApiError } from "../api/client";
import type { Session } from "../api/session";
import { backoff } from "../util/backoff";
import { nextState } from "./states";
import type { SocketEvent, SocketState } from "./states";
import type { OpenTransport, Transport } from "./transport";

/** Heartbeats come every 25 s and messages at least every 30: longer silence means that the way is broken. */
export const SILENCE_MS = 40_000;

/** SockJS tries its transports one after the other; all of them together get this long. */
export const OPENING_MS = 20_000;

/** A host that refuses us is asked again at this pace, in case somebody signs in elsewhere. */
export const REFUSED_RETRY_MS = 30_000;

export interface SocketStatus {
  readonly state: SocketState;
  /** When the next try begins (ms, as of Date.now), while waiting. */
  readonly retryAt: number | null;
  /** Why the host refused us or could not be reached, else empty. */
  readonly problem: string;
}

export interface SocketOptions {
  readonly url: string;
  readonly open: OpenTransport;
  readonly signIn: () => Promise<Session>;
  readonly onStatus: (status: SocketStatus) => void;
  /** Each message of the host, by its single key. */
  readonly onMessage: (kind: string, payload: unknown) => void;
  readonly random?: () => number;
}

export class HostSocket {
  private state: SocketState = "stopped";
  private problem = "";
  private retryAt: number | null = null;
  private transport: Transport | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private lastSign = 0;
  private logs = false;
  /** Counts the tries, so that a late answer to an earlier one changes nothing. */
  private round = 0;

  constructor(private readonly options: SocketOptions) {}

  start(): void {
    if (this.state === "stopped") this.on("start");
  }

  stop(): void {
    if (this.state !== "stopped") this.on("stop");
  }

  /** Tries at once instead of waiting: the network came back, or somebody asks for it. */
  retry(): void {
    if (this.state === "waiting" || this.state === "refused") this.on("retry");
  }

  /** The page can be seen again: timers may have slept, so silence is measured now. */
  wake(): void {
    if (this.state === "live" && Date.now() - this.lastSign > SILENCE_MS) this.on("lost");
    this.retry();
  }

  /** Whether the printer's terminal lines are wanted. */
  wantLogs(wanted: boolean): void {
    if (this.logs === wanted) return;
    this.logs = wanted;
    if (this.state === "live" || this.state === "syncing") this.subscribe();
  }

  private on(event: SocketEvent): void {
    this.state = nextState(this.state, event);
    this.round += 1;
    clearTimeout(this.timer);
    this.retryAt = null;
    this.enter[this.state]?.();
    this.options.onStatus({ state: this.state, retryAt: this.retryAt, problem: this.problem });
  }

  /** What is done on entering a state. */
  private readonly enter: Partial<Record<SocketState, () => void>> = {
    stopped: () => this.dropTransport(),
    "signing-in": () => {
      this.dropTransport();
      void this.signIn(this.round);
    },
    syncing: () => this.watchSilence(OPENING_MS),
    live: () => {
      this.attempt = 0;
      this.problem = "";
      this.watchSilence(SILENCE_MS);
    },
    waiting: () => {
      this.dropTransport();
      this.retryAfter(backoff(this.attempt, (this.options.random ?? Math.random)()));
      this.attempt += 1;
    },
    refused: () => this.retryAfter(REFUSED_RETRY_MS),
  };

  private async signIn(round: number): Promise<void> {
    try {
      const session = await this.options.signIn();
      if (round === this.round) this.openTransport(session);
    } catch (error) {
      if (round !== this.round) return;
      this.problem = error instanceof Error ? error.message : String(error);
      this.on(error instanceof ApiError && error.status === 403 ? "denied" : "failed");
    }
  }

  private openTransport({ name, session }: Session): void {
    this.on("accepted");
    this.watchSilence(OPENING_MS);
    let current: Transport | null = null;
    const mine = () => current !== null && this.transport === current;
    current = this.options.open(this.options.url, {
      opened: () => {
        if (!mine()) return;
        this.on("opened");
        if (session) this.say({ auth: `${name ?? ""}:${session}` });
        this.subscribe();
      },
      received: (data) => {
        if (mine()) this.receive(data);
      },
      heartbeat: () => {
        if (mine()) this.sign();
      },
      closed: () => {
        if (mine()) this.on("lost");
      },
    });
    this.transport = current;
  }

  private receive(data: unknown): void {
    const message = parse(data);
    if (message === null) return;
    this.sign();
    for (const [kind, payload] of Object.entries(message)) {
      if (kind === "reauthRequired") {
        this.on("expired");
        return;
      }
      if (this.state === "syncing" && (kind === "snapshot" || kind === "history")) this.on("synced");
      this.options.onMessage(kind, payload);
    }
  }

  private sign(): void {
    this.lastSign = Date.now();
    if (this.state === "live") this.watchSilence(SILENCE_MS);
  }

  private watchSilence(limit: number): void {
    this.lastSign = Date.now();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.on("lost"), limit);
  }

  private retryAfter(delay: number): void {
    this.retryAt = Date.now() + delay;
    this.timer = setTimeout(() => this.on("retry"), delay);
  }

  private subscribe(): void {
    const state = { logs: this.logs, messages: false };
    this.say({ subscribe: { state, events: true, plugins: true, snapshot: true } });
  }

  private say(message: object): void {
    this.transport?.send(JSON.stringify(message));
  }

  private dropTransport(): void {
    const transport = this.transport;
    this.transport = null;
    transport?.close();
  }
}

function parse(data: unknown): object | null {
  try {
    const message: unknown = typeof data === "string" ? JSON.parse(data) : data;
    return typeof message === "object" ? message : null;
  } catch {
    return null; // The host sends JSON only; anything else is not for us.
  }
}

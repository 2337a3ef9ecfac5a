import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { Session } from "../api/session";
import { HostSocket, OPENING_MS, REFUSED_RETRY_MS, SILENCE_MS } from "./socket";
import type { SocketStatus } from "./socket";
import type { TransportHandlers } from "./transport";

/** A transport that the test plays the host of. */
class FakeHost {
  readonly sent: unknown[] = [];
  readonly opens: TransportHandlers[] = [];
  closes = 0;
  signIn: () => Promise<Session> = () => Promise.resolve({ name: "local", session: "s3" });

  readonly statuses: SocketStatus[] = [];
  readonly messages: [string, unknown][] = [];
  readonly socket = new HostSocket({
    url: "http://host/sockjs",
    open: (_url, handlers) => {
      this.opens.push(handlers);
      return { send: (text) => this.sent.push(JSON.parse(text)), close: () => (this.closes += 1) };
    },
    signIn: () => this.signIn(),
    onStatus: (status) => this.statuses.push(status),
    onMessage: (kind, payload) => this.messages.push([kind, payload]),
    random: () => 0,
  });

  get state() {
    return this.statuses.at(-1)?.state;
  }

  get line(): TransportHandlers {
    return this.opens.at(-1) as TransportHandlers;
  }

  async goLive(): Promise<void> {
    this.socket.start();
    await vi.advanceTimersByTimeAsync(0);
    this.line.opened();
    this.line.received({ snapshot: { printer: "default" } });
  }
}

let host: FakeHost;
beforeEach(() => {
  vi.useFakeTimers();
  host = new FakeHost();
});
afterEach(() => {
  host.socket.stop();
  vi.useRealTimers();
});

describe("the connection to the host", () => {
  it("signs in, authenticates, subscribes, and is live with the first state", async () => {
    await host.goLive();
    expect(host.statuses.map(({ state }) => state)).toEqual(["signing-in", "opening", "syncing", "live"]);
    expect(host.sent).toEqual([
      { auth: "local:s3" },
      { subscribe: { state: { logs: false, messages: false }, events: true, plugins: true, snapshot: true } },
    ]);
    expect(host.messages).toEqual([["snapshot", { printer: "default" }]]);
  });

  it("reads messages as JSON text too, and passes over what is neither", async () => {
    await host.goLive();
    host.line.received('{"event":{"type":"FileAdded"}}');
    host.line.received("no JSON");
    host.line.received(null);
    expect(host.messages.slice(1)).toEqual([["event", { type: "FileAdded" }]]);
    expect(host.state).toBe("live");
  });

  it("comes back by itself after a loss, and signs in anew", async () => {
    await host.goLive();
    host.line.closed();
    expect(host.state).toBe("waiting");
    expect(host.statuses.at(-1)?.retryAt).toBe(Date.now() + 500);
    await vi.advanceTimersByTimeAsync(500);
    expect(host.opens.length).toBe(2);
    host.line.opened();
    host.line.received({ history: {} });
    expect(host.state).toBe("live");
  });

  it("waits longer after each failure, and starts over after a success", async () => {
    host.signIn = () => Promise.reject(new ApiError("No answer.", 0));
    host.socket.start();
    const delays: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      await vi.advanceTimersByTimeAsync(0);
      const wait = (host.statuses.at(-1)?.retryAt ?? 0) - Date.now();
      delays.push(wait);
      await vi.advanceTimersByTimeAsync(wait);
    }
    expect(delays).toEqual([500, 1000, 2000, 4000]);
    expect(host.statuses.at(-1)?.problem).toBe("No answer.");
    host.signIn = () => Promise.resolve({ name: "local", session: "s4" });
    await vi.advanceTimersByTimeAsync(8000);
    host.line.opened();
    host.line.received({ snapshot: {} });
    expect(host.statuses.at(-1)).toEqual({ state: "live", retryAt: null, problem: "" });
    host.line.closed();
    expect(host.statuses.at(-1)?.retryAt).toBe(Date.now() + 500);
  });

  it("takes silence for a loss, but not heartbeats", async () => {
    await host.goLive();
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
    host.line.heartbeat();
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
    expect(host.state).toBe("live");
    await vi.advanceTimersByTimeAsync(1);
    expect(host.state).toBe("waiting");
    expect(host.closes).toBe(1);
  });

  it("gives up a socket that never opens, or never brings a state", async () => {
    host.socket.start();
    await vi.advanceTimersByTimeAsync(OPENING_MS);
    expect(host.state).toBe("waiting");
    await vi.advanceTimersByTimeAsync(500);
    host.line.opened();
    await vi.advanceTimersByTimeAsync(OPENING_MS);
    expect(host.state).toBe("waiting");
  });

  it("ignores what a dropped socket still says", async () => {
    await host.goLive();
    const old = host.line;
    old.closed();
    const before = host.messages.length;
    old.received({ snapshot: {} });
    old.closed();
    old.opened();
    expect(host.messages.length).toBe(before);
    expect(host.state).toBe("waiting");
  });

  it("signs in again when its session has ended", async () => {
    await host.goLive();
    host.line.received({ reauthRequired: { reason: "stale" } });
    expect(host.state).toBe("signing-in");
    await vi.advanceTimersByTimeAsync(0);
    expect(host.state).toBe("opening");
  });

  it("asks rarely where it is refused, and at once when told to", async () => {
    host.signIn = () => Promise.reject(new ApiError("Please sign in.", 403));
    host.socket.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(host.statuses.at(-1)).toMatchObject({ state: "refused", problem: "Please sign in." });
    await vi.advanceTimersByTimeAsync(REFUSED_RETRY_MS - 1);
    expect(host.state).toBe("refused");
    host.socket.retry();
    expect(host.state).toBe("signing-in");
  });

  it("notices on waking that it slept through the loss", async () => {
    await host.goLive();
    vi.setSystemTime(Date.now() + SILENCE_MS + 1);
    host.socket.wake();
    expect(host.state).toBe("signing-in");
  });

  it("asks for terminal lines only while they are wanted, also after coming back", async () => {
    await host.goLive();
    host.socket.wantLogs(true);
    host.socket.wantLogs(true);
    expect(host.sent.length).toBe(3);
    expect(host.sent.at(-1)).toMatchObject({ subscribe: { state: { logs: true } } });
    host.line.closed();
    await vi.advanceTimersByTimeAsync(500);
    host.line.opened();
    expect(host.sent.at(-1)).toMatchObject({ subscribe: { state: { logs: true } } });
  });

  it("does nothing more once it is stopped", async () => {
    await host.goLive();
    host.socket.stop();
    await vi.advanceTimersByTimeAsync(SILENCE_MS * 2);
    expect(host.state).toBe("stopped");
    expect(host.opens.length).toBe(1);
  });
});

/**
 * The states of the push connection. All transitions are in this table; an event that a state does not list is a bug
 * and throws. The file knows no socket and no clock; `socket.ts` acts on the states.
 *
 * stopped      not wanted
 * signing-in   asks the host who we are
 * opening      the socket is being opened
 * syncing      open; the first full state is awaited
 * live         what the page shows is current
 * waiting      lost; tries again after a while
 * refused      the host does not want us; tries again rarely, or when asked to
 */

export type SocketState = "stopped" | "signing-in" | "opening" | "syncing" | "live" | "waiting" | "refused";

export type SocketEvent =
  | "start"
  | "stop"
  | "accepted"
  | "denied"
  | "failed"
  | "opened"
  | "synced"
  | "lost"
  | "expired"
  | "retry";

export const TRANSITIONS: Readonly<Record<SocketState, Partial<Record<SocketEvent, SocketState>>>> = {
  stopped: { start: "signing-in" },
  "signing-in": { accepted: "opening", denied: "refused", failed: "waiting", stop: "stopped" },
  opening: { opened: "syncing", lost: "waiting", stop: "stopped" },
  syncing: { synced: "live", lost: "waiting", expired: "signing-in", stop: "stopped" },
  live: { lost: "waiting", expired: "signing-in", stop: "stopped" },
  waiting: { retry: "signing-in", stop: "stopped" },
  refused: { retry: "signing-in", stop: "stopped" },
};

export function nextState(state: SocketState, event: SocketEvent): SocketState {
  const next = TRANSITIONS[state][event];
  if (next === undefined) throw new Error(`a connection that is ${state} has no event "${event}"`);
  return next;
}

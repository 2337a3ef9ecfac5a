import type { Client } from "./client";

/** Who this browser is to the host; `session` opens the push socket. */
export interface Session {
  readonly name: string | null;
  readonly session?: string;
}

/** Asks who we are, without a password. */
export function signInPassively(client: Client): Promise<Session> {
  return client.post<Session>("api/login", { passive: true });
}

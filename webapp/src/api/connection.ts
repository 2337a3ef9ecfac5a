import type { Client } from "./client";

/** What can be connected to. `*Preference` is what was chosen last. */
export interface ConnectionOptions {
  readonly ports: readonly string[];
  readonly baudrates: readonly number[];
  /** What to call the ports. */
  readonly portLabels?: readonly { readonly name: string; readonly label: string }[];
  readonly portPreference: string | null;
  readonly baudratePreference: number | null;
}

/** `port` "AUTO" and `baudrate` 0 let the host find out. */
export interface ConnectionChoice {
  readonly port: string;
  readonly baudrate: number;
}

export async function fetchConnectionOptions(client: Client): Promise<ConnectionOptions> {
  return (await client.get<{ options: ConnectionOptions }>("api/connection")).options;
}

export function connect(client: Client, choice: ConnectionChoice): Promise<void> {
  return client.post("api/connection", { command: "connect", ...choice });
}

export function disconnect(client: Client): Promise<void> {
  return client.post("api/connection", { command: "disconnect" });
}

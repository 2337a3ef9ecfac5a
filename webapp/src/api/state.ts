import type { PrinterSnapshot } from "../generated/messages";
import type { Client } from "./client";

export function fetchState(client: Client): Promise<PrinterSnapshot> {
  return client.get<PrinterSnapshot>("api/state");
}

import type { Client } from "./client";

/** Prints the selected file. */
export function startJob(client: Client): Promise<void> {
  return client.post("api/job", { command: "start" });
}

export function cancelJob(client: Client): Promise<void> {
  return client.post("api/job", { command: "cancel" });
}

export function pauseJob(client: Client): Promise<void> {
  return client.post("api/job", { command: "pause", action: "pause" });
}

export function resumeJob(client: Client): Promise<void> {
  return client.post("api/job", { command: "pause", action: "resume" });
}

import type { Client } from "./client";

export type Axis = "x" | "y" | "z";

/** An emergency stop that takes longer than this did not work: the person has to be told. */
const STOP_TIMEOUT_MS = 3000;

/** Sets the target of a heater (`tool0`, `bed`, ...) in °C; 0 turns it off. */
export function setTarget(client: Client, heater: string, target: number): Promise<void> {
  if (heater.startsWith("tool")) {
    return client.post("api/printer/tool", { command: "target", targets: { [heater]: target } });
  }
  return client.post(`api/printer/${heater}`, { command: "target", target });
}

/** Pushes filament through the active nozzle, in mm; a negative amount pulls it back. */
export function extrude(client: Client, amount: number): Promise<void> {
  return client.post("api/printer/tool", { command: "extrude", amount });
}

/** Moves one axis by a distance in mm. */
export function jog(client: Client, axis: Axis, distance: number): Promise<void> {
  return client.post("api/printer/printhead", { command: "jog", [axis]: distance });
}

export function home(client: Client, axes: readonly Axis[]): Promise<void> {
  return client.post("api/printer/printhead", { command: "home", axes });
}

export function sendCommands(client: Client, commands: readonly string[]): Promise<void> {
  return client.post("api/printer/command", { commands });
}

/** M114: the answer brings the position into the snapshot. No firmware tells of its own accord where a move ends. */
export function askPosition(client: Client): Promise<void> {
  return sendCommands(client, ["M114"]);
}

/** M112: the firmware stops itself at once and has to be reset. Jumps every queue. */
export function emergencyStop(client: Client): Promise<void> {
  return client.post("api/printer/command", { command: "M112" }, STOP_TIMEOUT_MS);
}

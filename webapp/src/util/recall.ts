/**
 * The entry of `history` (oldest first) that an arrow key leads to. `place` counts back from the end: 0 is the
 * line being typed, 1 the newest entry.
 */
export function recall(history: readonly string[], place: number, step: 1 | -1): { place: number; text: string } {
  const next = Math.min(history.length, Math.max(0, place + step));
  return { place: next, text: next === 0 ? "" : (history[history.length - next] ?? "") };
}

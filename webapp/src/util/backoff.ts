/** The first retry is almost at once (a hiccup), the last ones every 15 s: a host that boots needs about 20. */
const DELAYS = [500, 1000, 2000, 4000, 8000, 15000] as const;

/**
 * Milliseconds to wait before retry number `attempt` (from 0). `random` in [0, 1) spreads the clients of one host
 * by up to a fifth, so that they don't all return in the same instant.
 */
export function backoff(attempt: number, random: number): number {
  const base = DELAYS[Math.min(attempt, DELAYS.length - 1)] as number;
  return Math.round(base * (1 + random / 5));
}

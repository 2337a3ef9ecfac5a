/**
 * Progress in whole percent, rounded down: nothing is called finished before it is, and nothing that goes on
 * reads 100 %.
 */
export function formatPercent(completion: number): string {
  return `${Math.floor(Math.min(100, Math.max(0, completion)))} %`;
}

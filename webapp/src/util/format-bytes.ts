const UNITS = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** A size with the unit that leaves at most three digits: "812 bytes", "1.4 MB", "38 GB". */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

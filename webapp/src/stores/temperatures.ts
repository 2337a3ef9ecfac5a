/** The temperature curves: one column of times, two columns (actual, target) for each heater. Pure functions. */

/** As long as the host keeps them. */
export const WINDOW_SECONDS = 30 * 60;

/** A longer pause between two reports is drawn as a gap, not as a straight line. Reports come every 1 to 5 s. */
const GAP_SECONDS = 20;

type Column = readonly (number | null)[];

export interface HeaterCurve {
  readonly actual: Column;
  readonly target: Column;
}

export interface TemperatureSeries {
  readonly times: readonly number[];
  readonly heaters: Readonly<Record<string, HeaterCurve>>;
}

interface Reading {
  readonly actual: number | null;
  readonly target: number | null;
}

/** One report as the push socket brings it: a time, and a reading for each heater. */
export type TemperaturePoint = { readonly time: number } & Readonly<Record<string, Reading | number>>;

export const EMPTY_SERIES: TemperatureSeries = { times: [], heaters: {} };

/** The series with newer points added and those that left the window removed. Points that are not newer are known. */
export function appendPoints(series: TemperatureSeries, points: readonly TemperaturePoint[]): TemperatureSeries {
  let last = series.times.at(-1) ?? -Infinity;
  const fresh: TemperaturePoint[] = [];
  for (const point of points) {
    if (point.time <= last) continue;
    if (point.time - last > GAP_SECONDS && last !== -Infinity) fresh.push({ time: last + 1 });
    fresh.push(point);
    last = point.time;
  }
  if (fresh.length === 0) return series;

  const oldest = last - WINDOW_SECONDS;
  const times = [...series.times, ...fresh.map((point) => point.time)];
  const from = times.findIndex((time) => time >= oldest);
  const heaters: Record<string, HeaterCurve> = {};
  for (const name of heaterNames(series, fresh)) {
    heaters[name] = {
      actual: column(series, fresh, name, "actual").slice(from),
      target: column(series, fresh, name, "target").slice(from),
    };
  }
  return { times: times.slice(from), heaters };
}

/** The series of a history message, which replaces whatever was there. */
export function seriesOf(points: readonly TemperaturePoint[]): TemperatureSeries {
  return appendPoints(EMPTY_SERIES, points);
}

function heaterNames(series: TemperatureSeries, points: readonly TemperaturePoint[]): string[] {
  const names = new Set(Object.keys(series.heaters));
  for (const point of points) {
    for (const [name, reading] of Object.entries(point)) {
      if (typeof reading === "object" && reading !== null && reading.actual !== null) names.add(name);
    }
  }
  return [...names].sort(byHeater);
}

function column(
  series: TemperatureSeries,
  points: readonly TemperaturePoint[],
  name: string,
  kind: keyof Reading,
): (number | null)[] {
  const known = series.heaters[name]?.[kind] ?? series.times.map(() => null);
  const added = points.map((point) => {
    const reading = point[name];
    return typeof reading === "object" ? (reading[kind] ?? null) : null;
  });
  return [...known, ...added];
}

/** Nozzles first, then the bed, then everything else by name. */
export function byHeater(a: string, b: string): number {
  return rank(a) - rank(b) || a.localeCompare(b, "en", { numeric: true });
}

function rank(heater: string): number {
  if (heater.startsWith("tool")) return 0;
  return heater === "bed" ? 1 : 2;
}

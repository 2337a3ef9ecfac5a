import { describe, expect, it } from "vitest";
import { appendPoints, byHeater, EMPTY_SERIES, seriesOf, WINDOW_SECONDS } from "./temperatures";
import type { TemperaturePoint } from "./temperatures";

function point(time: number, tool: number, bed: number | null = 50): TemperaturePoint {
  return { time, tool0: { actual: tool, target: 210 }, bed: { actual: bed, target: 60 } };
}

describe("the temperature series", () => {
  it("keeps one column for each heater, nozzles first", () => {
    const series = seriesOf([point(10, 20), point(12, 21)]);
    expect(series.times).toEqual([10, 12]);
    expect(Object.keys(series.heaters)).toEqual(["tool0", "bed"]);
    expect(series.heaters["tool0"]).toEqual({ actual: [20, 21], target: [210, 210] });
  });

  it("ignores points that it has already", () => {
    const series = seriesOf([point(10, 20), point(12, 21)]);
    expect(appendPoints(series, [point(10, 99), point(12, 99)])).toBe(series);
    expect(appendPoints(series, [point(12, 99), point(14, 22)]).times).toEqual([10, 12, 14]);
  });

  it("leaves out heaters that never report", () => {
    expect(Object.keys(seriesOf([point(10, 20, null)]).heaters)).toEqual(["tool0"]);
  });

  it("fills the past of a heater that appears later", () => {
    const series = appendPoints(seriesOf([point(10, 20, null)]), [point(12, 21)]);
    expect(series.heaters["bed"]?.actual).toEqual([null, 50]);
  });

  it("breaks the line where reports were missing", () => {
    const series = seriesOf([point(10, 20), point(100, 30)]);
    expect(series.times).toEqual([10, 11, 100]);
    expect(series.heaters["tool0"]?.actual).toEqual([20, null, 30]);
  });

  it("stays within its window however long it runs", () => {
    let series = EMPTY_SERIES;
    for (let time = 0; time < 3 * WINDOW_SECONDS; time += 2) series = appendPoints(series, [point(time, 20)]);
    expect(series.times.length).toBe(WINDOW_SECONDS / 2 + 1);
    expect(series.heaters["bed"]?.target.length).toBe(series.times.length);
  });
});

it("sorts heaters as people expect them", () => {
  expect(["chamber", "bed", "tool10", "tool2"].sort(byHeater)).toEqual(["tool2", "tool10", "bed", "chamber"]);
});

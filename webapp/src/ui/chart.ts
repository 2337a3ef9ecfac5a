import { css, html, LitElement, unsafeCSS } from "lit";
import type { PropertyValues } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import uPlot from "uplot";
import plotStyles from "uplot/dist/uPlot.min.css?inline";
import { sharedStyles } from "./styles";
import { THEME_CHANGED } from "./theme";

export interface ChartLine {
  readonly label: string;
  /** Name of the custom property that holds its colour. */
  readonly colour: string;
  readonly dashed: boolean;
  readonly values: readonly (number | null)[];
}

export interface ChartData {
  /** Unix seconds, rising. */
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
}

const HEIGHT = 200;
const MINIMUM_TOP = 60;

/** Lines over the time of day, in the colours of the theme, as wide as its place. */
@customElement("bp-chart")
export class Chart extends LitElement {
  @property({ attribute: false }) data: ChartData = { times: [], lines: [] };
  /** Shown span in seconds, up to the newest point. */
  @property({ type: Number }) span = 600;
  @query(".plot") private readonly place!: HTMLElement;
  private plot: uPlot | null = null;
  /** What the plot was made for; other lines need a new one. */
  private madeFor = "";
  private readonly sizes = new ResizeObserver(() => this.resize());
  private readonly themeChanged = () => this.rebuild();

  static override styles = [
    unsafeCSS(plotStyles),
    sharedStyles,
    css`
      .plot {
        height: ${HEIGHT}px;
        overflow: hidden;
      }
      .u-wrap {
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  override render() {
    return html`<div class="plot"></div>`;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener(THEME_CHANGED, this.themeChanged);
    if (this.hasUpdated) this.rebuild();
    this.sizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener(THEME_CHANGED, this.themeChanged);
    this.sizes.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  protected override updated(changes: PropertyValues<this>): void {
    const key = JSON.stringify(this.data.lines.map(({ label, colour }) => [label, colour]));
    if (this.plot === null || key !== this.madeFor) {
      this.madeFor = key;
      this.rebuild();
    } else if (changes.has("data") || changes.has("span")) {
      this.plot.setData(this.columns());
    }
  }

  private resize(): void {
    const width = this.clientWidth;
    if (width === 0) return;
    if (this.plot === null) this.rebuild();
    else if (this.plot.width !== width) this.plot.setSize({ width, height: HEIGHT });
  }

  private columns(): uPlot.AlignedData {
    return [this.data.times, ...this.data.lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  }

  private rebuild(): void {
    if (!this.isConnected || !this.hasUpdated || this.clientWidth === 0) return;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(), this.columns(), this.place);
  }

  private options(): uPlot.Options {
    const style = getComputedStyle(this);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis: uPlot.Axis = {
      stroke: colour("--ink-soft"),
      font: `12px ${style.fontFamily}`,
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
    };
    return {
      width: this.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 8, 0, 0],
      scales: {
        x: { time: true, range: (_plot, _min, max) => [(max ?? 0) - this.span, max ?? 0] },
        y: { range: (_plot, _min, max) => [0, Math.max(MINIMUM_TOP, (max ?? 0) * 1.08)] },
      },
      axes: [
        { ...axis, size: 28, space: 70, values: (_plot, ticks) => ticks.map(timeOfDay) },
        { ...axis, size: 44, space: 36, values: (_plot, ticks) => ticks.map((tick) => `${tick}°`) },
      ],
      series: [
        {},
        ...this.data.lines.map(
          ({ label, colour: name, dashed }): uPlot.Series => ({
            label,
            stroke: colour(name),
            width: dashed ? 1.25 : 2,
            ...(dashed ? { dash: [6, 5] } : {}),
            points: { show: false },
          }),
        ),
      ],
    };
  }
}

function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-chart": Chart;
  }
}

import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { setTarget } from "../api/printer";
import type { HeaterReading } from "../generated/messages";
import { byHeater } from "../stores/temperatures";
import type { TemperatureSeries } from "../stores/temperatures";
import { button } from "../ui/button";
import "../ui/card";
import "../ui/chart";
import type { ChartData } from "../ui/chart";
import { sharedStyles } from "../ui/styles";
import { formatTemperature } from "../util/format-temperature";
import { heaterName } from "../util/heater-name";
import { parseNumber } from "../util/parse-number";
import type { PanelHost } from "./contract";
import { Panel } from "./panel";

interface Preset {
  readonly name: string;
  readonly tool: number;
  readonly bed: number;
}

/** Usual temperatures of the common materials, in °C. */
const PRESETS: readonly Preset[] = [
  { name: "PLA", tool: 210, bed: 60 },
  { name: "PETG", tool: 240, bed: 80 },
  { name: "ABS", tool: 245, bed: 100 },
];
const OFF: Preset = { name: "Off", tool: 0, bed: 0 };

/** No heater of such a printer goes further; the firmware knows its own, lower limit. */
const HIGHEST_TARGET = 500;

const SPANS = [10, 20, 30] as const;
const COLOURS = 4;

/** Temperatures now and over time, and their targets. */
@customElement("bp-temperature-panel")
export class TemperaturePanel extends Panel {
  @state() private minutes: (typeof SPANS)[number] = 10;
  /** What is being typed, by heater. */
  @state() private drafts: Readonly<Record<string, string>> = {};

  static override styles = [
    sharedStyles,
    css`
      .heaters {
        display: grid;
        gap: var(--space-2);
      }
      form {
        display: grid;
        grid-template-columns: auto minmax(4rem, 1fr) auto auto auto;
        align-items: center;
        gap: var(--space-1) var(--space-2);
      }
      .swatch {
        width: 0.75rem;
        height: 0.75rem;
        border-radius: 50%;
        background: var(--colour);
      }
      .colour-1 {
        --colour: var(--heater-1);
      }
      .colour-2 {
        --colour: var(--heater-2);
      }
      .colour-3 {
        --colour: var(--heater-3);
      }
      .colour-4 {
        --colour: var(--heater-4);
      }
      .actual {
        font-size: var(--text-large);
        font-weight: 650;
        text-align: right;
      }
      .actual small {
        font-weight: 400;
        color: var(--ink-soft);
      }
      .target {
        position: relative;
        display: block;
      }
      .target input {
        width: 6.25rem;
        padding-right: 2rem;
        text-align: right;
      }
      .presets {
        display: grid;
        grid-template-columns: repeat(4, minmax(0, 1fr));
        gap: var(--space-2);
      }
      .presets .button {
        padding: var(--space-1);
      }
      .wait {
        display: grid;
        place-items: center;
        height: 200px;
      }
      .spans {
        display: flex;
        align-items: center;
        gap: var(--space-1);
        margin-right: var(--space-2);
      }
      @media (max-width: 379px) {
        .spans {
          margin-right: 0;
        }
        .spans .soft {
          display: none;
        }
      }
      .spans .button {
        padding: 0 var(--space-2);
        min-width: 2.75rem;
      }
    `,
  ];

  protected override watched(host: PanelHost) {
    return [host.temperatures];
  }

  override render() {
    const series = this.host.temperatures.value;
    return html`<bp-card heading="Temperatures" icon="temperature">
      <div slot="actions" class="spans" role="group" aria-label="Shown time">
        ${SPANS.map((minutes) =>
          button({
            label: String(minutes),
            kind: "plain small",
            title: `Show ${minutes} minutes`,
            pressed: this.minutes === minutes,
            onPress: () => (this.minutes = minutes),
          }),
        )}
        <span class="soft small">min</span>
      </div>
      <div class="stack">
        ${series.times.length === 0
          ? html`<p class="wait soft">${this.why("heat") || "Waiting for the first report…"}</p>`
          : html`<bp-chart
              class="value"
              role="img"
              aria-label=${`Temperatures of the last ${this.minutes} minutes`}
              .data=${chartData(series)}
              .span=${this.minutes * 60}
            ></bp-chart>`}
        ${this.renderHeaters()}
        <div class="presets" role="group" aria-label="Preheat">${[...PRESETS, OFF].map(this.renderPreset)}</div>
      </div>
    </bp-card>`;
  }

  private renderHeaters() {
    const heaters = this.heaters();
    if (heaters.length === 0) return nothing;
    const tools = heaters.filter(([name]) => name.startsWith("tool")).length;
    return html`<div class="heaters">
      ${heaters.map(([heater, reading], index) => this.renderHeater(heater, reading, index, tools))}
    </div>`;
  }

  private renderHeater(heater: string, { actual, target }: HeaterReading, index: number, tools: number) {
    const name = heaterName(heater, tools);
    const draft = this.drafts[heater];
    const bad = draft !== undefined && !isTarget(draft);
    return html`<form @submit=${(event: Event) => this.submitTarget(event, heater)}>
      <span class="swatch colour-${(index % COLOURS) + 1}"></span>
      <span>${name}</span>
      <span class="actual number value">
        ${formatTemperature(actual)} <small>°C</small>
        <span class="hidden-text">target ${formatTemperature(target)} °C</span>
      </span>
      <span class="target unit" data-unit="°C">
        <input
          class="number"
          inputmode="decimal"
          autocomplete="off"
          enterkeyhint="done"
          aria-label="Target of ${name.toLowerCase()} in °C"
          aria-invalid=${bad ? "true" : "false"}
          title=${bad ? `A number from 0 to ${HIGHEST_TARGET}` : nothing}
          .value=${draft ?? (target === null ? "" : formatTemperature(target))}
          @input=${(event: InputEvent) => this.type(heater, (event.target as HTMLInputElement).value)}
          @focus=${(event: Event) => (event.target as HTMLInputElement).select()}
          @keydown=${(event: KeyboardEvent) => event.key === "Escape" && this.forget(heater)}
        />
      </span>
      ${button({
        label: "Set",
        type: "submit",
        kind: draft === undefined ? "" : "primary",
        reason: this.why("heat") || (bad ? `Type a number from 0 to ${HIGHEST_TARGET}.` : ""),
        busy: this.isPending(heater),
        title: `Set the target of ${name.toLowerCase()}`,
      })}
    </form>`;
  }

  private readonly renderPreset = (preset: Preset) => {
    const isOff = preset === OFF;
    return button({
      label: isOff ? "All off" : preset.name,
      detail: isOff ? "0 °C" : `${preset.tool} / ${preset.bed}`,
      title: isOff ? "Turn every heater off" : `Nozzle ${preset.tool} °C, bed ${preset.bed} °C`,
      reason: this.why("preheat"),
      busy: this.isPending(preset.name),
      onPress: () => void this.run(preset.name, () => this.preheat(preset)),
    });
  };

  private heaters(): [string, HeaterReading][] {
    const heaters = Object.entries(this.situation.snapshot?.temperatures?.heaters ?? {});
    return heaters.filter(([, { actual }]) => actual !== null).sort(([a], [b]) => byHeater(a, b));
  }

  /** A preset knows the first nozzle and the bed; off means every heater. */
  private async preheat(preset: Preset): Promise<void> {
    for (const [heater] of this.heaters()) {
      if (preset === OFF) await setTarget(this.host.client, heater, 0);
      else if (heater === "tool0") await setTarget(this.host.client, heater, preset.tool);
      else if (heater === "bed") await setTarget(this.host.client, heater, preset.bed);
    }
    this.drafts = {};
  }

  private type(heater: string, text: string): void {
    this.drafts = { ...this.drafts, [heater]: text };
  }

  private forget(heater: string): void {
    const { [heater]: _forgotten, ...others } = this.drafts;
    this.drafts = others;
  }

  private async submitTarget(event: Event, heater: string): Promise<void> {
    event.preventDefault();
    const draft = this.drafts[heater];
    if (draft === undefined || !isTarget(draft) || this.why("heat") !== "") return;
    const done = await this.run(heater, () => setTarget(this.host.client, heater, parseNumber(draft) ?? 0));
    if (done) this.forget(heater);
  }
}

function isTarget(text: string): boolean {
  const value = parseNumber(text);
  return value !== null && value >= 0 && value <= HIGHEST_TARGET;
}

function chartData({ times, heaters }: TemperatureSeries): ChartData {
  const entries = Object.entries(heaters);
  const lines = entries.flatMap(([heater, { actual, target }], index) => {
    const colour = `--heater-${(index % COLOURS) + 1}`;
    const name = heaterName(heater);
    return [
      { label: name, colour, dashed: false, values: actual },
      { label: `${name} target`, colour, dashed: true, values: target.map((value) => value || null) },
    ];
  });
  return { times, lines };
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-temperature-panel": TemperaturePanel;
  }
}

import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { askPosition, extrude, home, jog, sendCommands } from "../api/printer";
import type { Axis } from "../api/printer";
import { button } from "../ui/button";
import "../ui/card";
import type { IconName } from "../ui/icons";
import { message } from "../ui/message";
import { sharedStyles } from "../ui/styles";
import { parseNumber } from "../util/parse-number";
import { Panel } from "./panel";

/** Distances of one press, in mm. */
const STEPS = [0.1, 1, 10, 50] as const;
const ALL_AXES: readonly Axis[] = ["x", "y", "z"];

/** As much filament as a hotend holds a few times over; more in one go is a slip of the finger, in mm. */
const LONGEST_EXTRUSION = 150;

interface Arrow {
  readonly place: string;
  readonly icon: IconName;
  readonly axis: Axis;
  readonly sign: 1 | -1;
  readonly text: string;
}

const ARROWS: readonly Arrow[] = [
  { place: "back", icon: "up", axis: "y", sign: 1, text: "Y +" },
  { place: "left", icon: "left", axis: "x", sign: -1, text: "X −" },
  { place: "right", icon: "right", axis: "x", sign: 1, text: "X +" },
  { place: "front", icon: "down", axis: "y", sign: -1, text: "Y −" },
  { place: "raise", icon: "up", axis: "z", sign: 1, text: "Z +" },
  { place: "lower", icon: "down", axis: "z", sign: -1, text: "Z −" },
];

interface Home {
  readonly place: string;
  readonly axes: readonly Axis[];
  readonly label: string;
}

const HOMES: readonly Home[] = [
  { place: "home-xy", axes: ["x", "y"], label: "Home XY" },
  { place: "home-z", axes: ["z"], label: "Home Z" },
];

/** Moves the axes, pushes filament, switches fan and motors. */
@customElement("bp-control-panel")
export class ControlPanel extends Panel {
  @state() private step: (typeof STEPS)[number] = 10;
  @state() private length = "5";
  private lastMove: Promise<void> = Promise.resolve();
  private moves = 0;

  static override styles = [
    sharedStyles,
    css`
      .stack {
        gap: var(--space-4);
      }
      h3 {
        font-size: var(--text-small);
        font-weight: 600;
        color: var(--ink-soft);
        margin-bottom: var(--space-2);
      }
      .position {
        display: grid;
        grid-template-columns: repeat(3, 1fr);
        gap: var(--space-2);
        margin-bottom: var(--space-3);
      }
      .position div {
        display: flex;
        gap: var(--space-2);
        justify-content: center;
        padding: var(--space-1) var(--space-2);
        border-radius: var(--radius-small);
        background: var(--surface-raised);
      }
      .position dt {
        color: var(--ink-soft);
      }
      .position dd {
        font-weight: 600;
      }
      .steps {
        display: grid;
        grid-template-columns: repeat(4, 1fr) auto;
        align-items: center;
        gap: var(--space-1);
        margin-bottom: var(--space-3);
      }
      .pad {
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr)) minmax(0, 0.4fr) minmax(0, 1fr);
        grid-template-areas:
          ". back . . raise"
          "left home-xy right . home-z"
          ". front . . lower";
        gap: var(--space-2);
        max-width: 22rem;
        margin: 0 auto;
      }
      .pad > div {
        display: grid;
      }
      .pad .button {
        min-height: 3.25rem;
        padding: 0;
        flex-direction: column;
        gap: 2px;
        font-size: var(--text-small);
      }
      .back {
        grid-area: back;
      }
      .left {
        grid-area: left;
      }
      .right {
        grid-area: right;
      }
      .front {
        grid-area: front;
      }
      .raise {
        grid-area: raise;
      }
      .lower {
        grid-area: lower;
      }
      .home-xy {
        grid-area: home-xy;
      }
      .home-z {
        grid-area: home-z;
      }
      .homes {
        margin-top: var(--space-3);
        display: grid;
        grid-template-columns: 2fr 1fr 1fr;
        gap: var(--space-2);
      }
      .length {
        display: grid;
        grid-template-columns: minmax(0, 5.5rem) 1fr 1fr;
        gap: var(--space-2);
        align-items: end;
      }
      .length span.field {
        position: relative;
      }
      .length input {
        width: 100%;
        padding-right: 2.25rem;
        text-align: right;
      }
      .three {
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: var(--space-2);
      }
      .three .button,
      .length .button {
        padding: 0 var(--space-2);
        white-space: nowrap;
      }
    `,
  ];

  override render() {
    const blocked = this.why("move");
    return html`<bp-card heading="Control" icon="control">
      <div class="stack">
        ${blocked ? message("neutral", blocked) : nothing} ${this.renderMove()} ${this.renderExtruder()}
        ${this.renderFan()} ${this.renderMotors()}
      </div>
    </bp-card>`;
  }

  private renderMove() {
    const reason = this.why("move");
    return html`<div>
      ${this.renderPosition()}
      <h3 id="steps">Move by</h3>
      <div class="steps" role="group" aria-labelledby="steps">
        ${STEPS.map((step) =>
          button({ label: String(step), pressed: this.step === step, onPress: () => (this.step = step) }),
        )}
        <span class="soft small">mm</span>
      </div>
      <div class="pad">
        ${ARROWS.map(
          ({ place, icon, axis, sign, text }) =>
            html`<div class=${place}>
              ${button({
                label: text,
                icon,
                name: `${text} ${this.step} mm`,
                title: `${text} ${this.step} mm`,
                reason,
                onPress: () => this.jog(axis, sign),
              })}
            </div>`,
        )}
        ${HOMES.map(
          ({ place, axes, label }) =>
            html`<div class=${place}>
              ${button({
                label: axes.join("").toUpperCase(),
                icon: "home",
                name: label,
                title: label,
                reason,
                busy: this.isPending(label),
                onPress: () => this.home(label, axes),
              })}
            </div>`,
        )}
      </div>
      <div class="homes">
        ${button({
          label: "Home all",
          icon: "home",
          reason,
          busy: this.isPending("Home all"),
          onPress: () => this.home("Home all", ALL_AXES),
        })}
        ${(["x", "y"] as const).map((axis) => {
          const label = `Home ${axis.toUpperCase()}`;
          return button({
            label: axis.toUpperCase(),
            icon: "home",
            name: label,
            title: label,
            reason,
            busy: this.isPending(label),
            onPress: () => this.home(label, [axis]),
          });
        })}
      </div>
    </div>`;
  }

  private renderPosition() {
    const position = this.situation.snapshot?.position;
    if (!position || this.why("move") !== "") return nothing;
    return html`<dl class="position number value" aria-label="Position in mm">
      ${ALL_AXES.map(
        (axis) =>
          html`<div>
            <dt>${axis.toUpperCase()}</dt>
            <dd>${position[axis] === null ? "–" : position[axis].toFixed(axis === "z" ? 2 : 1)}</dd>
          </div>`,
      )}
    </dl>`;
  }

  private renderExtruder() {
    const length = this.parsedLength();
    const reason = this.why("extrude") || (length === null ? `Type a length from 0.1 to ${LONGEST_EXTRUSION} mm.` : "");
    return html`<div>
      <h3 id="filament">Filament</h3>
      <div class="length" role="group" aria-labelledby="filament">
        <span class="field unit" data-unit="mm">
          <input
            class="number"
            inputmode="decimal"
            autocomplete="off"
            aria-label="Length in mm"
            aria-invalid=${length === null ? "true" : "false"}
            .value=${this.length}
            @input=${(event: InputEvent) => (this.length = (event.target as HTMLInputElement).value)}
          />
        </span>
        ${button({
          label: "Extrude",
          icon: "extrude",
          reason,
          busy: this.isPending("extrude"),
          onPress: () => this.extrude(1),
        })}
        ${button({
          label: "Retract",
          icon: "retract",
          reason,
          busy: this.isPending("extrude"),
          onPress: () => this.extrude(-1),
        })}
      </div>
    </div>`;
  }

  private renderFan() {
    const speeds = [
      { label: "Off", command: "M107" },
      { label: "50 %", command: "M106 S128" },
      { label: "Full", command: "M106 S255" },
    ];
    return html`<div>
      <h3 id="fan">Part cooling fan</h3>
      <div class="three" role="group" aria-labelledby="fan">
        ${speeds.map(({ label, command }, index) =>
          button({
            label,
            icon: index === 0 ? "off" : "fan",
            reason: this.why("fan"),
            busy: this.isPending(command),
            onPress: () => void this.run(command, () => sendCommands(this.host.client, [command])),
          }),
        )}
      </div>
    </div>`;
  }

  private renderMotors() {
    return button({
      label: "Motors off",
      icon: "motorsOff",
      title: "Releases the axes, so that they can be moved by hand",
      reason: this.why("motors"),
      busy: this.isPending("motors"),
      onPress: () => void this.run("motors", () => sendCommands(this.host.client, ["M84"])),
    });
  }

  /** Presses add up: each one is a move of its own, one request after the other, in their order. */
  private jog(axis: Axis, sign: 1 | -1): void {
    const distance = sign * this.step;
    this.moves += 1;
    const name = `jog ${this.moves}`;
    this.lastMove = this.lastMove.then(async () => {
      await this.run(name, () => jog(this.host.client, axis, distance));
      if (name === `jog ${this.moves}`) await this.run(name, () => askPosition(this.host.client));
    });
  }

  private home(name: string, axes: readonly Axis[]): void {
    void this.run(name, async () => {
      await home(this.host.client, axes);
      await askPosition(this.host.client);
    });
  }

  private extrude(sign: 1 | -1): void {
    const length = this.parsedLength();
    if (length !== null) void this.run("extrude", () => extrude(this.host.client, sign * length));
  }

  private parsedLength(): number | null {
    const length = parseNumber(this.length);
    return length !== null && length >= 0.1 && length <= LONGEST_EXTRUSION ? length : null;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-control-panel": ControlPanel;
  }
}

import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { emergencyStop } from "../api/printer";
import { whyNoStop } from "../stores/abilities";
import { describe } from "../stores/describe";
import { isBusy } from "../stores/situation";
import { byHeater } from "../stores/temperatures";
import { button } from "../ui/button";
import type { IconName } from "../ui/icons";
import { stopButton, stopStyles } from "../ui/stop-button";
import { sharedStyles } from "../ui/styles";
import { chooseTheme, themeChoice } from "../ui/theme";
import type { ThemeChoice } from "../ui/theme";
import { formatPercent } from "../util/format-percent";
import { formatTemperature } from "../util/format-temperature";
import { heaterName } from "../util/heater-name";
import { Panel } from "./panel";

const THEMES: Readonly<Record<ThemeChoice, { next: ThemeChoice; icon: IconName; label: string }>> = {
  auto: { next: "light", icon: "auto", label: "Colours: as the system" },
  light: { next: "dark", icon: "light", label: "Colours: light" },
  dark: { next: "auto", icon: "dark", label: "Colours: dark" },
};

/** The bar above every view: what the printer does, how warm it is, and the emergency stop. */
@customElement("bp-header")
export class Header extends Panel {
  @state() private theme: ThemeChoice = themeChoice();
  /** Stops on their way. Each press sends one: pressing again must never do less. */
  @state() private stops = 0;

  static override styles = [
    sharedStyles,
    stopStyles,
    css`
      header {
        display: flex;
        align-items: center;
        gap: var(--space-2) var(--space-4);
        padding: var(--space-2) var(--page-edge);
        background: var(--surface);
        border-bottom: 1px solid var(--line);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        font-weight: 700;
      }
      h1 {
        margin: 0;
        font-size: inherit;
      }
      .brand svg {
        width: 1.75rem;
        height: 1.75rem;
        flex: none;
      }
      .brand .plate {
        fill: var(--accent);
      }
      .brand .shape {
        fill: var(--surface);
        stroke: var(--surface);
      }
      .state {
        display: flex;
        align-items: center;
        flex-wrap: wrap;
        gap: var(--space-1) var(--space-3);
        flex: 1;
        min-width: 0;
      }
      .pill {
        padding: var(--space-1) var(--space-3);
        border-radius: 99px;
        background: var(--surface-pressed);
        font-weight: 600;
        white-space: nowrap;
      }
      .pill.good {
        background: var(--good-ground);
        color: var(--good);
      }
      .pill.active {
        background: var(--accent-ground);
        color: var(--accent);
      }
      .pill.warning {
        background: var(--warning-ground);
        color: var(--warning);
      }
      .pill.bad {
        background: var(--bad-ground);
        color: var(--bad);
      }
      .heaters {
        display: flex;
        gap: var(--space-3);
        white-space: nowrap;
      }
      /* Beside the stop there is room for the sign alone. */
      @media (max-width: 374px) {
        h1 {
          position: absolute;
          clip-path: inset(50%);
        }
      }
      progress {
        height: 3px;
        border-radius: 0;
      }
      @media (max-width: 759px) {
        header {
          display: grid;
          grid-template-columns: minmax(0, 1fr) auto auto;
          column-gap: var(--space-2);
        }
        .state {
          grid-row: 2;
          grid-column: 1 / -1;
          justify-content: space-between;
        }
      }
    `,
  ];

  override render() {
    const { snapshot } = this.situation;
    const { text, tone } = describe(this.situation);
    const job = snapshot?.job && isBusy(this.situation) ? snapshot.job : null;
    const theme = THEMES[this.theme];
    return html`<header>
        <div class="brand">
          ${logo()}
          <h1>${snapshot && snapshot.printer !== "default" ? snapshot.name : "Bedplate"}</h1>
        </div>
        <div class="state">
          <span class="pill value number ${tone}" role="status"
            >${text}${job ? ` ${formatPercent(job.completion)}` : nothing}</span
          >
          ${this.renderHeaters()}
        </div>
        ${button({
          label: theme.label,
          icon: theme.icon,
          iconOnly: true,
          kind: "plain",
          onPress: () => this.chooseTheme(theme.next),
        })}
        ${this.renderStop()}
      </header>
      ${job ? html`<progress max="100" value=${job.completion} aria-hidden="true"></progress>` : nothing}`;
  }

  private renderHeaters() {
    const heaters = Object.entries(this.situation.snapshot?.temperatures?.heaters ?? {})
      .filter(([, { actual }]) => actual !== null)
      .sort(([a], [b]) => byHeater(a, b));
    const tools = heaters.filter(([name]) => name.startsWith("tool")).length;
    return html`<span class="heaters small value number">
      ${heaters.map(
        ([name, { actual, target }]) =>
          html`<span
            ><span class="soft">${heaterName(name, tools)}</span> ${formatTemperature(actual)}${target
              ? html`<span class="soft">/${formatTemperature(target)}</span>`
              : nothing}°</span
          >`,
      )}
    </span>`;
  }

  private renderStop() {
    const reason = whyNoStop(this.situation);
    return stopButton({ reason, busy: this.stops > 0, onPress: () => void this.stop() });
  }

  /** Stops the printer, and says so, or says that nothing was stopped. */
  async stop(): Promise<void> {
    const reason = whyNoStop(this.situation);
    if (reason !== "") {
      this.host.notify({ kind: "info", text: reason });
      return;
    }
    this.stops += 1;
    try {
      await emergencyStop(this.host.client);
      this.host.notify({ kind: "info", text: "Emergency stop sent." });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const text = `The emergency stop did not get through: switch the printer off at its power switch. ${why}`;
      this.host.notify({ kind: "error", text, sticky: true });
    } finally {
      this.stops -= 1;
    }
  }

  private chooseTheme(choice: ThemeChoice): void {
    this.theme = choice;
    chooseTheme(choice);
  }
}

function logo() {
  return html`<svg viewBox="0 0 32 32" aria-hidden="true">
    <rect class="plate" width="32" height="32" rx="8" />
    <path class="shape" stroke="none" d="M11 6h10v6l-3 4h-4l-3-4z" />
    <path d="M16 17v3" stroke="#ffc26b" stroke-width="2.5" stroke-linecap="round" />
    <path class="shape" d="M6 24h20" stroke-width="4" stroke-linecap="round" />
  </svg>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-header": Header;
  }
}

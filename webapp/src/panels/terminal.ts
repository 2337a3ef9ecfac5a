import { css, html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { sendCommands } from "../api/printer";
import { FILTERS, visibleLines } from "../stores/terminal";
import type { LineKind } from "../stores/terminal";
import { button } from "../ui/button";
import "../ui/card";
import { sharedStyles } from "../ui/styles";
import { recall } from "../util/recall";
import type { PanelHost } from "./contract";
import { Panel } from "./panel";

const MARKS: Readonly<Record<LineKind, string>> = { sent: ">", received: "<", note: "·" };

/** Commands that can be recalled. */
const HISTORY = 100;

/** Out of sight for this long (ms), the terminal stops asking for lines; scrolling past should not. */
const PATIENCE_MS = 3000;

/** Nearer than this (px) to its end, the list keeps following it. */
const NEAR_END = 24;

/** The conversation with the printer, and a line to take part in it. */
@customElement("bp-terminal-panel")
export class TerminalPanel extends Panel {
  @state() private filters: ReadonlySet<string> = new Set(["temperatures"]);
  @state() private following = true;
  @state() private draft = "";
  @query(".lines") private readonly list!: HTMLElement;
  private history: readonly string[] = [];
  private place = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private inSight = false;
  private readonly sight = new IntersectionObserver(([entry]) => {
    this.inSight = entry?.isIntersecting ?? false;
    this.askForLines();
  });
  private readonly visibilityChanged = () => this.askForLines();

  static override styles = [
    sharedStyles,
    css`
      .frame {
        position: relative;
      }
      .lines {
        height: clamp(12rem, calc(100dvh - 45.5rem), 40rem);
        overflow: auto;
        overscroll-behavior: contain;
        padding: var(--space-2);
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
        background: var(--ground);
        font: 0.8125rem / 1.5 var(--font-mono);
      }
      .lines div {
        display: grid;
        grid-template-columns: 1.25em minmax(0, 1fr);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .lines .sent {
        color: var(--accent);
      }
      .lines .note {
        color: var(--ink-soft);
      }
      .lines .alarm {
        color: var(--bad);
        font-weight: 600;
      }
      .lines i {
        font-style: normal;
        opacity: 0.7;
        user-select: none;
      }
      .end {
        position: absolute;
        right: var(--space-4);
        bottom: var(--space-3);
        box-shadow: var(--shadow-over);
        border-radius: var(--radius-small);
      }
      form {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: var(--space-2);
      }
      form input {
        font-family: var(--font-mono);
      }
      .filters {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 var(--space-3);
      }
      .filters label {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        min-height: var(--control);
        color: var(--ink);
        cursor: pointer;
      }
      .filters input {
        width: 1.15rem;
        min-height: 1.15rem;
        margin: 0;
        accent-color: var(--accent);
      }
      @media (max-width: 759px) {
        .lines {
          height: max(14rem, calc(100dvh - 25rem));
        }
      }
    `,
  ];

  protected override watched(host: PanelHost) {
    return [host.terminal];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.sight.observe(this);
    document.addEventListener("visibilitychange", this.visibilityChanged);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sight.disconnect();
    document.removeEventListener("visibilitychange", this.visibilityChanged);
    clearTimeout(this.timer);
    this.host.wantLogs(false);
  }

  override render() {
    const lines = visibleLines(this.host.terminal.value, this.filters);
    return html`<bp-card heading="Terminal" icon="terminal">
      <div class="stack">
        <div class="frame">
          <div class="lines" role="log" aria-live="off" aria-label="Lines" tabindex="0" @scroll=${this.scrolled}>
            ${lines.length === 0 ? html`<p class="soft">${this.emptyText()}</p>` : nothing}
            ${repeat(
              lines,
              ({ id }) => id,
              ({ kind, text }) =>
                html`<div class="${kind} ${isAlarm(text) ? "alarm" : ""}">
                  <i>${MARKS[kind]}</i><span>${text}</span>
                </div>`,
            )}
          </div>
          ${this.following
            ? nothing
            : html`<div class="end">${button({ label: "Newest lines", icon: "down", onPress: this.follow })}</div>`}
        </div>
        <form @submit=${this.submit}>
          <input
            aria-label="Command for the printer"
            placeholder="Type G-code"
            autocomplete="off"
            autocapitalize="characters"
            autocorrect="off"
            spellcheck="false"
            enterkeyhint="send"
            .value=${this.draft}
            @input=${(event: InputEvent) => this.type((event.target as HTMLInputElement).value)}
            @keydown=${this.press}
          />
          ${button({
            label: "Send",
            icon: "send",
            type: "submit",
            reason: this.why("command"),
            busy: this.isPending("send"),
          })}
        </form>
        <div class="filters" role="group" aria-labelledby="hide">
          <span id="hide" class="small soft">Hide</span>
          ${FILTERS.map(
            ({ id, label }) =>
              html`<label
                ><input
                  type="checkbox"
                  .checked=${this.filters.has(id)}
                  @change=${() => this.toggle(id)}
                />${label}</label
              >`,
          )}
        </div>
      </div>
    </bp-card>`;
  }

  protected override updated(_changes: PropertyValues<this>): void {
    if (this.following) this.list.scrollTop = this.list.scrollHeight;
  }

  private emptyText(): string {
    if (this.host.terminal.value.lines.length > 0) return "The filters hide every line.";
    return this.why("command") || "Nothing has been said yet.";
  }

  private askForLines(): void {
    clearTimeout(this.timer);
    const wanted = this.inSight && document.visibilityState === "visible";
    if (wanted) this.host.wantLogs(true);
    else this.timer = setTimeout(() => this.host.wantLogs(false), PATIENCE_MS);
  }

  private scrolled(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    if (clientHeight === 0) return;
    this.following = scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  private readonly follow = (): void => {
    this.following = true;
  };

  private toggle(filter: string): void {
    const hidden = new Set(this.filters);
    if (!hidden.delete(filter)) hidden.add(filter);
    this.filters = hidden;
  }

  private type(text: string): void {
    this.draft = text;
    this.place = 0;
  }

  private press(event: KeyboardEvent): void {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const { place, text } = recall(this.history, this.place, event.key === "ArrowUp" ? 1 : -1);
    this.place = place;
    this.draft = text;
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    const command = this.draft.trim();
    if (command === "" || this.why("command") !== "") return;
    this.following = true;
    if (!(await this.run("send", () => sendCommands(this.host.client, [command])))) return;
    this.history = [...this.history.filter((other) => other !== command), command].slice(-HISTORY);
    this.draft = "";
    this.place = 0;
  }
}

/** Lines that nobody should overlook. */
function isAlarm(text: string): boolean {
  return /^(?:Error:|!!|echo:\s*Unknown command)/i.test(text);
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-terminal-panel": TerminalPanel;
  }
}

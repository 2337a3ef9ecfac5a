import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { button } from "./button";
import { icon } from "./icons";
import type { IconName } from "./icons";
import { sharedStyles } from "./styles";

export interface Toast {
  readonly id: number;
  readonly kind: "info" | "success" | "error";
  readonly text: string;
  readonly sticky?: boolean;
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** How long a message stays (ms). What lasts longer than that is told in its own place on the page too. */
const STAY_MS: Readonly<Record<Toast["kind"], number>> = { info: 6000, success: 8000, error: 20_000 };

const ICONS: Readonly<Record<Toast["kind"], IconName>> = { info: "info", success: "check", error: "warning" };

/** Short messages above everything else. Sends `dismiss` with the id of the one to remove. */
@customElement("bp-toasts")
export class Toasts extends LitElement {
  @property({ attribute: false }) toasts: readonly Toast[] = [];
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();

  static override styles = [
    sharedStyles,
    css`
      :host {
        position: fixed;
        inset: auto var(--space-3) calc(var(--tabs-height, 0px) + var(--space-3)) auto;
        width: min(26rem, calc(100vw - 2 * var(--space-3)));
        margin: 0;
        padding: 0;
        border: 0;
        background: none;
        color: inherit;
        overflow: visible;
        z-index: 20;
      }
      .toasts {
        display: grid;
        gap: var(--space-2);
      }
      .toast {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        padding: var(--space-1) var(--space-1) var(--space-1) var(--space-3);
        border: 1px solid var(--line);
        border-left: 4px solid var(--ink-soft);
        border-radius: var(--radius-small);
        background: var(--surface);
        box-shadow: var(--shadow-over);
        animation: rise 160ms ease-out;
      }
      @keyframes rise {
        from {
          transform: translateY(0.5rem);
          opacity: 0;
        }
      }
      .success {
        border-left-color: var(--good);
      }
      .success > .icon {
        color: var(--good);
      }
      .error {
        border-left-color: var(--bad);
      }
      .error > .icon {
        color: var(--bad);
      }
      p {
        flex: 1;
        padding: var(--space-2) 0;
        overflow-wrap: anywhere;
      }
    `,
  ];

  override render() {
    return html`<div class="toasts" role="log" aria-live="polite" aria-label="Messages">
      ${repeat(
        this.toasts,
        ({ id }) => id,
        (toast) => html`<div class="toast ${toast.kind}" role=${toast.kind === "error" ? "alert" : nothing}>
          ${icon(ICONS[toast.kind])}
          <p>${toast.text}</p>
          ${toast.action
            ? button({ label: toast.action.label, onPress: () => this.act(toast) })
            : nothing}
          ${button({
            label: "Close message",
            icon: "close",
            iconOnly: true,
            kind: "plain",
            onPress: () => this.dismiss(toast.id),
          })}
        </div>`,
      )}
    </div>`;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.popover = "manual";
  }

  override updated(): void {
    const present = new Set(this.toasts.map(({ id }) => id));
    for (const [id, timer] of this.timers) {
      if (present.has(id)) continue;
      clearTimeout(timer);
      this.timers.delete(id);
    }
    for (const { id, kind, sticky } of this.toasts) {
      if (sticky || this.timers.has(id)) continue;
      this.timers.set(id, setTimeout(() => this.dismiss(id), STAY_MS[kind]));
    }
    this.raise();
  }

  /** Above an open window too: whatever entered the top layer last is on top. */
  private raise(): void {
    if (typeof this.showPopover !== "function") return;
    if (this.matches(":popover-open")) this.hidePopover();
    if (this.toasts.length > 0) this.showPopover();
  }

  private act(toast: Toast): void {
    this.dismiss(toast.id);
    toast.action?.run();
  }

  private dismiss(id: number): void {
    this.dispatchEvent(new CustomEvent<number>("dismiss", { detail: id }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-toasts": Toasts;
  }
}

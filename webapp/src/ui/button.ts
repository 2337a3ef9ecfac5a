import { html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { icon } from "./icons";
import type { IconName } from "./icons";

export interface ButtonOptions {
  /** Name of the button; shown unless `iconOnly`. */
  readonly label: string;
  /** What screen readers call it, where the label is short for its place; it holds the label. */
  readonly name?: string;
  /** A second, smaller line. */
  readonly detail?: string;
  readonly icon?: IconName;
  readonly iconOnly?: boolean;
  /** More classes: primary, danger, plain, square. */
  readonly kind?: string;
  /** Why it can't be used now; empty where it can. */
  readonly reason?: string;
  readonly busy?: boolean;
  readonly pressed?: boolean;
  /** Has the focus when its window opens. */
  readonly autofocus?: boolean;
  readonly type?: "button" | "submit";
  /** Longer explanation of what it does, shown on hovering. */
  readonly title?: string;
  readonly onPress?: (event: Event) => void;
}

/** Sent by a button that was pressed while it can't be used; `detail` is the reason. A finger can't hover. */
export const BLOCKED = "bp-blocked";

/**
 * A button. One that can't be used stays reachable, says why in its title, and tells it when pressed.
 */
export function button(options: ButtonOptions): TemplateResult {
  const { label, reason = "", busy = false, iconOnly = false } = options;
  const press = (event: Event) => {
    if (reason !== "" || busy) {
      event.preventDefault();
      event.stopPropagation();
      if (reason !== "") announce(event.currentTarget as HTMLElement, reason);
      return;
    }
    options.onPress?.(event);
  };
  return html`<button
    type=${options.type ?? "button"}
    class="button ${options.kind ?? ""} ${iconOnly ? "square" : ""}"
    ?autofocus=${options.autofocus ?? false}
    aria-label=${options.name ?? (iconOnly ? label : nothing)}
    aria-disabled=${reason !== "" ? "true" : nothing}
    aria-busy=${busy ? "true" : nothing}
    aria-pressed=${options.pressed === undefined ? nothing : options.pressed}
    title=${reason || options.title || (iconOnly ? label : nothing)}
    @click=${press}
  >
    ${options.icon ? icon(options.icon) : nothing}${iconOnly
      ? nothing
      : html`<span>${label}${options.detail ? html` <small>${options.detail}</small>` : nothing}</span>`}
  </button>`;
}

function announce(source: HTMLElement, reason: string): void {
  source.dispatchEvent(new CustomEvent<string>(BLOCKED, { detail: reason, bubbles: true, composed: true }));
}

import { css, html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { icon } from "./icons";

export interface StopOptions {
  /** Why there is nothing to stop; empty where there may be. */
  readonly reason?: string;
  /** The stop is on its way. */
  readonly busy?: boolean;
  readonly onPress: () => void;
}

/**
 * The emergency stop. It acts on the first press, at once: what guards it is its place, at the edge of the page and
 * away from all else, not a question. It stands in the header, and at the same place above every open window.
 */
export function stopButton({ reason = "", busy = false, onPress }: StopOptions): TemplateResult {
  return html`<button
    type="button"
    class="stop"
    aria-disabled=${reason ? "true" : nothing}
    title=${reason || "Stops the printer at once: motors and heaters off, the print is lost"}
    @click=${onPress}
  >
    ${icon("stop")}<span>${busy ? "Stopping…" : "Emergency stop"}</span>
  </button>`;
}

export const stopStyles = css`
  .stop {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: var(--space-2);
    min-width: 11.5rem;
    min-height: 2.75rem;
    padding: 0 var(--space-3);
    border: 2px solid var(--stop);
    border-radius: var(--radius);
    background: var(--stop);
    color: var(--stop-ink);
    font-weight: 700;
    white-space: nowrap;
    cursor: pointer;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
  }
  .stop:hover,
  .stop:active {
    background: var(--stop-strong);
    border-color: var(--stop-strong);
  }
  .stop[aria-disabled="true"] {
    background: none;
    border-color: var(--line-strong);
    color: var(--ink-soft);
    cursor: not-allowed;
  }
`;

import { css, html, LitElement } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { button } from "./button";
import { stopButton, stopStyles } from "./stop-button";
import { sharedStyles } from "./styles";

/** Sent by the emergency stop that stands above an open window. */
export const STOP = "bp-stop";

/** A modal window. Slots: the content, and `actions` at its foot. Sends `close` when it was closed in any way. */
@customElement("bp-dialog")
export class Dialog extends LitElement {
  @property() heading = "";
  @query("dialog") private readonly dialog!: HTMLDialogElement;

  static override styles = [
    sharedStyles,
    stopStyles,
    css`
      :host {
        display: contents;
      }
      dialog {
        width: min(30rem, calc(100vw - 2 * var(--space-3)));
        max-height: calc(100dvh - 2 * 4.25rem);
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius-large);
        background: var(--surface);
        color: var(--ink);
        box-shadow: var(--shadow-over);
        overflow: auto;
        overscroll-behavior: contain;
      }
      dialog::backdrop {
        background: var(--backdrop);
      }
      header {
        position: sticky;
        top: 0;
        z-index: 1;
        display: flex;
        align-items: center;
        gap: var(--space-2);
        padding: var(--space-2) var(--space-2) var(--space-2) var(--space-4);
        background: var(--surface);
      }
      h2 {
        flex: 1;
        font-size: var(--text-large);
        font-weight: 650;
        overflow-wrap: anywhere;
      }
      .body {
        padding: 0 var(--space-4) var(--space-4);
      }
      /* Where the header has it: a window must not stand between a person and this button. */
      .stop {
        position: fixed;
        top: var(--space-2);
        right: var(--page-edge);
      }
      footer {
        position: sticky;
        bottom: 0;
        padding: var(--space-3) var(--space-4);
        border-top: 1px solid var(--line);
        background: var(--surface);
      }
    `,
  ];

  override render() {
    return html`<dialog aria-labelledby="heading" @click=${this.pressBackdrop} @close=${this.closed}>
      <header>
        <h2 id="heading">${this.heading}</h2>
        ${button({ label: "Close", icon: "close", iconOnly: true, kind: "plain", onPress: () => this.close() })}
      </header>
      <div class="body"><slot></slot></div>
      <footer><slot name="actions"></slot></footer>
      ${stopButton({ onPress: this.pressStop })}
    </dialog>`;
  }

  async show(): Promise<void> {
    await this.updateComplete;
    if (!this.dialog.open) this.dialog.showModal();
  }

  close(): void {
    this.dialog.close();
  }

  private readonly pressStop = (): void => {
    this.dispatchEvent(new CustomEvent(STOP, { bubbles: true, composed: true }));
    this.close();
  };

  private pressBackdrop(event: MouseEvent): void {
    if (event.target === this.dialog) this.close();
  }

  private closed(): void {
    this.dispatchEvent(new Event("close"));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-dialog": Dialog;
  }
}

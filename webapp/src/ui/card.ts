import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icon } from "./icons";
import type { IconName } from "./icons";
import { sharedStyles } from "./styles";

/** A titled area of the page. Slots: the content, and `actions` beside the title. */
@customElement("bp-card")
export class Card extends LitElement {
  @property() heading = "";
  @property() icon: IconName | "" = "";

  static override styles = [
    sharedStyles,
    css`
      section {
        background: var(--surface);
        border: 1px solid var(--line);
        border-radius: var(--radius-large);
        box-shadow: var(--shadow);
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--space-1) var(--space-2);
        min-height: calc(var(--control) + var(--space-2));
        padding: var(--space-1) var(--space-2) var(--space-1) var(--space-4);
        border-bottom: 1px solid var(--line);
      }
      header .icon {
        color: var(--ink-soft);
      }
      h2 {
        flex: 1 0 auto;
        font-size: var(--text);
        font-weight: 650;
      }
      .body {
        padding: var(--space-4);
      }
      @media (max-width: 759px) {
        .body {
          padding: var(--space-3);
        }
        header {
          padding-left: var(--space-3);
        }
      }
    `,
  ];

  override render() {
    return html`<section aria-labelledby="heading">
      <header>
        ${this.icon ? icon(this.icon) : nothing}
        <h2 id="heading">${this.heading}</h2>
        <slot name="actions"></slot>
      </header>
      <div class="body"><slot></slot></div>
    </section>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-card": Card;
  }
}

import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import { sharedStyles } from "../ui/styles";
import type { View } from "./views";

/**
 * Arranges the panels. They are its children, each in a named slot: `alert` (above all), `print`, `temperatures`,
 * `control`, `files`, `terminal`. A slot takes several panels.
 */
@customElement("bp-dashboard")
export class Dashboard extends LitElement {
  /** The one that narrow screens show. */
  @property({ reflect: true }) view: View = "print";

  static override styles = [
    sharedStyles,
    css`
      :host {
        --gap: var(--space-4);
        padding: var(--gap);
      }
      .columns,
      .column,
      .area {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--gap);
        align-content: start;
      }
      /* A connection that stands is the least of what is looked for. */
      slot[name="control"]::slotted(bp-connection-panel) {
        order: 1;
      }
      slot[name="alert"]::slotted(*) {
        margin-bottom: var(--gap);
      }

      @media (max-width: 759px) {
        :host {
          --gap: var(--space-3);
          padding: var(--space-3);
          padding-bottom: calc(var(--tabs-height) + var(--space-4));
        }
        .column {
          display: contents;
        }
        .area {
          display: none;
        }
        :host([view="print"]) :is(.print, .temperatures),
        :host([view="control"]) .control,
        :host([view="files"]) .files,
        :host([view="terminal"]) .terminal {
          display: grid;
        }
      }

      @media (min-width: 760px) {
        .columns {
          grid-template-columns: minmax(0, 5fr) minmax(0, 6fr);
          grid-template-rows: auto 1fr;
          grid-template-areas: "first second" "third second";
        }
        .column:nth-child(1) {
          grid-area: first;
        }
        .column:nth-child(2) {
          grid-area: second;
        }
        .column:nth-child(3) {
          grid-area: third;
        }
      }

      @media (min-width: 1200px) {
        .columns {
          max-width: 120rem;
          margin: 0 auto;
          grid-template-columns: minmax(20rem, 26rem) minmax(0, 1fr) 22rem;
          grid-template-rows: auto;
          grid-template-areas: "first second third";
        }
      }
    `,
  ];

  override render() {
    return html`<main>
      <slot name="alert"></slot>
      <div class="columns">
        <div class="column">
          <div class="area print"><slot name="print"></slot></div>
          <div class="area files"><slot name="files"></slot></div>
        </div>
        <div class="column">
          <div class="area temperatures"><slot name="temperatures"></slot></div>
          <div class="area terminal"><slot name="terminal"></slot></div>
        </div>
        <div class="column">
          <div class="area control"><slot name="control"></slot></div>
        </div>
      </div>
    </main>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-dashboard": Dashboard;
  }
}

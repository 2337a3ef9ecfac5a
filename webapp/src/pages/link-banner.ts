import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { SocketStatus } from "../connection/socket";
import { button } from "../ui/button";
import { icon } from "../ui/icons";
import { sharedStyles } from "../ui/styles";

/** A connection that is made within this time (ms) is not worth a word. */
const PATIENCE_MS = 1200;

/** Says that the page has lost its host, and when it tries again. Sends `retry`. */
@customElement("bp-link-banner")
export class LinkBanner extends LitElement {
  @property({ attribute: false }) status: SocketStatus = { state: "stopped", retryAt: null, problem: "" };
  @state() private now = Date.now();
  private lostAt: number | null = Date.now();
  private timer: ReturnType<typeof setInterval> | undefined;

  static override styles = [
    sharedStyles,
    css`
      .banner {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        padding: var(--space-1) var(--page-edge);
        background: var(--warning-ground);
        color: var(--warning);
        border-bottom: 1px solid var(--line);
      }
      p {
        flex: 1;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => (this.now = Date.now()), 500);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override render() {
    if (this.status.state === "live" || this.status.state === "stopped") {
      this.lostAt = null;
      return nothing;
    }
    this.lostAt ??= Date.now();
    if (this.now - this.lostAt < PATIENCE_MS) return nothing;
    const waits = this.status.state === "waiting" || this.status.state === "refused";
    return html`<div class="banner" role="status">
      ${icon("offline")}
      <p>
        <strong>${this.status.state === "refused" ? this.status.problem : "No connection to Bedplate."}</strong>
        ${this.waitText()} A running print goes on without this page.
      </p>
      ${button({
        label: "Try now",
        icon: "refresh",
        busy: !waits,
        onPress: () => this.dispatchEvent(new Event("retry")),
      })}
    </div>`;
  }

  private waitText(): string {
    if (this.status.retryAt === null) return "Reconnecting…";
    const seconds = Math.max(1, Math.ceil((this.status.retryAt - this.now) / 1000));
    return `Reconnecting in ${seconds} s.`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-link-banner": LinkBanner;
  }
}

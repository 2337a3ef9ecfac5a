import { css, html, LitElement, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { PrinterSession } from "./connection/printer";
import { openSockJS } from "./connection/sockjs";
import "./pages/dashboard";
import "./pages/drop-zone";
import "./pages/link-banner";
import { VIEWS, viewOf } from "./pages/views";
import type { View } from "./pages/views";
import "./panels/connection";
import "./panels/control";
import "./panels/files";
import type { FilePanel } from "./panels/files";
import { GO } from "./panels/go";
import "./panels/header";
import "./panels/print";
import "./panels/temperatures";
import "./panels/terminal";
import { documentTitle } from "./stores/describe";
import { isConnected } from "./stores/situation";
import type { Header } from "./panels/header";
import { BLOCKED } from "./ui/button";
import { STOP } from "./ui/dialog";
import { icon } from "./ui/icons";
import { sharedStyles } from "./ui/styles";
import "./ui/toasts";

/** The whole page: one printer's session, and the panels that show it. */
@customElement("bedplate-app")
export class App extends LitElement {
  @state() private view: View = viewOf(location.hash);
  @query("bp-header") private readonly header!: Header;
  @query("bp-file-panel") private readonly files!: FilePanel;
  private readonly session = new PrinterSession(new URL(".", document.baseURI).href, openSockJS);
  private unwatch: (() => void)[] = [];

  static override styles = [
    sharedStyles,
    css`
      :host {
        --tabs-height: 0px;
        min-height: 100dvh;
      }
      .top {
        position: sticky;
        top: 0;
        z-index: 10;
      }
      nav {
        display: none;
      }
      @media (max-width: 759px) {
        :host {
          --tabs-height: calc(3.75rem + env(safe-area-inset-bottom));
        }
        nav {
          position: fixed;
          inset: auto 0 0 0;
          z-index: 10;
          display: grid;
          grid-template-columns: repeat(4, 1fr);
          height: var(--tabs-height);
          padding-bottom: env(safe-area-inset-bottom);
          background: var(--surface);
          border-top: 1px solid var(--line);
        }
        nav a {
          display: grid;
          place-content: center;
          justify-items: center;
          gap: 2px;
          color: var(--ink-soft);
          font-size: var(--text-small);
          text-decoration: none;
          touch-action: manipulation;
          -webkit-tap-highlight-color: transparent;
        }
        nav a:focus-visible {
          outline-offset: -3px;
        }
        nav .icon {
          font-size: 1.125rem;
        }
        nav a[aria-current] {
          color: var(--accent);
          font-weight: 650;
          box-shadow: inset 0 3px 0 var(--accent);
        }
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    const { situation, status, notices } = this.session;
    this.unwatch = [situation, status, notices].map((store) => store.watch(() => this.requestUpdate()));
    window.addEventListener("hashchange", this.hashChanged);
    document.addEventListener(STOP, this.stop);
    window.addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.session.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.unwatch) end();
    window.removeEventListener("hashchange", this.hashChanged);
    document.removeEventListener(STOP, this.stop);
    window.removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.session.stop();
  }

  override render() {
    const host = this.session;
    const situation = host.situation.value;
    return html`
      <div
        @bp-blocked=${(event: CustomEvent<string>) => host.notify({ kind: "info", text: event.detail })}
        @bp-go=${(event: CustomEvent<View>) => this.go(event.detail)}
      >
        <div class="top">
          <bp-header .host=${host} .situation=${situation}></bp-header>
          <bp-link-banner .status=${host.status.value} @retry=${() => host.retry()}></bp-link-banner>
        </div>
        <bp-dashboard view=${this.view}>
          <bp-connection-panel slot=${this.connectionSlot()} .host=${host} .situation=${situation}>
          </bp-connection-panel>
          <bp-print-panel slot="print" .host=${host} .situation=${situation}></bp-print-panel>
          <bp-file-panel slot="files" .host=${host} .situation=${situation}></bp-file-panel>
          <bp-temperature-panel slot="temperatures" .host=${host} .situation=${situation}></bp-temperature-panel>
          <bp-terminal-panel slot="terminal" .host=${host} .situation=${situation}></bp-terminal-panel>
          <bp-control-panel slot="control" .host=${host} .situation=${situation}></bp-control-panel>
        </bp-dashboard>
      </div>
      <nav aria-label="Views">
        ${VIEWS.map(
          ({ view, label, icon: name }) =>
            html`<a href="#${view}" aria-current=${view === this.view ? "page" : nothing}>${icon(name)}${label}</a>`,
        )}
      </nav>
      <bp-drop-zone
        .folder=${host.files.value.folder}
        @files=${(event: CustomEvent<File[]>) => this.upload(event.detail)}
        @folders=${() => host.notify({ kind: "info", text: "A folder can't be dropped. Drop the files in it." })}
      ></bp-drop-zone>
      <bp-toasts
        .toasts=${host.notices.value}
        @dismiss=${(event: CustomEvent<number>) => host.dismiss(event.detail)}
      ></bp-toasts>
    `;
  }

  protected override updated(): void {
    document.title = documentTitle(this.session.situation.value);
  }

  /** Trouble is told above every view; making a connection comes first, having one last. */
  private connectionSlot(): string {
    const situation = this.session.situation.value;
    if (isConnected(situation)) return "control";
    const connection = situation.snapshot?.connection;
    const trouble = connection?.problem || connection?.state === "halted" || connection?.state === "error";
    return trouble ? "alert" : "print";
  }

  private go(view: View): void {
    if (location.hash !== `#${view}`) location.hash = view;
    this.renderRoot.querySelector(`[slot="${view}"]:not(bp-connection-panel)`)?.scrollIntoView({ block: "nearest" });
  }

  private upload(files: File[]): void {
    this.go("files");
    void this.files.upload(files);
  }

  private readonly stop = (): void => void this.header.stop();

  private readonly hashChanged = (): void => {
    this.view = viewOf(location.hash);
    window.scrollTo(0, 0);
  };

  private readonly wake = (): void => {
    if (document.visibilityState === "visible") this.session.wake();
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "bedplate-app": App;
  }
  interface GlobalEventHandlersEventMap {
    [BLOCKED]: CustomEvent<string>;
    [GO]: CustomEvent<string>;
  }
}

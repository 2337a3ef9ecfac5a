import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { connect, disconnect, fetchConnectionOptions } from "../api/connection";
import type { ConnectionOptions } from "../api/connection";
import type { ConnectionView } from "../generated/messages";
import { describe } from "../stores/describe";
import { isBusy, isConnected, isConnecting } from "../stores/situation";
import { ask } from "../ui/ask";
import { button } from "../ui/button";
import "../ui/card";
import { message } from "../ui/message";
import { sharedStyles } from "../ui/styles";
import { portName } from "../util/port-name";
import { Panel } from "./panel";

const AUTOMATIC_PORT = "AUTO";
const AUTOMATIC_BAUDRATE = 0;
const OTHER_PORT = "";

/** Connects the printer, says why it is not connected, and disconnects it. */
@customElement("bp-connection-panel")
export class ConnectionPanel extends Panel {
  @state() private options: ConnectionOptions | null = null;
  @state() private port: string | null = null;
  /** A port is being typed that is in no list: a device, or the address of one on the network. */
  @state() private typing = false;
  @state() private baudrate: number | null = null;
  /** What the options were loaded for: they are asked for anew whenever the printer has been let go. */
  private loadedFor = "";

  static override styles = [
    sharedStyles,
    css`
      form {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 8.5rem);
        gap: var(--space-3);
        align-items: end;
      }
      form > .wide,
      form > .row {
        grid-column: 1 / -1;
      }
      .connected {
        display: flex;
        align-items: center;
        gap: var(--space-3);
      }
      .connected > div {
        flex: 1;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .message p {
        margin-top: var(--space-1);
      }
    `,
  ];

  override render() {
    const connection = this.situation.snapshot?.connection;
    if (!connection) return nothing;
    return html`<bp-card heading="Connection" icon="connect">
      <div class="stack">
        ${isConnected(this.situation) ? this.renderConnected(connection) : this.renderUnconnected(connection)}
      </div>
    </bp-card>`;
  }

  override updated(): void {
    const state = this.situation.snapshot?.connection.state ?? "";
    const wanted = this.situation.live && !isConnected(this.situation) ? state : "";
    if (wanted !== "" && this.loadedFor !== wanted) void this.loadOptions();
    this.loadedFor = wanted;
  }

  private renderConnected({ port, baudrate }: ConnectionView) {
    const firmware = this.situation.snapshot?.firmware;
    return html`<div class="connected">
      <div class="value">
        <div>${firmware?.machine ?? firmware?.name ?? "Printer"}</div>
        ${firmware?.machine ? html`<div class="small soft">${firmware.name}</div>` : nothing}
        <div class="small soft">${portName(port ?? "")}${baudrate ? `, ${baudrate} baud` : ""}</div>
        ${this.renderQuality()}
      </div>
      ${button({
        label: "Disconnect",
        reason: this.why("disconnect"),
        busy: this.isPending("disconnect"),
        onPress: this.disconnect,
      })}
    </div>`;
  }

  /** Lines that had to be sent again point to a bad cable or a noisy supply. */
  private renderQuality() {
    const { resends, transmitted } = this.situation.snapshot?.line ?? { resends: 0, transmitted: 0 };
    if (resends === 0) return nothing;
    return html`<div class="small soft number">
      ${resends} of ${transmitted} lines had to be sent again
    </div>`;
  }

  private renderUnconnected(connection: ConnectionView) {
    const { problem, state } = connection;
    const connecting = isConnecting(this.situation);
    return html`
      ${problem
        ? message("bad", problem.text, problem.hint ? html`<p>${problem.hint}</p>` : nothing)
        : state === "halted" || state === "error"
          ? message("bad", HALTED_TEXT, html`<p>${HALTED_HINT}</p>`)
          : nothing}
      ${connecting
        ? html`<div class="connected">
            <div>${describe(this.situation).text} <span class="soft">${portName(connection.port ?? "")}</span></div>
            ${button({
              label: "Give up",
              reason: this.why("disconnect"),
              busy: this.isPending("disconnect"),
              onPress: this.disconnect,
            })}
          </div>`
        : state === "halted"
          ? this.renderReconnect()
          : this.renderForm()}
    `;
  }

  private renderReconnect() {
    return html`<div class="row">
      ${button({
        label: "Reconnect",
        icon: "refresh",
        kind: "primary",
        reason: this.why("connect"),
        busy: this.isPending("connect"),
        onPress: () => void this.run("connect", () => connect(this.host.client, this.choice())),
      })}
      ${button({
        label: "Disconnect",
        reason: this.why("disconnect"),
        busy: this.isPending("disconnect"),
        onPress: this.disconnect,
      })}
    </div>`;
  }

  private renderForm() {
    const { port, baudrate } = this.choice();
    const ports = this.options?.ports ?? [];
    const listed = this.typing || port === AUTOMATIC_PORT || ports.includes(port) ? ports : [port, ...ports];
    return html`<form @submit=${this.connect}>
      <label
        >Port
        <select @change=${this.choosePort}>
          <option value=${AUTOMATIC_PORT} ?selected=${port === AUTOMATIC_PORT}>Find it</option>
          ${listed.map(
            (name) =>
              html`<option value=${name} ?selected=${!this.typing && name === port}>
                ${this.label(name)}
              </option>`,
          )}
          <option value=${OTHER_PORT} ?selected=${this.typing}>Other…</option>
        </select>
      </label>
      <label
        >Baud rate
        <select @change=${this.chooseBaudrate}>
          <option value=${AUTOMATIC_BAUDRATE} ?selected=${baudrate === AUTOMATIC_BAUDRATE}>Find it</option>
          ${(this.options?.baudrates ?? []).map(
            (rate) => html`<option value=${rate} ?selected=${rate === baudrate}>${rate}</option>`,
          )}
        </select>
      </label>
      ${this.typing
        ? html`<label class="wide"
            >Device or address
            <input
              required
              autocomplete="off"
              autocapitalize="none"
              spellcheck="false"
              placeholder="/dev/ttyUSB0 or socket://host:port"
              @input=${(event: InputEvent) => (this.port = (event.target as HTMLInputElement).value.trim())}
            />
          </label>`
        : nothing}
      <div class="row">
        ${button({
          label: "Connect",
          icon: "connect",
          kind: "primary",
          type: "submit",
          reason: this.why("connect"),
          busy: this.isPending("connect"),
        })}
        ${button({
          label: "Look for ports",
          icon: "refresh",
          reason: this.why("connect"),
          busy: this.isPending("options"),
          onPress: () => void this.loadOptions(),
        })}
      </div>
      ${this.options && ports.length === 0
        ? html`<p class="row small soft">No port found. Is the printer switched on and its USB cable plugged in?</p>`
        : nothing}
    </form>`;
  }

  /** What the form shows: the choice made here, else the last connection, else what the host prefers. */
  private choice(): { port: string; baudrate: number } {
    const last = this.situation.snapshot?.connection;
    return {
      port: this.port ?? last?.port ?? this.options?.portPreference ?? this.onlyPort() ?? AUTOMATIC_PORT,
      baudrate: this.baudrate ?? last?.baudrate ?? this.options?.baudratePreference ?? AUTOMATIC_BAUDRATE,
    };
  }

  private label(port: string): string {
    return this.options?.portLabels?.find(({ name }) => name === port)?.label ?? portName(port);
  }

  private onlyPort(): string | undefined {
    return this.options?.ports.length === 1 ? this.options.ports[0] : undefined;
  }

  private choosePort(event: Event): void {
    const port = (event.target as HTMLSelectElement).value;
    this.typing = port === OTHER_PORT;
    this.port = port;
  }

  private chooseBaudrate(event: Event): void {
    this.baudrate = Number((event.target as HTMLSelectElement).value);
  }

  private async loadOptions(): Promise<void> {
    await this.run("options", async () => {
      this.options = await fetchConnectionOptions(this.host.client);
    });
  }

  private async connect(event: Event): Promise<void> {
    event.preventDefault();
    await this.run("connect", () => connect(this.host.client, this.choice()));
  }

  private readonly disconnect = async (): Promise<void> => {
    if (isBusy(this.situation)) {
      const sure = await ask({
        heading: "Disconnect while printing?",
        text: "The print stops where it is and can't be continued.",
        yes: "Disconnect",
        no: "Keep printing",
        danger: true,
      });
      if (!sure) return;
    }
    await this.run("disconnect", () => disconnect(this.host.client));
  };
}

const HALTED_TEXT = "The printer has stopped itself.";
const HALTED_HINT =
  "Heaters and motors are off. Look at the printer; when all is safe, reset it (its button, or its power switch) " +
  "and reconnect.";

declare global {
  interface HTMLElementTagNameMap {
    "bp-connection-panel": ConnectionPanel;
  }
}

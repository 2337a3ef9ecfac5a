import { css, html, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { downloadUrl, selectFile } from "../api/files";
import type { FileEntry } from "../api/files";
import { entryAt } from "../stores/files";
import { button } from "../ui/button";
import type { Dialog } from "../ui/dialog";
import "../ui/dialog";
import { icon } from "../ui/icons";
import { message } from "../ui/message";
import { sharedStyles } from "../ui/styles";
import { formatBytes } from "../util/format-bytes";
import { formatDuration } from "../util/format-duration";
import { formatLength } from "../util/format-length";
import { formatMoment } from "../util/format-moment";
import type { PanelHost } from "./contract";
import { Panel } from "./panel";

/** Everything that is known of one file, in a window. Sends `bp-print` and `bp-delete` with the file. */
@customElement("bp-file-details")
export class FileDetails extends Panel {
  @state() private path: string | null = null;
  @query("bp-dialog") private readonly dialog!: Dialog | null;

  static override styles = [
    sharedStyles,
    css`
      img {
        display: block;
        width: 100%;
        max-height: 14rem;
        object-fit: contain;
        padding: var(--space-3);
        border-radius: var(--radius);
        background: var(--surface-raised);
      }
      dl {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: var(--space-2) var(--space-4);
      }
      dt {
        color: var(--ink-soft);
      }
      dd {
        overflow-wrap: anywhere;
      }
      .actions {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: var(--space-2);
      }
    `,
  ];

  protected override watched(host: PanelHost) {
    return [host.files];
  }

  async show(entry: FileEntry): Promise<void> {
    this.path = entry.path;
    await this.updateComplete;
    await this.dialog?.show();
  }

  close(): void {
    if (this.path !== null) this.dialog?.close();
  }

  override render() {
    const entry = this.path === null ? undefined : entryAt(this.host.files.value.entries, this.path);
    if (!entry) return nothing;
    return html`<bp-dialog .heading=${entry.display ?? entry.name} @close=${() => (this.path = null)}>
      <div class="stack">
        ${entry.thumbnail
          ? html`<img src=${this.host.client.url(entry.thumbnail)} alt="Picture of the print" />`
          : nothing}
        ${entry.analysisError
          ? message("bad", "This file could not be read.", html`<p>${entry.analysisError}</p>`)
          : nothing}
        ${(entry.warnings ?? []).map(({ message: text, line }) =>
          message("warning", text, line ? html`<p>Line ${line} of the file</p>` : nothing),
        )}
        <dl class="number">
          ${facts(entry).map(
            ([name, text]) =>
              html`<dt>${name}</dt>
                <dd>${text}</dd>`,
          )}
        </dl>
      </div>
      <div class="actions" slot="actions">
        ${button({
          label: "Print",
          icon: "play",
          kind: "primary",
          reason: this.why("print"),
          onPress: () => this.tell("bp-print", entry),
        })}
        ${button({
          label: "Select",
          icon: "check",
          title: "Makes it ready in the print panel, without starting it",
          reason: this.why("select"),
          busy: this.isPending("select"),
          onPress: () => void this.select(entry),
        })}
        <a class="button" href=${downloadUrl(this.host.client, entry)} download>${icon("download")} Download</a>
        ${button({
          label: "Delete",
          icon: "remove",
          kind: "danger",
          reason: this.why("files"),
          onPress: () => this.tell("bp-delete", entry),
        })}
      </div>
    </bp-dialog>`;
  }

  private tell(type: string, entry: FileEntry): void {
    this.dispatchEvent(new CustomEvent<FileEntry>(type, { detail: entry }));
  }

  private async select(entry: FileEntry): Promise<void> {
    if (await this.run("select", () => selectFile(this.host.client, entry.path, false))) this.close();
  }
}

/** What is known of a file, as pairs of a name and a text. */
function facts(entry: FileEntry): [name: string, text: string][] {
  const { gcodeAnalysis: analysis, prints } = entry;
  const filament = Object.values(analysis?.filament ?? {}).filter(({ length }) => length > 0);
  const rows: [string, string | null][] = [
    ["Takes about", analysis?.estimatedPrintTime ? formatDuration(analysis.estimatedPrintTime) : null],
    ["Layers", entry.layers ? String(entry.layers) : null],
    ["Filament", filament.length > 0 ? filament.map(({ length }) => formatLength(length)).join(" + ") : null],
    ["Size of the print", analysis?.dimensions ? dimensions(analysis.dimensions) : null],
    ["File", [entry.path.includes("/") ? entry.path : "", formatBytes(entry.size ?? 0)].filter(Boolean).join(" · ")],
    ["Added", entry.date === undefined ? null : formatMoment(new Date(entry.date * 1000), new Date())],
    ["Printed", printed(prints)],
    ["Last print", lastPrint(prints)],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null);
}

function dimensions({ width, depth, height }: { width: number; depth: number; height: number }): string {
  return `${[width, depth, height].map((length) => length.toFixed(1)).join(" × ")} mm`;
}

function printed(prints: FileEntry["prints"]): string {
  if (!prints || prints.success + prints.failure === 0) return "never";
  const times = (count: number) => (count === 1 ? "once" : `${count} times`);
  const failed = prints.failure > 0 ? `failed ${times(prints.failure)}` : "";
  return [prints.success > 0 ? times(prints.success) : "", failed].filter(Boolean).join(", ");
}

function lastPrint(prints: FileEntry["prints"]): string | null {
  if (!prints?.last) return null;
  const { date, printTime, success } = prints.last;
  const when = formatMoment(new Date(date * 1000), new Date());
  if (!success) return `${when}, not finished`;
  return printTime ? `${when}, took ${formatDuration(printTime)}` : when;
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-file-details": FileDetails;
  }
}

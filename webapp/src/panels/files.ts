import { css, html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { createFolder, deleteFile, selectFile } from "../api/files";
import type { FileEntry } from "../api/files";
import { countFiles, entryAt, folderEntries, opened, search, sorted } from "../stores/files";
import type { SortOrder } from "../stores/files";
import { ask, askText } from "../ui/ask";
import { button } from "../ui/button";
import "../ui/card";
import { icon } from "../ui/icons";
import { message } from "../ui/message";
import { sharedStyles } from "../ui/styles";
import { formatBytes } from "../util/format-bytes";
import { formatDay } from "../util/format-day";
import { formatDuration } from "../util/format-duration";
import { joinPath } from "../util/join-path";
import { parentPath } from "../util/parent-path";
import type { PanelHost } from "./contract";
import "./file-details";
import type { FileDetails } from "./file-details";
import { GO } from "./go";
import { Panel } from "./panel";
import "./upload-list";

const SORTS: readonly (readonly [order: SortOrder, label: string])[] = [
  ["newest", "Newest first"],
  ["name", "By name"],
  ["size", "Largest first"],
];

/** Kinds that the file chooser offers; the host decides what it takes. */
const ACCEPTED = ".gcode,.gco,.g";

/** The files that can be printed: folders, uploads, and what can be done with each. */
@customElement("bp-file-panel")
export class FilePanel extends Panel {
  @state() private order: SortOrder = "newest";
  @state() private text = "";
  @query("input[type=file]") private readonly chooser!: HTMLInputElement;
  @query("bp-file-details") private readonly details!: FileDetails;

  static override styles = [
    sharedStyles,
    css`
      .tools {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: var(--space-2);
      }
      nav {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 var(--space-1);
      }
      nav .button {
        padding: 0 var(--space-2);
      }
      nav [aria-current] {
        padding: 0 var(--space-2);
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        align-items: center;
        gap: var(--space-1);
        border-bottom: 1px solid var(--line);
      }
      li:last-child {
        border-bottom: 0;
      }
      .entry {
        display: grid;
        grid-template-columns: 2.75rem minmax(0, 1fr);
        align-items: center;
        gap: var(--space-3);
        padding: var(--space-2) var(--space-1);
        border: 0;
        border-radius: var(--radius-small);
        background: none;
        text-align: left;
        cursor: pointer;
        touch-action: manipulation;
      }
      .entry:hover {
        background: var(--surface-raised);
      }
      .picture {
        display: grid;
        place-items: center;
        width: 2.75rem;
        height: 2.75rem;
        border-radius: var(--radius-small);
        background: var(--surface-raised);
        color: var(--ink-soft);
        overflow: hidden;
      }
      .picture.folder {
        color: var(--accent);
        background: var(--accent-ground);
      }
      .picture img {
        width: 100%;
        height: 100%;
        object-fit: contain;
      }
      .name {
        overflow-wrap: anywhere;
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
        overflow: hidden;
      }
      .selected .name::after {
        content: " · selected";
        color: var(--accent);
        font-size: var(--text-small);
      }
      .trouble {
        color: var(--warning);
        font-weight: 600;
        white-space: nowrap;
      }
      .list {
        margin: 0 calc(-1 * var(--space-1));
      }
      @media (min-width: 760px) {
        .list {
          max-height: 27rem;
          overflow: auto;
        }
      }
      .empty {
        padding: var(--space-4) 0;
        text-align: center;
        color: var(--ink-soft);
      }
    `,
  ];

  protected override watched(host: PanelHost) {
    return [host.files, host.uploads];
  }

  override render() {
    const files = this.host.files.value;
    return html`<bp-card heading="Files" icon="files">
      <div slot="actions" class="row">
        ${button({
          label: "New folder",
          icon: "newFolder",
          iconOnly: true,
          kind: "plain",
          reason: this.why("files"),
          busy: this.isPending("folder"),
          onPress: this.createFolder,
        })}
        ${button({
          label: "Upload",
          icon: "upload",
          kind: "primary",
          reason: this.why("files"),
          onPress: () => this.chooser.click(),
        })}
      </div>
      <input type="file" multiple hidden accept=${ACCEPTED} aria-label="Files to upload" @change=${this.chosen} />
      <div class="stack">
        <bp-upload-list
          ?hidden=${this.host.uploads.value.length === 0}
          .uploads=${this.host.uploads.value} .uploader=${this.host.uploader}></bp-upload-list>
        ${files.problem
          ? message(
              "bad",
              "The list of files could not be loaded.",
              html`<p>${files.problem}</p>
                ${button({ label: "Try again", icon: "refresh", onPress: () => void this.host.reloadFiles() })}`,
            )
          : nothing}
        ${files.folder === "" ? nothing : this.renderPath(files.folder)} ${this.renderTools()} ${this.renderList()}
      </div>
      <bp-file-details
        .host=${this.host}
        .situation=${this.situation}
        @bp-print=${(event: CustomEvent<FileEntry>) => void this.print(event.detail)}
        @bp-delete=${(event: CustomEvent<FileEntry>) => void this.deleteEntry(event.detail)}
      ></bp-file-details>
    </bp-card>`;
  }

  private renderPath(folder: string) {
    const parts = folder.split("/");
    return html`<nav aria-label="Folder">
      ${button({ label: "All files", kind: "plain", onPress: () => this.open("") })}
      ${parts.map((part, index) => {
        const path = parts.slice(0, index + 1).join("/");
        const last = index === parts.length - 1;
        return html`${icon("chevron")}${last
          ? html`<span aria-current="page">${part}</span>`
          : button({ label: part, kind: "plain", onPress: () => this.open(path) })}`;
      })}
    </nav>`;
  }

  private renderTools() {
    if (this.host.files.value.entries.length === 0) return nothing;
    return html`<div class="tools">
      <input
        type="search"
        placeholder="Search"
        aria-label="Search files"
        .value=${this.text}
        @input=${(event: InputEvent) => (this.text = (event.target as HTMLInputElement).value)}
      />
      <select
        aria-label="Order"
        @change=${(event: Event) => (this.order = (event.target as HTMLSelectElement).value as SortOrder)}
      >
        ${SORTS.map(
          ([order, label]) => html`<option value=${order} ?selected=${order === this.order}>${label}</option>`,
        )}
      </select>
    </div>`;
  }

  private renderList() {
    const files = this.host.files.value;
    if (!files.known) return files.problem ? nothing : html`<p class="empty">Loading…</p>`;
    const entries = sorted(search(folderEntries(files), this.text), this.order);
    if (files.entries.length === 0) return this.renderNothing();
    if (entries.length === 0) return html`<p class="empty">${this.emptyText()}</p>`;
    return html`<ul class="list">
        ${repeat(
          entries,
          ({ path }) => path,
          (entry) => (entry.type === "folder" ? this.renderFolder(entry) : this.renderFile(entry)),
        )}
      </ul>
      ${files.free === null ? nothing : html`<p class="small soft">${formatBytes(files.free)} free</p>`}`;
  }

  private emptyText(): string {
    if (this.text.trim() !== "") return `No file here is called “${this.text.trim()}”.`;
    if (this.host.files.value.folder !== "") return "This folder is empty.";
    return "Nothing here.";
  }

  private renderNothing() {
    return html`<div class="empty stack">
      <p>No files yet. Choose G-code that your slicer made, or drop it anywhere on this page.</p>
      <div>
        ${button({
          label: "Choose files",
          icon: "upload",
          reason: this.why("files"),
          onPress: () => this.chooser.click(),
        })}
      </div>
    </div>`;
  }

  private renderFolder(entry: FileEntry) {
    const count = countFiles(entry);
    return html`<li>
      ${this.renderEntry(entry, html`${icon("files")}`, `${count} ${count === 1 ? "file" : "files"}`, () =>
        this.open(entry.path),
      )}
      ${button({
        label: `Delete folder ${entry.name}`,
        icon: "remove",
        iconOnly: true,
        kind: "plain",
        reason: this.why("files"),
        busy: this.isPending(`delete ${entry.path}`),
        onPress: () => void this.deleteEntry(entry),
      })}
    </li>`;
  }

  private renderFile(entry: FileEntry) {
    const picture = entry.thumbnail
      ? html`<img src=${this.host.client.url(entry.thumbnail)} alt="" loading="lazy" />`
      : icon("file");
    const time = entry.gcodeAnalysis?.estimatedPrintTime;
    const facts = [
      time ? formatDuration(time) : "",
      entry.size === undefined ? "" : formatBytes(entry.size),
      entry.date === undefined ? "" : formatDay(new Date(entry.date * 1000), new Date()),
    ];
    const where = this.text.trim() === "" ? "" : parentPath(entry.path);
    const text = html`${[where, ...facts].filter((fact) => fact !== "").join(" · ")}${trouble(entry)}`;
    return html`<li class=${this.situation.snapshot?.selected?.path === entry.path ? "selected" : ""}>
      ${this.renderEntry(entry, html`${picture}`, text, () => void this.details.show(entry))}
      ${button({
        label: `Print ${entry.name}`,
        icon: "play",
        iconOnly: true,
        reason: this.why("print"),
        busy: this.isPending(`print ${entry.path}`),
        onPress: () => void this.print(entry),
      })}
    </li>`;
  }

  private renderEntry(entry: FileEntry, picture: TemplateResult, facts: string | TemplateResult, press: () => void) {
    return html`<button type="button" class="entry" @click=${press}>
      <span class="picture ${entry.type}">${picture}</span>
      <span>
        <span class="name">${entry.display ?? entry.name}</span>
        <span class="small soft number">${facts}</span>
      </span>
    </button>`;
  }

  private open(folder: string): void {
    this.text = "";
    this.host.files.update((state) => opened(state, folder));
  }

  private chosen(): void {
    const files = [...(this.chooser.files ?? [])];
    this.chooser.value = "";
    void this.upload(files);
  }

  /** Uploads to the open folder; asks before it replaces anything. */
  async upload(files: readonly File[]): Promise<void> {
    const { entries, folder } = this.host.files.value;
    const present = files.filter(({ name }) => entryAt(entries, joinPath(folder, name)));
    const names = present.map(({ name }) => name).join(", ");
    const replace =
      present.length === 0 ||
      (await ask({
        heading: present.length === 1 ? `Replace ${names}?` : `Replace ${present.length} files?`,
        text: present.length === 1 ? "A file of this name is here already." : `These are here already: ${names}.`,
        yes: "Replace",
        no: "Keep the old",
      }));
    this.host.uploader.add(replace ? files : files.filter((file) => !present.includes(file)), folder);
  }

  private async print(entry: FileEntry): Promise<void> {
    const done = await this.run(`print ${entry.path}`, () => selectFile(this.host.client, entry.path, true));
    if (!done) return;
    this.details.close();
    this.dispatchEvent(new CustomEvent(GO, { detail: "print", bubbles: true, composed: true }));
  }

  private async deleteEntry(entry: FileEntry): Promise<void> {
    const count = countFiles(entry);
    const inside = `Its ${count === 1 ? "file goes" : `${count} files go`} with it. `;
    const sure = await ask({
      heading: `Delete ${entry.display ?? entry.name}?`,
      text: `${entry.type === "folder" && count > 0 ? inside : ""}This can't be undone.`,
      yes: "Delete",
      danger: true,
    });
    if (!sure) return;
    this.details.close();
    if (await this.run(`delete ${entry.path}`, () => deleteFile(this.host.client, entry.path))) {
      await this.host.reloadFiles();
    }
  }

  private readonly createFolder = async (): Promise<void> => {
    const { folder } = this.host.files.value;
    const name = await askText({ heading: "New folder", text: "", field: "Name", yes: "Create", no: "Don't" });
    if (!name) return;
    if (!(await this.run("folder", () => createFolder(this.host.client, folder, name)))) return;
    await this.host.reloadFiles();
    this.open(joinPath(folder, name));
  };
}

/** What somebody should look at before printing a file; its details tell more. */
function trouble({ analysisError, warnings = [] }: FileEntry): TemplateResult | typeof nothing {
  if (analysisError) return html`<span class="trouble"> · could not be read</span>`;
  if (warnings.length === 0) return nothing;
  return html`<span class="trouble"> · ${warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`}</span>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-file-panel": FilePanel;
  }
}

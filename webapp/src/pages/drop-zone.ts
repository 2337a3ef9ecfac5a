import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icon } from "../ui/icons";
import { sharedStyles } from "../ui/styles";

/**
 * Takes files that are dropped anywhere on the page. Sends `files` with them, and `folders` where there were some:
 * what is in them can't be read the same way.
 */
@customElement("bp-drop-zone")
export class DropZone extends LitElement {
  @property() folder = "";
  @state() private over = false;

  static override styles = [
    sharedStyles,
    css`
      .zone {
        position: fixed;
        inset: 0;
        z-index: 30;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: var(--space-3);
        background: var(--backdrop);
        pointer-events: none;
      }
      .zone > div {
        display: grid;
        justify-items: center;
        gap: var(--space-3);
        padding: var(--space-6);
        border: 3px dashed var(--accent);
        border-radius: var(--radius-large);
        background: var(--surface);
        font-size: var(--text-large);
        font-weight: 600;
      }
      .icon {
        font-size: 2rem;
        color: var(--accent);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("dragover", this.dragged);
    window.addEventListener("dragleave", this.left);
    window.addEventListener("drop", this.dropped);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("dragover", this.dragged);
    window.removeEventListener("dragleave", this.left);
    window.removeEventListener("drop", this.dropped);
  }

  override render() {
    if (!this.over) return nothing;
    return html`<div class="zone">
      <div>${icon("upload")} Drop to upload${this.folder ? ` to ${this.folder}` : ""}</div>
    </div>`;
  }

  private readonly dragged = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.over = true;
  };

  /** Only leaving the window counts, not moving from element to element. */
  private readonly left = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.over = false;
  };

  private readonly dropped = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.over = false;
    const items = [...event.dataTransfer.items].filter(({ kind }) => kind === "file");
    const folders = items.filter((item) => item.webkitGetAsEntry()?.isDirectory);
    const files = items
      .filter((item) => !folders.includes(item))
      .flatMap((item) => item.getAsFile() ?? []);
    if (folders.length > 0) this.dispatchEvent(new Event("folders"));
    if (files.length > 0) this.dispatchEvent(new CustomEvent<File[]>("files", { detail: files }));
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-drop-zone": DropZone;
  }
}

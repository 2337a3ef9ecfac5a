import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Upload, Uploads } from "../stores/uploads";
import { button } from "../ui/button";
import { sharedStyles } from "../ui/styles";
import { formatBytes } from "../util/format-bytes";
import { formatPercent } from "../util/format-percent";
import type { PanelHost } from "./contract";

/** The files on their way to the host, with their progress. */
@customElement("bp-upload-list")
export class UploadList extends LitElement {
  @property({ attribute: false }) uploads: Uploads = [];
  @property({ attribute: false }) uploader!: PanelHost["uploader"];

  static override styles = [
    sharedStyles,
    css`
      ul {
        display: grid;
        gap: var(--space-2);
        padding: var(--space-2) var(--space-2) var(--space-2) var(--space-3);
        border-radius: var(--radius);
        background: var(--surface-raised);
      }
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        align-items: center;
        gap: 0 var(--space-2);
      }
      .name {
        overflow-wrap: anywhere;
      }
      progress {
        margin: var(--space-1) 0;
      }
      .done progress {
        color: var(--good);
      }
      .problem {
        color: var(--bad);
      }
    `,
  ];

  override render() {
    if (this.uploads.length === 0) return nothing;
    return html`<ul aria-label="Uploads">
      ${repeat(
        this.uploads,
        ({ id }) => id,
        (upload) => this.renderUpload(upload),
      )}
    </ul>`;
  }

  private renderUpload(upload: Upload) {
    const { id, name, state, progress, problem } = upload;
    return html`<li class=${state}>
      <div>
        <div class="name">${name}</div>
        ${state === "failed"
          ? html`<div class="small problem" role="alert">${problem}</div>`
          : html`<progress max="1" value=${progress} aria-label="Upload of ${name}"></progress>
              <div class="small soft number">${stateText(upload)}</div>`}
      </div>
      <div class="row">
        ${state === "failed"
          ? button({ label: "Try again", icon: "refresh", onPress: () => this.uploader.retry(id) })
          : nothing}
        ${state === "done"
          ? nothing
          : button({
              label: state === "failed" ? `Remove ${name} from this list` : `Give up the upload of ${name}`,
              icon: "close",
              iconOnly: true,
              kind: "plain",
              onPress: () => this.uploader.remove(id),
            })}
      </div>
    </li>`;
  }
}

function stateText({ state, progress, size }: Upload): string {
  if (state === "waiting") return `Waiting · ${formatBytes(size)}`;
  if (state === "done") return `Uploaded · ${formatBytes(size)}`;
  return `${formatPercent(progress * 100)} of ${formatBytes(size)}`;
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-upload-list": UploadList;
  }
}

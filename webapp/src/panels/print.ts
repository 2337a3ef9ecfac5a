import { css, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { selectFile } from "../api/files";
import { cancelJob, pauseJob, resumeJob, startJob } from "../api/job";
import type { FileRef, JobState, JobView } from "../generated/messages";
import { describe, describeHeating, describeOutcome } from "../stores/describe";
import { entryAt } from "../stores/files";
import { isBusy, isConnected, jobState } from "../stores/situation";
import { ask } from "../ui/ask";
import { button } from "../ui/button";
import "../ui/card";
import { icon } from "../ui/icons";
import { message } from "../ui/message";
import { sharedStyles } from "../ui/styles";
import { baseName } from "../util/base-name";
import { formatDuration } from "../util/format-duration";
import { formatLength } from "../util/format-length";
import { formatMoment } from "../util/format-moment";
import { formatPercent } from "../util/format-percent";
import type { PanelHost } from "./contract";
import { GO } from "./go";
import { Panel } from "./panel";


/** What takes its time, and why. */
const NOTES: Partial<Record<JobState, string>> = {
  pausing: "Pausing: the printer ends what it does first",
  cancelling: "Cancelling: the printer ends what it does first",
  finishing: "Finishing: the last moves are made",
};

/** What a firmware says while it waits for a press of its own button. */
const WAITING: ReadonlySet<string> = new Set(["paused for user", "paused for input"]);

/** The print: what runs, how far it is, and what can be done with it; or what could be printed next. */
@customElement("bp-print-panel")
export class PrintPanel extends Panel {
  static override styles = [
    sharedStyles,
    css`
      .file {
        display: flex;
        align-items: center;
        gap: var(--space-3);
      }
      .picture {
        flex: none;
        display: grid;
        place-items: center;
        width: 4.5rem;
        height: 4.5rem;
        border-radius: var(--radius);
        background: var(--surface-raised);
        color: var(--ink-soft);
        overflow: hidden;
      }
      .picture img {
        width: 100%;
        height: 100%;
        object-fit: contain;
      }
      .name {
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .progress {
        display: grid;
        grid-template-columns: auto 1fr;
        align-items: baseline;
        column-gap: var(--space-3);
      }
      .percent {
        font-size: var(--text-huge);
        font-weight: 650;
        line-height: 1.1;
        letter-spacing: -0.02em;
      }
      .place {
        text-align: right;
      }
      progress {
        grid-column: 1 / -1;
        height: 0.75rem;
        margin-top: var(--space-2);
      }
      .paused progress {
        color: var(--warning);
      }
      dl {
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: var(--space-2) var(--space-3);
        padding: var(--space-3);
        border-radius: var(--radius);
        background: var(--surface-raised);
      }
      dt {
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      dd {
        font-weight: 600;
      }
      @media (max-width: 379px) {
        dl {
          padding: var(--space-2);
          gap: var(--space-2);
          font-size: 0.875rem;
        }
      }
      .buttons {
        display: grid;
        grid-auto-flow: column;
        grid-auto-columns: minmax(0, 1fr);
        gap: var(--space-2);
      }
      .empty {
        display: grid;
        justify-items: center;
        gap: var(--space-3);
        padding: var(--space-4) 0;
        text-align: center;
        color: var(--ink-soft);
      }
      .empty > .icon {
        font-size: 2rem;
      }
    `,
  ];

  protected override watched(host: PanelHost) {
    return [host.files];
  }

  override render() {
    return html`<bp-card heading="Print" icon="print">
      <div class="stack">${this.renderContent()}</div>
    </bp-card>`;
  }

  private renderContent() {
    const { snapshot } = this.situation;
    if (snapshot === null) return html`<p class="soft">Loading…</p>`;
    const { job, selected } = snapshot;
    if (job && isBusy(this.situation)) return this.renderJob(job);
    const ended = job && job.outcome !== null ? job : null;
    const next = selected && selected.path !== ended?.file.path ? selected : null;
    if (!ended && !next) return this.renderEmpty();
    return html`${ended ? this.renderEnded(ended, next === null) : nothing}
    ${next ? this.renderSelected(next) : nothing}`;
  }

  private renderJob(job: JobView) {
    const stateNow = jobState(this.situation);
    return html`
      ${this.renderFile(job.file, NOTES[stateNow] ?? describe(this.situation).text)}
      ${job.problem
        ? message("warning", job.problem.text, job.problem.hint ? html`<p>${job.problem.hint}</p>` : nothing)
        : nothing}
      ${WAITING.has(this.situation.snapshot?.busy ?? "")
        ? message("warning", "The printer waits for somebody at its own controls.")
        : nothing}
      <div class="progress value ${stateNow === "paused" ? "paused" : ""}">
        <span class="percent number">${formatPercent(job.completion)}</span>
        <span class="place number">${this.renderPlace(job)}</span>
        <progress max="100" value=${job.completion} aria-label="Progress of the print"></progress>
      </div>
      <dl class="value number">
        <div>
          <dt>Elapsed</dt>
          <dd>${formatDuration(job.elapsed)}</dd>
        </div>
        <div>
          <dt>Remaining</dt>
          <dd title=${remainingOrigin(job)}>${job.remaining === null ? "–" : formatDuration(job.remaining)}</dd>
        </div>
        <div>
          <dt>Done at</dt>
          <dd>${this.finish(job)}</dd>
        </div>
      </dl>
      <div class="buttons">
        ${stateNow === "paused" || stateNow === "resuming"
          ? button({
              label: "Resume",
              icon: "play",
              kind: "primary",
              reason: this.why("resume"),
              busy: this.isPending("resume"),
              onPress: () => void this.run("resume", () => resumeJob(this.host.client)),
            })
          : button({
              label: "Pause",
              icon: "pause",
              reason: this.why("pause"),
              busy: this.isPending("pause"),
              onPress: () => void this.run("pause", () => pauseJob(this.host.client)),
            })}
        ${button({
          label: "Cancel",
          icon: "cancel",
          kind: "danger",
          reason: this.why("cancel"),
          busy: this.isPending("cancel"),
          onPress: this.cancel,
        })}
      </div>
    `;
  }

  /** Where the print is: what it waits for while heating, else layer and height. */
  private renderPlace(job: JobView) {
    const heating = job.layer === null || this.situation.snapshot?.busy ? describeHeating(this.situation) : [];
    if (heating.length > 0) return heating.map((line) => html`<div>${line}</div>`);
    const layer = job.layer === null ? "" : `Layer ${job.layer}${job.layers === null ? "" : ` of ${job.layers}`}`;
    const height = job.z === null ? "" : `Z ${job.z.toFixed(2)} mm`;
    return html`${layer}<br />${height}`;
  }

  private finish(job: JobView): string {
    if (job.remaining === null) return "–";
    if (job.state === "paused") return "–";
    const now = new Date();
    return formatMoment(new Date(now.getTime() + job.remaining * 1000), now);
  }

  private renderEnded(job: JobView, canRepeat: boolean) {
    const { text, tone } = describeOutcome(job);
    return html`
      ${this.renderFile(job.file, "Last print")}
      ${message(
        tone === "good" || tone === "bad" ? tone : "neutral",
        text,
        job.problem
          ? html`<p>${job.problem.text}</p>
              ${job.problem.hint ? html`<p>${job.problem.hint}</p>` : nothing}`
          : nothing,
      )}
      ${canRepeat
        ? html`<div class="buttons">
            ${button({
              label: "Print again",
              icon: "refresh",
              kind: job.outcome === "done" ? "" : "primary",
              reason: this.why("print"),
              busy: this.isPending("start"),
              onPress: () => void this.run("start", () => selectFile(this.host.client, job.file.path, true)),
            })}
            ${button({ label: "Other file", icon: "files", onPress: this.goToFiles })}
          </div>`
        : nothing}
    `;
  }

  private renderSelected(file: FileRef) {
    const analysis = this.entry(file)?.gcodeAnalysis;
    const length = Object.values(analysis?.filament ?? {}).reduce((sum, use) => sum + use.length, 0);
    const facts = [
      analysis?.estimatedPrintTime ? `takes ${formatDuration(analysis.estimatedPrintTime)}` : "",
      length > 0 ? `${formatLength(length)} of filament` : "",
    ].filter((fact) => fact !== "");
    return html`
      ${this.renderFile(file, facts.length > 0 ? `Selected · ${facts.join(" · ")}` : "Selected")}
      <div class="buttons">
        ${button({
          label: "Start print",
          icon: "play",
          kind: "primary",
          reason: this.why("start"),
          busy: this.isPending("start"),
          onPress: () => void this.run("start", () => startJob(this.host.client)),
        })}
        ${button({ label: "Other file", icon: "files", onPress: this.goToFiles })}
      </div>
    `;
  }

  private renderEmpty() {
    const connected = isConnected(this.situation);
    return html`<div class="empty">
      ${icon("print")}
      <p>
        ${connected
          ? "The printer is ready. Choose a file to print."
          : "Connect the printer, then choose a file to print."}
      </p>
      ${button({ label: "Choose a file", icon: "files", kind: connected ? "primary" : "", onPress: this.goToFiles })}
    </div>`;
  }

  private renderFile(file: FileRef, note: string) {
    const thumbnail = this.entry(file)?.thumbnail;
    return html`<div class="file">
      <div class="picture">
        ${thumbnail ? html`<img src=${this.host.client.url(thumbnail)} alt="" />` : icon("file")}
      </div>
      <div class="grow">
        <div class="name">${baseName(file.path)}</div>
        <div class="small soft">${note}</div>
      </div>
    </div>`;
  }

  private entry(file: FileRef) {
    return entryAt(this.host.files.value.entries, file.path);
  }

  private readonly goToFiles = (): void => {
    this.dispatchEvent(new CustomEvent(GO, { detail: "files", bubbles: true, composed: true }));
  };

  private readonly cancel = async (): Promise<void> => {
    const sure = await ask({
      heading: "Cancel this print?",
      text: "It can't be continued afterwards. The heaters are turned off.",
      yes: "Cancel the print",
      no: "Keep printing",
      danger: true,
    });
    if (sure) await this.run("cancel", () => cancelJob(this.host.client));
  };
}

/** How sure the remaining time is. */
function remainingOrigin(job: JobView): string {
  if (job.remaining_origin === "analysis") return "From the file's own estimate";
  if (job.remaining_origin === "linear") return "From the pace so far";
  return "Not known yet";
}

declare global {
  interface HTMLElementTagNameMap {
    "bp-print-panel": PrintPanel;
  }
}

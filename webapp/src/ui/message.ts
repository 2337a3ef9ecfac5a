import { html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { icon } from "./icons";
import type { IconName } from "./icons";

export type MessageTone = "good" | "warning" | "bad" | "neutral";

const ICONS: Readonly<Record<MessageTone, IconName>> = {
  good: "check",
  warning: "warning",
  bad: "warning",
  neutral: "info",
};

/** A message that stays in its place: what happened, and below it what can be done. */
export function message(tone: MessageTone, text: string, more: unknown = nothing): TemplateResult {
  return html`<div class="message ${tone}" role=${tone === "bad" ? "alert" : "status"}>
    ${icon(ICONS[tone])}
    <div class="stack"><div><strong>${text}</strong>${more}</div></div>
  </div>`;
}

/** What is worth a message when one snapshot follows another. Pure functions. */
import type { PrinterSnapshot } from "../generated/messages";
import { baseName } from "../util/base-name";
import { formatDuration } from "../util/format-duration";
import type { Notice } from "./notices";

export type News = Pick<Notice, "kind" | "text">;

/** The news in `next`. A print that had ended before the page was opened is none. */
export function newsOf(previous: PrinterSnapshot | null, next: PrinterSnapshot): News | null {
  const before = previous?.job;
  const job = next.job;
  if (!job || before?.id !== job.id || before.outcome !== null || job.outcome === null) return null;
  const name = baseName(job.file.path);
  switch (job.outcome) {
    case "done":
      return { kind: "success", text: `${name} is printed. It took ${formatDuration(job.elapsed)}.` };
    case "cancelled":
      return { kind: "info", text: `${name} was cancelled.` };
    case "failed":
      return { kind: "error", text: `${name} failed. ${job.problem?.text ?? ""}`.trim() };
  }
}

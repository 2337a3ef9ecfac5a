import { formatMoment } from "./format-moment";

/** A moment as briefly as a list needs it: the time of day today, "yesterday", else the date. */
export function formatDay(moment: Date, now: Date, locale?: string): string {
  if (moment.toDateString() === now.toDateString()) return formatMoment(moment, now, locale);
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (moment.toDateString() === yesterday.toDateString()) return "yesterday";
  const sameYear = moment.getFullYear() === now.getFullYear();
  return moment.toLocaleDateString(locale, {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" }),
  });
}

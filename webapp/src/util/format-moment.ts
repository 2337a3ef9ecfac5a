const DAY = 24 * 3600 * 1000;

/** A time of day as people say it seen from `now`: "14:05", "tomorrow 03:10", "yesterday 22:40", "12 Nov 14:05". */
export function formatMoment(moment: Date, now: Date, locale?: string): string {
  const time = moment.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  const days = Math.round((midnight(moment) - midnight(now)) / DAY);
  if (days === 0) return time;
  if (days === 1) return `tomorrow ${time}`;
  if (days === -1) return `yesterday ${time}`;
  const sameYear = moment.getFullYear() === now.getFullYear();
  const date = moment.toLocaleDateString(locale, {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" }),
  });
  return `${date} ${time}`;
}

function midnight(moment: Date): number {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
}

// Days counted back by the calendar. A day is text such as 2026-10-31.

export const DAY = 86_400_000;

/** The first of so many whole months that end with a day. */
export function monthsBack(last: string, months: number): string {
  const end = new Date(Date.parse(last) + DAY);
  const start = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() - months, 1));
  const length = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 0)).getUTCDate();
  start.setUTCDate(Math.min(end.getUTCDate(), length));
  return start.toISOString().slice(0, 10);
}

/** The same day a year before; of 29 February, the 28th. */
export function shiftedYear(day: string): string {
  const year = String(Number(day.slice(0, 4)) - 1);
  const same = year + day.slice(4);
  return Number.isNaN(Date.parse(same)) || !new Date(same).toISOString().startsWith(same) ? `${year}-02-28` : same;
}

/** Dates and sizes in the user's language. */

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const SHORT_WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const SHORT_DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY_MS = 86_400_000;

function daysAgo(moment: Date, now: Date): number {
  const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(now) - midnight(moment)) / DAY_MS);
}

export function timeOf(iso: string): string {
  return TIME.format(new Date(iso));
}

/** A heading between messages: "Today", "Yesterday", a weekday, a date. */
export function dayOf(iso: string, now = new Date()): string {
  const moment = new Date(iso);
  const days = daysAgo(moment, now);
  return days === 0
    ? "Today"
    : days === 1
    ? "Yesterday"
    : days > 1 && days < 7
    ? WEEKDAY.format(moment)
    : DATE.format(moment);
}

/** A date for the list, as short as possible. */
export function momentOf(iso: string, now = new Date()): string {
  const moment = new Date(iso);
  const days = daysAgo(moment, now);
  return days === 0
    ? TIME.format(moment)
    : days > 0 && days < 7
    ? SHORT_WEEKDAY.format(moment)
    : SHORT_DATE.format(moment);
}

export function sizeOf(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)));
  const value = bytes / 1024 ** step;
  return `${value >= 10 || step === 0 ? Math.round(value) : value.toFixed(1)} ${units[step] ?? "B"}`;
}

/** "Ada", "Ada and Grace", "Ada, Grace and 2 more". */
export function listOf(names: readonly string[]): string {
  const [first = "", second = ""] = names;
  if (names.length <= 1) {
    return first;
  }
  return names.length === 2 ? `${first} and ${second}` : `${first}, ${second} and ${names.length - 2} more`;
}

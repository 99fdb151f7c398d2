// Times are shown and windows are cut in Asia/Shanghai, which has kept UTC+8 without summer time since 1992.
import { language } from "./language";

const ZONE = "Asia/Shanghai";
const OFFSET = 8 * 3_600_000;
const DAY = 86_400_000;

const locale = language === "zh" ? "zh-CN" : "en-GB";
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const longDate = new Intl.DateTimeFormat(locale, { timeZone: ZONE, year: "numeric", month: "long", day: "numeric", weekday: "long" });

/** Milliseconds shifted so that the UTC getters read Shanghai's clock. */
function shifted(instant: number): Date {
  return new Date(instant + OFFSET);
}

/** `2026-11-22 09:30` in Shanghai. */
export function minuteText(iso: string): string {
  const instant = Date.parse(iso);
  if (Number.isNaN(instant)) return iso;
  return shifted(instant).toISOString().slice(0, 16).replace("T", " ");
}

/** `09:30` for a time of today in Shanghai, `11-21` for one of another day. */
export function briefText(iso: string): string {
  const text = minuteText(iso);
  return text.startsWith(dayOf(Date.now())) ? text.slice(11) : text.slice(5, 10);
}

/** `09:30:05` in Shanghai. */
export function clockText(instant: Date): string {
  return clock.format(instant);
}

/** `2026年11月22日星期日` or `Sunday 22 November 2026`. */
export function dateText(instant: Date): string {
  return longDate.format(instant);
}

/** The Shanghai day of an instant, as `2026-11-22`. */
export function dayOf(instant: number): string {
  return shifted(instant).toISOString().slice(0, 10);
}

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) - OFFSET;
}

export const PRESETS = ["today", "week", "month", "year", "all"] as const;
export type Preset = (typeof PRESETS)[number];

/** A preset, or whole Shanghai days from `from` to `to`, both included, either open when empty. */
export type TimeWindow = { preset: Preset } | { from: string; to: string };

const DAYS: Record<Exclude<Preset, "all">, number> = { today: 1, week: 7, month: 30, year: 365 };

function stamp(instant: number): string {
  return new Date(instant).toISOString().replace(".000Z", "Z");
}

/**
 * The window as an OGC datetime interval, null for all time.
 *
 * Presets start at a midnight, today being the last of their days, so that the addresses of tiles
 * stay the same for a day and caches keep working.
 */
export function interval(window: TimeWindow, now = Date.now()): string | null {
  if ("preset" in window) {
    if (window.preset === "all") return null;
    const start = startOf(dayOf(now)) - (DAYS[window.preset] - 1) * DAY;
    return `${stamp(start)}/..`;
  }
  if (!window.from && !window.to) return null;
  const start = window.from ? stamp(startOf(window.from)) : "..";
  const end = window.to ? stamp(startOf(window.to) + DAY - 1) : "..";
  return `${start}/${end}`;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

export function windowText(window: TimeWindow): string {
  return "preset" in window ? window.preset : `${window.from}/${window.to}`;
}

export function readWindow(text: string): TimeWindow | null {
  const preset = PRESETS.find((name) => name === text);
  if (preset) return { preset };
  const [from = "", to = "", ...rest] = text.split("/");
  const valid = (day: string): boolean => day === "" || (DATE.test(day) && !Number.isNaN(Date.parse(day)));
  if (rest.length || !text.includes("/") || !valid(from) || !valid(to) || (from && to && from > to)) return null;
  return { from, to };
}

// Keeping a page alive for months: a reload each night, but only while the service answers.
import { request } from "../common/api";

const DAY = 86_400_000;
const FOUR_IN_SHANGHAI = 20 * 3_600_000; // in UTC
const SPREAD = 5 * 60_000; // several walls need not reload in the same second
const MINUTE = 60_000;

function untilFour(now: number): number {
  const left = (FOUR_IN_SHANGHAI - (now % DAY) + DAY) % DAY;
  // Just reloaded: the next one is tomorrow's.
  return left < SPREAD ? left + DAY : left;
}

/** A browser's own error page would never come back, so ask before leaving this one. */
async function reloadWhenReachable(): Promise<void> {
  try {
    await request("/healthz");
    location.reload();
  } catch {
    setTimeout(() => void reloadWhenReachable(), MINUTE);
  }
}

export function reloadNightly(): void {
  const delay = untilFour(Date.now()) + Math.random() * SPREAD;
  setTimeout(() => void reloadWhenReachable(), delay);
}

/** The session is over: the service then decides which page comes next. */
export function reloadForSession(): void {
  void reloadWhenReachable();
}

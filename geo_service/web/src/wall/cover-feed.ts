// The cover now, asked for again when cameras change. Whatever goes wrong, the wall stays as it is:
// the band goes only where the service has nothing to tell.
import type { CoverNow } from "./cover";

/** Heartbeats come in bursts: wait for the burst, and ask no more often than this. */
const GATHER = 500;
const APART = 3_000;
/** Also without news, lest a lost event leave the band behind. */
const REGULAR = 120_000;
const TIMEOUT = 30_000;
/** Older than this it is not "now" any more. */
const STALE = 600_000;

export class CoverFeed {
  private timer = 0;
  private started = 0;
  private busy = false;
  private again = false;
  private etag = "";
  private read = 0;

  constructor(private readonly show: (found: CoverNow | null) => void) {
    void this.ask();
  }

  /** Cameras, or what hides from them, have changed. */
  poke(): void {
    if (this.busy) this.again = true;
    else this.schedule(Math.max(GATHER, this.started + APART - Date.now()));
  }

  private schedule(delay: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), delay);
  }

  private async ask(): Promise<void> {
    this.busy = true;
    this.again = false;
    this.started = Date.now();
    const abort = new AbortController();
    const timeout = setTimeout(() => abort.abort(), TIMEOUT);
    try {
      const headers: Record<string, string> = this.etag ? { "If-None-Match": this.etag } : {};
      const response = await fetch("/api/coverage/now?by=grid", { credentials: "same-origin", signal: abort.signal, headers });
      if (response.ok) {
        this.etag = response.headers.get("ETag") ?? "";
        this.show((await response.json()) as CoverNow);
        this.read = Date.now();
      } else if (response.status === 304) this.read = Date.now();
      else if (response.status >= 400 && response.status < 500) this.show(null);
    } catch {
      // The header says already that the connection is lost.
    } finally {
      clearTimeout(timeout);
      this.busy = false;
    }
    if (this.read && Date.now() - this.read > STALE) {
      this.read = 0;
      this.etag = "";
      this.show(null);
    }
    this.schedule(REGULAR);
    if (this.again) this.poke();
  }
}

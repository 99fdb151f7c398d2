// The state of the town, asked for again whenever something may have changed.
import { Problem, read } from "../common/api";
import type { WallState } from "../common/contract";

/** Changes come in bursts: wait for the burst, but never show one later than a second or so. */
const GATHER = 300;
const APART = 1_000;
const REGULAR = 60_000;
const TIMEOUT = 15_000;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 30_000;

interface FeedListener {
  state(state: WallState): void;
  failed(): void;
  refused(): void;
}

export class Feed {
  private timer = 0;
  private due = Infinity;
  private started = 0;
  private busy = false;
  private again = false;
  private retry = FIRST_RETRY;

  constructor(private readonly listener: FeedListener) {
    void this.ask();
  }

  /** Something changed. */
  poke(): void {
    if (this.busy) this.again = true;
    else this.schedule(Math.max(GATHER, this.started + APART - Date.now()));
  }

  private schedule(delay: number): void {
    const due = Date.now() + delay;
    if (due >= this.due) return; // an earlier one is on its way
    clearTimeout(this.timer);
    this.due = due;
    this.timer = window.setTimeout(() => void this.ask(), delay);
  }

  private async ask(): Promise<void> {
    this.due = Infinity;
    this.busy = true;
    this.again = false;
    this.started = Date.now();
    const abort = new AbortController();
    const timeout = setTimeout(() => abort.abort(), TIMEOUT);
    let next = REGULAR;
    try {
      const state = await read<WallState>("/api/wall", abort.signal);
      this.retry = FIRST_RETRY;
      this.listener.state(state);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.listener.refused();
      this.listener.failed();
      next = this.retry;
      this.retry = Math.min(this.retry * 2, LAST_RETRY);
    } finally {
      clearTimeout(timeout);
      this.busy = false;
    }
    this.schedule(next);
    if (this.again) this.poke();
  }
}

// What happens to the draft elsewhere, as it happens. The browser resumes after the last event by itself.
import type { LiveOperation } from "./contract";

const RETRY = 3_000;
/** Without any event for this long the connection is taken for dead. */
const SILENCE = 45_000;

export interface DraftListener {
  operation(operation: LiveOperation): void;
  state(): void;
  comment(): void;
  /** What happened meanwhile is unknown. */
  reset(): void;
  connected(up: boolean): void;
}

export class LiveDraft {
  private source: EventSource | null = null;
  private watchdog = 0;
  private retry = 0;
  private missed = false;

  constructor(
    private readonly draft: string,
    private readonly listener: DraftListener,
  ) {
    this.open();
  }

  private open(): void {
    this.source?.close();
    const source = new EventSource(`/api/drafts/${encodeURIComponent(this.draft)}/live`);
    this.source = source;
    source.onopen = () => this.alive();
    source.onerror = () => {
      this.listener.connected(false);
      if (source.readyState !== EventSource.CLOSED) return;
      this.missed = true; // a new connection knows no last event
      this.again();
    };
    const hear = (name: string, then: (data: string) => void): void => {
      source.addEventListener(name, (event) => {
        this.alive();
        then((event as MessageEvent<string>).data);
      });
    };
    hear("beat", () => undefined);
    hear("reset", () => this.listener.reset());
    hear("operation", (data) => this.listener.operation(JSON.parse(data) as LiveOperation));
    hear("state", () => this.listener.state());
    hear("comment", () => this.listener.comment());
  }

  private alive(): void {
    this.listener.connected(true);
    if (this.missed) this.listener.reset();
    this.missed = false;
    clearTimeout(this.watchdog);
    this.watchdog = window.setTimeout(() => {
      this.missed = true;
      this.listener.connected(false);
      this.open();
    }, SILENCE);
  }

  private again(): void {
    clearTimeout(this.retry);
    this.retry = window.setTimeout(() => this.open(), RETRY);
  }

  close(): void {
    clearTimeout(this.watchdog);
    clearTimeout(this.retry);
    this.source?.close();
    this.source = null;
  }
}

// The newest state of a camera in hand, asked about one after the other: no more than one question
// is under way, and one that dawdles while there is a newer state is given up.
const DAWDLES = 400;
/** After so long it is said that an answer is awaited. */
const SLOW = 700;

export class LiveView<Q, A> {
  private waiting: Q | null = null;
  private busy: { since: number; abort: AbortController } | null = null;
  private timer = 0;

  constructor(
    private readonly ask: (question: Q, signal: AbortSignal) => Promise<A>,
    private readonly answered: (answer: A, question: Q) => void,
    private readonly failed: (error: unknown) => void,
    private readonly slow: () => void,
  ) {}

  push(question: Q): void {
    this.waiting = question;
    if (!this.busy) void this.next();
    else if (!this.timer) {
      const left = this.busy.since + DAWDLES - performance.now();
      this.timer = window.setTimeout(() => this.busy?.abort.abort(), Math.max(left, 0));
    }
  }

  /** Nobody wants to know any more. */
  drop(): void {
    this.waiting = null;
    const { busy } = this;
    this.busy = null;
    clearTimeout(this.timer);
    this.timer = 0;
    busy?.abort.abort();
  }

  private async next(): Promise<void> {
    const question = this.waiting;
    if (question === null) return;
    this.waiting = null;
    const busy = { since: performance.now(), abort: new AbortController() };
    this.busy = busy;
    const late = setTimeout(() => this.slow(), SLOW);
    try {
      const answer = await this.ask(question, busy.abort.signal);
      if (busy === this.busy) this.answered(answer, question);
    } catch (error) {
      const left = error instanceof DOMException && error.name === "AbortError";
      if (busy === this.busy && !left) this.failed(error);
    }
    clearTimeout(late);
    if (busy !== this.busy) return;
    this.busy = null;
    clearTimeout(this.timer);
    this.timer = 0;
    void this.next();
  }
}

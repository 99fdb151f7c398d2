// Following work that the service does: asked for again and again, until it has ended.
import { Problem } from "../common/api";
import { element } from "../common/dom";
import { count } from "../common/format";
import type { ImportRecord } from "./contract";
import { record } from "./service";
import { tell } from "./words";

const PAUSE = 500;
const PAUSE_AFTER_FAILURE = 3_000;

export function isBusy({ state }: ImportRecord): boolean {
  return state === "queued" || state === "running";
}

/**
 * Ask for an import until its work has ended; `seen` hears every answer, `failed` every failure.
 *
 * Where the network is lost the work goes on without us, so the asking goes on too; a refusal ends
 * it. Returns what stops the asking.
 */
export function follow(id: string, seen: (now: ImportRecord) => void, failed: (error: unknown) => void): () => void {
  let timer = 0;
  let stopped = false;
  const ask = async (): Promise<void> => {
    try {
      const now = await record(id);
      if (stopped) return;
      seen(now);
      if (isBusy(now)) timer = window.setTimeout(() => void ask(), PAUSE);
    } catch (error) {
      if (stopped) return;
      failed(error);
      const passing = error instanceof Problem && (error.status === 0 || error.status >= 500);
      if (passing) timer = window.setTimeout(() => void ask(), PAUSE_AFTER_FAILURE);
    }
  };
  timer = window.setTimeout(() => void ask(), PAUSE);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** A bar with words beside it. */
export class ProgressBar {
  readonly root: HTMLElement;
  private readonly bar: HTMLProgressElement;
  private readonly words = element("span", { class: "progress-words" });

  constructor(name: string) {
    this.bar = element("progress", { max: "1", "aria-label": name });
    this.root = element("div", { class: "progress" }, element("b", {}, name), this.bar, this.words);
  }

  /** `share` null: nobody knows how long. */
  share(share: number | null, words = ""): void {
    if (share === null) this.bar.removeAttribute("value");
    else this.bar.value = share;
    this.words.textContent = words;
  }

  rows({ state, done, total }: ImportRecord): void {
    if (state === "queued") this.share(null, tell("waiting"));
    else if (total) this.share(Math.min(done / total, 1), tell("progress", { done: count(done), total: count(total) }));
    else this.share(null, done ? tell("progressOpen", { done: count(done) }) : "");
  }
}

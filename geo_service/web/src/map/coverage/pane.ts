// A part of the card that waits for an answer: busy, failed with a sentence, or the answer drawn.
import { element } from "../../common/dom";
import { words } from "./words";

const SLOW = 4_000;

export class Pane<T> {
  readonly root = element("div", { class: "cv-pane" });
  /** What was asked last and answered. */
  answer: T | null = null;
  private asking: AbortController | null = null;
  private key: string | null = null;

  constructor(private readonly draw: (answer: T) => (Node | null)[]) {}

  /** Ask unless the answer to the same question stands there already. */
  async load(key: string, ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    if (key === this.key) return;
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    this.key = key;
    const again = (): void => {
      this.key = null;
      void this.load(key, ask);
    };
    const slow = this.busy();
    try {
      const answer = await ask(asking.signal);
      if (asking !== this.asking) return;
      this.answer = answer;
      this.redraw();
    } catch (error) {
      if (asking !== this.asking) return;
      this.answer = null;
      const left = error instanceof DOMException && error.name === "AbortError";
      this.failed(left ? words("cancelled") : error instanceof Error ? error.message : String(error), again);
    } finally {
      clearTimeout(slow);
      if (asking === this.asking) this.root.setAttribute("aria-busy", "false");
    }
  }

  redraw(): void {
    if (this.answer !== null) this.fill(this.draw(this.answer));
  }

  /** Nothing is asked any more; what stands there is taken away. */
  clear(): void {
    this.asking?.abort();
    this.asking = null;
    this.key = null;
    this.answer = null;
    this.root.replaceChildren();
  }

  /** The answer is of before: keep it in sight, and say so. */
  stale(again: () => void): void {
    this.key = null;
    if (this.answer === null || this.root.querySelector(".cv-stale")) return;
    const run = element("button", { type: "button", class: "hs-link" }, words("again"));
    run.addEventListener("click", again);
    this.root.prepend(element("p", { class: "cv-stale", role: "status" }, words("changed"), " ", run));
  }

  private fill(content: (Node | null)[]): void {
    this.root.replaceChildren(...content.filter((node): node is Node => node !== null));
  }

  private busy(): number {
    const text = element("span", {}, words("computing"));
    const cancel = element("button", { type: "button", class: "hs-second" }, words("cancel"));
    cancel.addEventListener("click", () => this.asking?.abort());
    this.root.setAttribute("aria-busy", "true");
    this.fill([element("div", { class: "hs-busy", role: "status" }, element("i", { class: "hs-spinner", "aria-hidden": "true" }), text, cancel)]);
    return window.setTimeout(() => (text.textContent = words("slow")), SLOW);
  }

  private failed(sentence: string, again: () => void): void {
    const retry = element("button", { type: "button", class: "hs-second" }, words("retry"));
    retry.addEventListener("click", again);
    this.fill([element("div", { class: "hs-failed", role: "alert" }, element("p", {}, sentence), retry)]);
  }
}

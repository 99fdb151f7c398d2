// A part of the card that waits for an answer: busy, failed with a sentence, or the answer drawn.
import { element } from "../../common/dom";
import { busy, failed } from "../waiting";
import { words } from "./words";

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
    this.root.setAttribute("aria-busy", "true");
    this.fill([busy(words("slow"), () => asking.abort())]);
    try {
      const answer = await ask(asking.signal);
      if (asking !== this.asking) return;
      this.answer = answer;
      this.redraw();
    } catch (error) {
      if (asking !== this.asking) return;
      this.answer = null;
      this.fill([failed(error, again)]);
    } finally {
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
    if (this.answer === null || this.root.querySelector(".stale")) return;
    const run = element("button", { type: "button", class: "link" }, words("again"));
    run.addEventListener("click", again);
    this.root.prepend(element("p", { class: "stale", role: "status" }, words("changed"), " ", run));
  }

  private fill(content: (Node | null)[]): void {
    this.root.replaceChildren(...content.filter((node): node is Node => node !== null));
  }
}

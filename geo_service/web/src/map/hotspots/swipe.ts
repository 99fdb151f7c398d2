// The two periods under a curtain: before at its left, now at its right. Arrow keys move it too.
import { byId, element } from "../../common/dom";
import { word } from "./words";

export class Swipe {
  private readonly range = element("input", { type: "range", min: 0, max: 100, step: 1, value: 50, "aria-label": word("swipe") });
  private readonly line = element("div", { class: "hs-curtain" }, element("i", {}));
  private readonly left = element("span", { class: "hs-side hs-left" });
  private readonly right = element("span", { class: "hs-side hs-right" });
  readonly root = element("div", { class: "hs-swipe", hidden: true }, this.range, this.line);
  share = 0.5;

  /** `frame` is what the curtain lies over, the whole window by default. */
  constructor(
    private readonly moved: () => void,
    private readonly frame: HTMLElement | null = null,
  ) {
    this.line.append(this.left, this.right);
    if (frame) frame.append(this.root);
    else byId("map").after(this.root);
    this.range.addEventListener("input", () => this.set(Number(this.range.value) / 100));
    this.line.addEventListener("pointerdown", (event) => {
      this.line.setPointerCapture(event.pointerId);
      this.range.focus({ preventScroll: true });
      event.preventDefault();
    });
    this.line.addEventListener("pointermove", (event) => {
      const { left, width } = (this.frame ?? document.documentElement).getBoundingClientRect();
      if (this.line.hasPointerCapture(event.pointerId)) this.set((event.clientX - left) / width);
    });
  }

  private set(share: number): void {
    this.share = Math.min(1, Math.max(0, share));
    this.range.value = String(Math.round(this.share * 100));
    this.root.style.setProperty("--share", `${this.share * 100}%`);
    this.moved();
  }

  /** `middle` is the share of the width where the part of the map that can be seen has its middle. */
  show(before: string, now: string, middle: number): void {
    this.left.textContent = before;
    this.right.textContent = now;
    if (this.root.hidden) this.set(middle);
    this.root.hidden = false;
  }

  hide(): void {
    this.root.hidden = true;
  }
}

// What stands in a card while an answer is awaited, and where none came.
import { element } from "../common/dom";
import { say } from "../common/language";

const SLOW = 4_000;

/** Says that something is computed, after a while in other words; it can be cancelled. */
export function busy(slow: string, cancelled: () => void, said: (text: string) => void = () => undefined): HTMLElement {
  const text = element("span", {}, say("computing"));
  const cancel = element("button", { type: "button", class: "second" }, say("cancel"));
  cancel.addEventListener("click", cancelled);
  const root = element("div", { class: "busy" }, element("i", { class: "spinner", "aria-hidden": "true" }), text, cancel);
  said(say("computing"));
  setTimeout(() => {
    if (!root.isConnected) return;
    text.textContent = slow;
    said(slow);
  }, SLOW);
  return root;
}

/** Says why there is no answer, and offers to try again. */
export function failed(error: unknown, again: () => void): HTMLElement {
  const left = error instanceof DOMException && error.name === "AbortError";
  const sentence = left ? say("cancelled") : error instanceof Error ? error.message : String(error);
  const retry = element("button", { type: "button", class: "second" }, say("retry"));
  retry.addEventListener("click", again);
  return element("div", { class: "failed", role: "alert" }, element("p", {}, sentence), retry);
}

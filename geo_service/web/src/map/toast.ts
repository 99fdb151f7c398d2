// Short messages at the edge of the map. The box is a live region, so screen readers say them too.
import { button, byId, element } from "../common/dom";
import { say } from "../common/language";

const STAY = 7_000;
const MOST = 4;

/** Show a sentence; one with the same key as another that is still shown takes its place. */
export function toast(sentence: string, key = sentence): void {
  const box = byId("toasts");
  for (const shown of [...box.children]) {
    if ((shown as HTMLElement).dataset.key === key) shown.remove();
  }
  const close = button(say("dismiss"), "toast-close", "×");
  const note = element("div", { class: "toast", "data-key": key }, element("span", {}, sentence), close);
  close.addEventListener("click", () => note.remove());
  box.append(note);
  while (box.children.length > MOST) box.firstElementChild?.remove();
  setTimeout(() => note.remove(), STAY);
}

/** Show what went wrong, unless it is only an answer that nobody waits for any more. */
export function toastProblem(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  toast(error instanceof Error ? error.message : String(error));
}

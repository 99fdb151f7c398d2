// What went wrong, in one sentence at the top of the page, with what can be done about it.
import { Problem } from "../common/api";
import { button, byId, element } from "../common/dom";
import { signInAddress } from "../map/account";
import { tell } from "./words";

export function clearFailure(): void {
  const box = byId("notice");
  box.hidden = true;
  box.replaceChildren();
}

/** Show a sentence with buttons beside it. */
export function note(sentence: string, ...actions: HTMLElement[]): void {
  const box = byId("notice");
  const close = button(tell("close"), "notice-close", "×");
  close.addEventListener("click", clearFailure);
  box.replaceChildren(element("p", {}, sentence), ...actions, close);
  box.hidden = false;
}

/** Show a failure; `again` is what “try again” does. */
export function failed(error: unknown, again: (() => void) | null = null): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  const actions: HTMLElement[] = [];
  let sentence = error instanceof Error ? error.message : String(error);
  if (error instanceof Problem && error.status === 401) {
    sentence = tell("sessionEnded");
    actions.push(element("a", { href: signInAddress() }, tell("signIn")));
  } else if (error instanceof Problem && error.status === 0 && again) sentence = tell("networkLost");
  if (again) {
    const retry = element("button", { type: "button" }, tell("retry"));
    retry.addEventListener("click", () => {
      clearFailure();
      again();
    });
    actions.push(retry);
  }
  note(sentence, ...actions);
}

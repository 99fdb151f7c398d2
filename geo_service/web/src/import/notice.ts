// What went wrong, in one sentence at the top of the page, with what can be done about it.
import { Problem } from "../common/api";
import { button, byId, element } from "../common/dom";
import { say } from "../common/language";
import { signInAddress } from "../map/account";
import { tell } from "./words";

type Again = (() => void) | null;

/** Tell a screen reader quietly. */
export function announce(sentence: string): void {
  byId("said").textContent = sentence;
}

export function clearNotice(): void {
  const box = byId("notice");
  box.hidden = true;
  box.replaceChildren();
}

function show(sentence: string, ...actions: HTMLElement[]): void {
  const box = byId("notice");
  const close = button(tell("close"), "notice-close", "×");
  close.addEventListener("click", clearNotice);
  box.replaceChildren(element("p", {}, sentence), ...actions, close);
  box.hidden = false;
}

export function notice(sentence: string): void {
  show(sentence);
}

/** Whether nobody waits for the answer any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Show a failure; `again` is what “try again” does. */
export function failure(error: unknown, again: Again = null): void {
  if (isAbort(error)) return;
  const actions: HTMLElement[] = [];
  let sentence = error instanceof Error ? error.message : String(error);
  if (error instanceof Problem) {
    if (error.status === 401) {
      sentence = tell("sessionEnded");
      actions.push(element("a", { href: signInAddress() }, tell("signIn")));
    } else if (error.status === 0) sentence = tell("networkLost");
    // A proxy in between answers with a page of its own.
    else if (error.status === 413 && sentence === say("unexpected", { status: 413 })) sentence = tell("tooLarge");
    if (again && (error.status === 0 || error.status >= 500)) {
      const retry = element("button", { type: "button" }, tell("retry"));
      retry.addEventListener("click", () => {
        clearNotice();
        again();
      });
      actions.push(retry);
    }
  }
  show(sentence, ...actions);
}

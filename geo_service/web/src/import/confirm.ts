// A question in place: the button gives way to “are you sure”, and comes back.
import { element } from "../common/dom";

let made = 0;

/** Ask beside `asked`, which is hidden meanwhile; the safe answer has the focus, Escape is no. */
export function confirm(asked: HTMLElement, question: string, yes: string, no: string, agreed: () => void): void {
  made += 1;
  const words = element("span", { id: `question-${made}` }, question);
  const sure = element("button", { type: "button", class: "danger" }, yes);
  const keep = element("button", { type: "button" }, no);
  const box = element("div", { class: "confirm", role: "group", "aria-labelledby": words.id }, words, keep, sure);
  const close = (): void => {
    box.remove();
    asked.hidden = false;
    asked.focus();
  };
  keep.addEventListener("click", close);
  sure.addEventListener("click", () => {
    close();
    agreed();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  asked.hidden = true;
  asked.after(box);
  keep.focus();
}

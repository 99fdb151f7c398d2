// "How do you know?": what stands behind the figures, folded away below them.
import { element } from "../common/dom";
import { say } from "../common/language";

export function evidence(rows: readonly (readonly [title: string, lines: readonly string[]])[]): HTMLElement {
  const list = element("dl", {});
  for (const [title, lines] of rows) {
    list.append(element("dt", {}, title), element("dd", {}, ...lines.map((line) => element("div", {}, line))));
  }
  return element("details", { class: "evidence" }, element("summary", {}, say("evidence")), list);
}

/** Figures side by side, each under its title. */
export function facts(rows: readonly (readonly [title: string, value: string | Node])[]): HTMLElement {
  const list = element("dl", { class: "facts" });
  for (const [title, value] of rows) list.append(element("div", {}, element("dt", {}, title), element("dd", {}, value)));
  return list;
}

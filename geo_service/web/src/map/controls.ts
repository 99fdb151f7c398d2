// Small controls that the forms and the cards of the modes share.
import { element } from "../common/dom";

/** One of a few, as radio buttons that look like one bar: arrows move, a tab leaves. */
export class Segments<T extends string> {
  readonly root: HTMLElement;
  private readonly inputs: { value: T; input: HTMLInputElement }[] = [];

  constructor(name: string, title: string, options: readonly [T, string][], changed: (value: T) => void) {
    this.root = element("div", { class: "segments", role: "radiogroup", "aria-label": title });
    for (const [value, text] of options) {
      const input = element("input", { type: "radio", name, value, class: "unseen" });
      input.addEventListener("change", () => changed(value));
      this.inputs.push({ value, input });
      this.root.append(element("label", {}, input, element("span", {}, text)));
    }
  }

  get value(): T | null {
    return this.inputs.find(({ input }) => input.checked)?.value ?? null;
  }

  set value(value: T | null) {
    for (const entry of this.inputs) entry.input.checked = entry.value === value;
  }
}

export function row(title: string, ...content: (Node | string)[]): HTMLElement {
  return element("div", { class: "row" }, element("span", { class: "row-label", "aria-hidden": "true" }, title), element("div", { class: "row-field" }, ...content));
}

export function options(title: string, entries: readonly [string, string][]): HTMLSelectElement {
  const select = element("select", { "aria-label": title });
  for (const [value, text] of entries) select.append(element("option", { value }, text));
  return select;
}

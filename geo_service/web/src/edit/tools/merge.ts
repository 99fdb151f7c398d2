// 合并: neighbours are joined to the grid that is clicked first.
import type { Coordinate } from "ol/coordinate";

import { element } from "../../common/dom";
import { tell } from "../words";
import { type Context, editableAt, refusal, type Tool } from "./tool";

export class MergeTool implements Tool {
  readonly id = "merge";

  constructor(private readonly context: Context) {}

  start(): void {
    const { selection, session } = this.context;
    const codes = selection.codes.filter((code) => session.grids.editable(code));
    if (codes.length !== selection.codes.length) selection.set(codes);
  }

  stop(): void {}

  cancel(): boolean {
    const had = this.context.selection.codes.length > 0;
    this.context.selection.set([]);
    return had;
  }

  place(at: Coordinate): void {
    const { selection, session } = this.context;
    const code = editableAt(this.context, at);
    if (code === null) return;
    const { codes } = selection;
    if (codes.length === 0 || codes.includes(code) || codes.some((other) => selection.beside(other).includes(code))) {
      selection.toggle(code);
      this.context.changed();
    } else this.context.refuse(refusal("notNeighbour", at, { code: session.grids.title(code) }));
  }

  finish(): void {
    const { selection, session } = this.context;
    const [into, ...others] = selection.codes;
    if (into === undefined || others.length === 0) {
      this.context.refuse(refusal("chooseFirst", null));
      return;
    }
    void session.do({ operation: "merge", codes: [into, ...others], into }).then((outcome) => {
      if (outcome === "done") selection.set([into]);
    });
  }

  hint(): string {
    const { selection, session } = this.context;
    const [into, ...others] = selection.codes;
    if (into === undefined || others.length === 0) return tell("hintMerge");
    const titles = others.map((code) => session.grids.title(code)).join("、");
    return tell("hintMergeReady", { others: titles, into: session.grids.title(into) });
  }

  buttons(): HTMLElement[] {
    if (this.context.selection.codes.length < 2) return [];
    const apply = element("button", { type: "button", "data-act": "apply", class: "primary" }, tell("doMerge"));
    apply.addEventListener("click", () => this.finish());
    return [apply];
  }
}

// 选择: grids are chosen, one or, with Shift, several.
import type { Coordinate } from "ol/coordinate";

import { element } from "../../common/dom";
import { tell } from "../words";
import type { Context, Tool } from "./tool";

export class SelectTool implements Tool {
  readonly id = "select";

  /** Whether clicks choose several, as with Shift, which a finger has not. */
  private several = false;

  constructor(private readonly context: Context) {}

  start(): void {}

  stop(): void {}

  cancel(): boolean {
    const had = this.context.selection.codes.length > 0;
    this.context.selection.set([]);
    return had;
  }

  place(at: Coordinate, more: boolean): void {
    const { selection, session } = this.context;
    const grid = session.grids.at(at);
    const code = grid ? String(grid.getId()) : null;
    if (code === null) selection.set([]);
    else if (more || this.several) selection.toggle(code);
    else selection.set([code]);
  }

  hint(): string {
    return tell("hintSelect");
  }

  buttons(): HTMLElement[] {
    const made = element("button", { type: "button", "data-act": "several", class: "toggle", "aria-pressed": String(this.several) }, tell("several"));
    made.addEventListener("click", () => {
      this.several = !this.several;
      this.context.changed();
    });
    return [made];
  }
}

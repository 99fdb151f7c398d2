// What the colours of the grids mean.
import { element } from "../common/dom";
import type { Session } from "./session";
import { tell } from "./words";

export class Legend {
  readonly root = element("ul", { class: "edit-legend" });

  constructor(private readonly session: Session) {
    session.on("balance", () => this.show());
  }

  private show(): void {
    const { limits } = this.session;
    if (!limits) return;
    const [a, b] = limits;
    const lines = [
      ["below", tell("legendBelow", { n: a })],
      ["within", tell("legendWithin", { a, b })],
      ["above", tell("legendAbove", { n: b })],
      ["outside", tell("legendOutside")],
    ] as const;
    this.root.replaceChildren(...lines.map(([state, text]) => element("li", { "data-state": state }, element("i", { "aria-hidden": "true" }), text)));
  }
}

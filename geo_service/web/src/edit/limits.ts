// How many households a grid is to have; an administrator may set it for the town.
import { element } from "../common/dom";
import { setLimits } from "./service";
import type { Session } from "./session";
import { tell } from "./words";

/** Digits of the code of a town. */
const TOWN = 9;

export class Limits {
  readonly root = element("div", { class: "limits" });

  constructor(
    private readonly session: Session,
    private readonly failed: (error: unknown) => void,
  ) {
    session.on("balance", () => {
      if (!this.root.querySelector("form")) this.show();
    });
  }

  private show(): void {
    const [a, b] = this.session.limits ?? [0, 0];
    const change = element("button", { type: "button", class: "plain", hidden: !this.session.isAdmin, title: tell("limitsAbout") }, tell("change"));
    change.addEventListener("click", () => this.edit());
    this.root.replaceChildren(element("span", {}, tell("limits", { a, b })), change);
  }

  private edit(): void {
    const [a, b] = this.session.limits ?? [0, 0];
    const field = (value: number, word: "limitLow" | "limitHigh"): HTMLInputElement =>
      element("input", { type: "number", min: 1, max: 100_000, step: 1, value, required: true, "aria-label": tell(word) });
    const [low, high] = [field(a, "limitLow"), field(b, "limitHigh")];
    const save = element("button", { type: "submit", class: "primary" }, tell("save"));
    const leave = element("button", { type: "button" }, tell("cancel"));
    const form = element("form", { class: "limits-form", title: tell("limitsAbout") }, low, "–", high, tell("householdUnit"), save, leave);
    leave.addEventListener("click", () => this.show());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (low.valueAsNumber >= high.valueAsNumber) {
        high.setCustomValidity(tell("limitsWrong"));
        high.reportValidity();
        return;
      }
      void this.save(low.valueAsNumber, high.valueAsNumber);
    });
    form.addEventListener("input", () => high.setCustomValidity(""));
    this.root.replaceChildren(form);
    low.focus();
  }

  private async save(low: number, high: number): Promise<void> {
    const { session } = this;
    try {
      await setLimits(session.draft.area.slice(0, TOWN), low, high);
      await session.refreshBalance();
      this.show();
    } catch (error) {
      this.failed(error);
    }
  }
}

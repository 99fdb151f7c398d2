// The banner of open alerts; several take turns.
import type { WallAlert } from "../common/contract";
import { element } from "../common/dom";
import { count } from "../common/format";
import { say } from "../common/language";
import { dayOf } from "../common/times";

const TURN = 10_000;

export class Alerts {
  private readonly text = element("span");
  private readonly place = element("small");
  readonly root = element(
    "div",
    { class: "alerts", role: "status", hidden: true },
    element("b", {}, say("alertBanner")),
    this.text,
    this.place,
  );
  private alerts: WallAlert[] = [];
  private turn = 0;

  /** `moved` hears when the banner comes or goes: the map below it changes its height. */
  constructor(private readonly moved: () => void) {
    setInterval(() => {
      this.turn += 1;
      this.draw();
    }, TURN);
  }

  show(alerts: WallAlert[]): void {
    const shown = !this.root.hidden;
    this.alerts = alerts;
    this.draw();
    if (shown === this.root.hidden) this.moved();
  }

  private draw(): void {
    const alert = this.alerts[this.turn % (this.alerts.length || 1)];
    this.root.hidden = !alert;
    if (!alert) return;
    this.text.textContent = say("alertText", {
      kind: alert.kind,
      from: dayOf(Date.parse(alert.window_start)),
      to: dayOf(Date.parse(alert.window_end)),
      observed: count(alert.observed),
      expected: alert.expected === null ? say("none") : alert.expected.toFixed(1),
    });
    const many = this.alerts.length > 1;
    this.place.textContent = many ? `${(this.turn % this.alerts.length) + 1} / ${this.alerts.length}` : "";
  }
}

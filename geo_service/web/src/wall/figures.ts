// The key figures at the left.
import type { EventFigures, EventLayer, WallState } from "../common/contract";
import { element } from "../common/dom";
import { count } from "../common/format";
import { say } from "../common/language";
import type { Key } from "../text";

/** A number on the wall that lights up when it changes. */
class Figure {
  private readonly strong = element("strong", {}, say("none"));
  readonly root: HTMLElement;
  private value: string | null = null;

  constructor(title: Key, className: string, name: string) {
    this.strong.dataset.figure = name;
    this.root = element("div", { class: `figure ${className}` }, element("span", {}, say(title)), this.strong);
  }

  show(text: string, isZero = false): void {
    this.root.classList.toggle("zero", isZero);
    if (text === this.value) return;
    this.root.classList.toggle("long", text.length > 4);
    this.strong.textContent = text;
    if (this.value !== null) restart(this.strong, "changed");
    this.value = text;
  }
}

/** Run a CSS animation from its start even if it is running. */
export function restart(target: HTMLElement, className: string): void {
  target.classList.remove(className);
  void target.offsetWidth; // makes the browser notice the removal
  target.classList.add(className);
}

function row(...figures: Figure[]): HTMLElement {
  return element("div", { class: "figures" }, ...figures.map((figure) => figure.root));
}

class EventCard {
  readonly root: HTMLElement;
  private readonly figures: Record<Exclude<keyof EventFigures, "total">, Figure>;

  constructor(layer: EventLayer) {
    const { open, today, overdue, week, closed } = (this.figures = {
      open: new Figure("openCount", "main", `${layer}-open`),
      today: new Figure("todayCount", "second", `${layer}-today`),
      overdue: new Figure("overdueCount", "third warn", `${layer}-overdue`),
      week: new Figure("weekCount", "", `${layer}-week`),
      closed: new Figure("closedCount", "", `${layer}-closed`),
    });
    this.root = element(
      "section",
      { class: `card ${layer}` },
      element("h2", {}, element("b"), say(layer)),
      row(open, today),
      row(overdue, week, closed),
    );
  }

  show(state: EventFigures): void {
    for (const name of ["open", "today", "overdue", "week", "closed"] as const) {
      this.figures[name].show(count(state[name]), state[name] === 0);
    }
  }
}

const CAMERA_COLOURS = { online: "var(--good)", offline: "var(--idle)", fault: "var(--disputes)" } as const;
const CAMERA_STATES = ["online", "offline", "fault"] as const;

class CameraCard {
  private readonly figures = {
    online: new Figure("online", "main", "cameras-online"),
    offline: new Figure("offline", "third", "cameras-offline"),
    fault: new Figure("fault", "third warn", "cameras-fault"),
  };
  private readonly rate = new Figure("onlineRate", "second", "cameras-rate");
  private readonly total = new Figure("cameraTotal", "", "cameras-total");
  private readonly parts = CAMERA_STATES.map((state) => {
    const part = element("i");
    part.style.background = CAMERA_COLOURS[state];
    return { state, part };
  });
  readonly root = element(
    "section",
    { class: "card cameras" },
    element("h2", {}, element("b"), say("cameras")),
    row(this.figures.online, this.rate),
    element("div", { class: "split" }, ...this.parts.map(({ part }) => part)),
    row(this.figures.offline, this.figures.fault, this.total),
  );

  show(cameras: WallState["cameras"]): void {
    for (const { state, part } of this.parts) {
      this.figures[state].show(count(cameras[state]), cameras[state] === 0);
      part.style.flexGrow = String(cameras[state]);
      part.hidden = cameras[state] === 0;
    }
    this.total.show(count(cameras.total), cameras.total === 0);
    // Rounded down: 99.96 % online is not 100 %.
    const share = cameras.total ? Math.floor((cameras.online / cameras.total) * 100) : null;
    this.rate.show(share === null ? say("none") : `${share}%`);
  }
}

export class Figures {
  private readonly disputes = new EventCard("disputes");
  private readonly hazards = new EventCard("hazards");
  private readonly cameras = new CameraCard();
  readonly root = element(
    "div",
    { class: "column left" },
    this.disputes.root,
    this.hazards.root,
    this.cameras.root,
  );

  show(state: WallState): void {
    this.disputes.show(state.disputes);
    this.hazards.show(state.hazards);
    this.cameras.show(state.cameras);
  }
}

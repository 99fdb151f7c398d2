// Blind spots: where no camera sees, those that hold most first.
import { element } from "../../common/dom";
import { pick } from "../../common/language";
import { saveGeojson } from "../save";
import type { SpotsAnswer } from "./contract";
import type { Desk, Face, Saving } from "./desk";
import { evidenceOf } from "./figures";
import { Pane } from "./pane";
import { service } from "./service";
import { words } from "./words";

const NEAREST = 17.5;

export class SpotsFace implements Face {
  readonly savings = ["link", "geojson"] as const;
  private readonly pane = new Pane<SpotsAnswer>((answer) => this.draw(answer));
  private readonly least = element("select", { "aria-label": words("least") });
  readonly root: HTMLElement;

  constructor(private readonly desk: Desk) {
    for (const size of [50, 200, 1000, 5000]) this.least.append(element("option", { value: size }, `${size} m²`));
    this.least.value = "200";
    this.least.addEventListener("change", () => this.open());
    this.root = element("div", {}, element("label", { class: "form cv-inline" }, element("span", {}, words("least")), this.least), this.pane.root);
  }

  open(): void {
    const { edition, level, when, state } = this.desk.shown;
    const least = Number(this.least.value);
    void this.pane.load([edition, level, when, state, least].join("|"), (signal) => service.spots(this.desk.shown, least, signal));
    this.pane.redraw();
  }

  private draw(answer: SpotsAnswer): (Node | null)[] {
    const { desk } = this;
    desk.drawing.showSpots(answer);
    desk.say(pick(answer.summary));
    const list = element("ol", { class: "card-list" });
    for (const { properties: spot } of answer.features) {
      const go = element("button", { type: "button", "data-spot": spot.rank }, element("i", { class: "cv-rank" }, String(spot.rank)), element("span", {}, pick(spot.sentence)));
      go.addEventListener("click", () => {
        this.choose(spot.rank);
        desk.fit(desk.drawing.spotExtent(spot.rank), NEAREST);
      });
      list.append(element("li", {}, go));
    }
    const found = answer.features.length > 0;
    return [
      element("p", { class: "summary" }, pick(answer.summary)),
      found ? element("h3", {}, words("spotsList")) : element("p", { class: "nothing" }, words("noSpots")),
      found ? list : null,
      evidenceOf(answer.evidence),
    ];
  }

  /** Mark one in the list and on the map. */
  choose(rank: number): void {
    this.desk.drawing.chooseSpot(rank);
    for (const entry of this.root.querySelectorAll<HTMLElement>("[data-spot]")) {
      const current = entry.dataset.spot === String(rank);
      entry.toggleAttribute("aria-current", current);
      if (current) entry.scrollIntoView({ block: "nearest" });
    }
  }

  leave(): void {
    this.desk.drawing.showSpots(null);
  }

  stale(): void {
    this.pane.stale(() => this.open());
  }

  save(what: Saving): void {
    if (what !== "geojson" || !this.pane.answer) return;
    const { edition, level, when } = this.desk.shown;
    saveGeojson(`blind-spots_${edition}_${level}_${when}`, this.pane.answer);
  }
}

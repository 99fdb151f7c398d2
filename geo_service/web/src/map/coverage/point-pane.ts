// A place on the map: who sees it, and how well.
import { element } from "../../common/dom";
import { coordinateText, count } from "../../common/format";
import { pick } from "../../common/language";
import type { PointAnswer } from "./contract";
import type { Desk } from "./desk";
import { colourOf, levelOf } from "./ladder";
import { Pane } from "./pane";
import { service } from "./service";
import { words } from "./words";

export class PointPane {
  private readonly pane: Pane<PointAnswer>;
  private readonly where = element("small", {});
  private readonly tryHere = element("button", { type: "button", class: "second" }, words("tryHere"));
  readonly root: HTMLElement;

  constructor(private readonly desk: Desk) {
    this.pane = new Pane((answer) => this.draw(answer));
    this.root = element(
      "div",
      { hidden: true },
      element("div", { class: "cv-title" }, element("div", {}, element("h3", { class: "cv-heading" }, words("pointTitle")), this.where)),
      this.pane.root,
      element("div", { class: "buttons" }, this.tryHere),
    );
    this.tryHere.addEventListener("click", () => {
      const { point } = desk.shown;
      if (!point) return;
      const [lon, lat] = point;
      desk.change({ camera: null, point: null, draft: { lon, lat, azimuth: 0, tilt: null, mount_height: null, focal_length: null } });
    });
  }

  open(point: [number, number]): void {
    const { edition, when, state } = this.desk.shown;
    this.root.hidden = false;
    this.where.textContent = coordinateText(...point);
    this.desk.drawing.showMarks("point", [{ lon: point[0], lat: point[1] }]);
    void this.pane.load([...point, edition, when, state].join("|"), (signal) => service.point(point, this.desk.shown, signal));
  }

  leave(): void {
    this.root.hidden = true;
    this.pane.clear();
    this.desk.drawing.showMarks("point", []);
  }

  private draw({ seen_by: seers, in_building: inside, privacy_zone: zone, inside: within }: PointAnswer): (Node | null)[] {
    const text = !within ? words("outside") : inside ? words("inBuilding") : zone ? words("inZone") : seers.length ? words("seenBy", { n: seers.length }) : words("seenByNone");
    this.desk.say(text);
    const list = element("ol", { class: "card-list" });
    for (const seer of seers) {
      const face = element("i", { class: "cv-swatch", "aria-hidden": "true" });
      face.style.background = colourOf(this.desk.shown.edition, seer.level);
      const far = typeof seer.distance_m === "number" ? words("metres", { n: count(Math.round(seer.distance_m)) }) : null;
      const rest = [pick(levelOf(this.desk.shown.edition, seer.level)), far, seer.online ? null : words("offline")].filter(Boolean).join(" · ");
      const choose = element("button", { type: "button", "data-camera": seer.code }, face, element("span", {}, element("b", {}, seer.name ?? seer.code), element("small", {}, rest)));
      choose.addEventListener("click", () => this.desk.change({ camera: seer.code, draft: null }));
      list.append(element("li", {}, choose));
    }
    return [element("p", { class: "summary" }, text), seers.length ? list : null];
  }
}

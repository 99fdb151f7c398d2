// The legend: the ladder with its colours, and how much ground each step has.
import { byId, element } from "../../common/dom";
import { pick } from "../../common/language";
import type { Collection, CoverLevel, Edition } from "./contract";
import { ground } from "./figures";
import { colourOf, LADDERS } from "./ladder";
import { words } from "./words";

export class Legend {
  readonly root = element("section", { class: "cv-legend", "aria-label": words("legend"), hidden: true });

  constructor() {
    byId("map").after(this.root);
  }

  show(edition: Edition, level: string, title: string, cover: Collection<CoverLevel> | null): void {
    const areas = new Map(cover?.features.map(({ properties }) => [properties.level, properties.area_m2]));
    const list = element("ul", {});
    for (const step of [...LADDERS[edition]].reverse()) {
      const face = element("i", { "aria-hidden": "true" });
      face.style.background = colourOf(edition, step.level);
      const area = cover ? element("b", {}, ground(areas.get(step.level) ?? 0)) : null;
      list.append(element("li", { class: step.level === level ? "chosen" : "" }, face, element("span", {}, pick(step)), element("small", {}, `≥ ${step.px_per_m}`), area));
    }
    this.root.replaceChildren(element("h2", {}, title, element("small", {}, "px/m")), list);
    this.root.hidden = false;
  }

  hide(): void {
    this.root.hidden = true;
  }
}

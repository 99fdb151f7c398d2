// The legend: what each colour means, and how many cells have it.
import { byId, element } from "../../common/dom";
import { count } from "../../common/format";
import type { Look } from "./scale";
import { word } from "./words";

export interface LegendContent {
  title: string;
  rows: { look: Look; count: number | null }[];
}

export class Legend {
  readonly root = element("section", { class: "hs-legend", "aria-label": word("legend"), hidden: true });
  content: LegendContent | null = null;

  constructor() {
    byId("map").after(this.root);
  }

  show(content: LegendContent | null): void {
    this.content = content;
    this.root.hidden = content === null;
    if (!content) return;
    const list = element("ul", {});
    for (const { look, count: cells } of content.rows) {
      const face = element("i", { "aria-hidden": "true" }, look.mark);
      face.style.background = look.fill;
      face.style.borderColor = look.line;
      face.style.color = look.ink;
      const number = cells === null ? null : element("b", {}, count(cells));
      list.append(element("li", { class: cells === 0 ? "empty" : "" }, face, element("span", {}, look.title), number));
    }
    this.root.replaceChildren(element("h2", {}, content.title), list);
  }
}

/** The rows of a legend with how many cells have each look. */
export function counted(rows: Look[], looks: Iterable<Look>): LegendContent["rows"] {
  const numbers = new Map<string, number>();
  for (const { id } of looks) numbers.set(id, (numbers.get(id) ?? 0) + 1);
  return rows.map((look) => ({ look, count: numbers.get(look.id) ?? 0 }));
}

// The legend of a mode: what each colour means, and how much has it.
import { byId, element } from "../common/dom";
import { say } from "../common/language";

export interface LegendRow {
  fill: string;
  line: string;
  title: string;
  /** Written on the swatch, in a colour of its own. */
  mark?: string;
  ink?: string;
  note?: string;
  /** How much there is of it. */
  value?: string;
  /** The row that was asked about. */
  chosen?: boolean;
  /** There is none of it. */
  empty?: boolean;
}

export interface LegendContent {
  title: string;
  unit?: string;
  rows: readonly LegendRow[];
}

export class Legend {
  readonly root: HTMLElement;
  content: LegendContent | null = null;

  constructor(id: string) {
    this.root = element("section", { class: "map-legend", id, "aria-label": say("mapLegend"), hidden: true });
    byId("map").after(this.root);
  }

  /** Show this; null takes the legend away. */
  show(content: LegendContent | null): void {
    this.content = content;
    this.root.hidden = content === null;
    if (!content) return;
    const { title, unit = "", rows } = content;
    const noted = rows.some((row) => row.note);
    const lines = rows.map(({ fill, line, title: words, mark = "", ink = "", note = "", value, chosen = false, empty = false }) => {
      const face = element("i", { "aria-hidden": "true" }, mark);
      Object.assign(face.style, { background: fill, borderColor: line, color: ink });
      const parts = [face, element("span", {}, words), noted ? element("small", {}, note) : null, value === undefined ? null : element("b", {}, value)];
      return element("li", { class: [chosen ? "chosen" : "", empty ? "empty" : ""].join(" ").trim() }, ...parts);
    });
    this.root.replaceChildren(element("h2", {}, title, element("small", {}, unit)), element("ul", {}, ...lines));
  }
}

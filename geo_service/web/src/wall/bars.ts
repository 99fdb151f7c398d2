// Lists with bars: events by category, and the busiest grids.
import type { Code, EventLayer, WallState } from "../common/contract";
import { element } from "../common/dom";
import { count } from "../common/format";
import { pick, say } from "../common/language";
import { EVENT_LAYERS } from "./open";

interface Row {
  label: string;
  parts: { layer: EventLayer; value: number }[];
}

const CATEGORY_ROWS = 6;
const GRID_ROWS = 8;
const TURN = 20_000;

/** Show rows in the list, reusing its elements so that bars glide to their new length. */
function fill(list: HTMLElement, rows: Row[], most: number): void {
  const shown = rows.slice(0, most);
  const longest = Math.max(1, ...shown.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0)));
  while (list.children.length > shown.length) list.lastElementChild?.remove();
  while (list.children.length < shown.length) {
    list.append(element("li", {}, element("span", { class: "label" }), element("span", { class: "bar" }), element("span", { class: "value" })));
  }
  shown.forEach(({ label, parts }, index) => {
    const [name, bar, value] = list.children[index]?.children ?? [];
    if (!name || !bar || !value) return;
    name.textContent = label;
    value.textContent = count(parts.reduce((sum, part) => sum + part.value, 0));
    while (bar.children.length > parts.length) bar.lastElementChild?.remove();
    while (bar.children.length < parts.length) bar.append(element("i"));
    parts.forEach((part, at) => {
      const piece = bar.children[at] as HTMLElement;
      piece.className = part.layer;
      piece.style.width = `${(part.value / longest) * 100}%`;
    });
  });
  // Few rows must not be stretched over the whole card.
  list.style.gridTemplateRows = `repeat(${most}, minmax(0, 1fr))`;
}

/** The categories of disputes and of hazards, taking turns. */
export class Categories {
  private readonly title = element("span");
  private readonly list = element("ul", { class: "bars" });
  private readonly empty = element("div", { class: "empty", hidden: true }, say("noData"));
  readonly root: HTMLElement;
  private turn: EventLayer = "disputes";
  private state: WallState | null = null;

  constructor(private readonly codes: Record<EventLayer, Code[]>) {
    this.root = element("section", { class: "card" }, element("h2", {}, element("b"), this.title), this.list, this.empty);
    this.draw();
    setInterval(() => {
      const other = this.turn === "disputes" ? "hazards" : "disputes";
      // A kind of event that has not happened needs no turn.
      if (this.state?.categories[other].length) this.turn = other;
      this.draw();
    }, TURN);
  }

  show(state: WallState): void {
    this.state = state;
    this.draw();
  }

  private draw(): void {
    const layer = this.turn;
    this.root.className = `card ${layer}`;
    this.title.textContent = say(layer === "disputes" ? "categories" : "hazardCategories");
    const found = this.state?.categories[layer] ?? [];
    fill(this.list, found.map(({ code, count: value }) => ({ label: this.name(code), parts: [{ layer, value }] })), CATEGORY_ROWS);
    this.empty.hidden = this.state === null || found.length > 0;
    this.list.hidden = found.length === 0;
  }

  private name(code: string | null): string {
    const known = this.codes[this.turn].find((item) => item.code === code);
    return known ? pick(known) : (code ?? say("none"));
  }
}

export class Busiest {
  private readonly list = element("ul", { class: "bars grids" });
  private readonly empty = element("div", { class: "empty", hidden: true }, say("noData"));
  readonly root = element(
    "section",
    { class: "card" },
    element("h2", {}, element("b"), say("busiest")),
    this.list,
    this.empty,
  );

  show(state: WallState): void {
    const rows = state.busiest.map((grid) => ({
      label: grid.name ?? grid.grid,
      parts: EVENT_LAYERS.map((layer) => ({ layer, value: grid[layer] })).filter(({ value }) => value > 0),
    }));
    fill(this.list, rows, GRID_ROWS);
    this.empty.hidden = rows.length > 0;
    this.list.hidden = rows.length === 0;
  }
}

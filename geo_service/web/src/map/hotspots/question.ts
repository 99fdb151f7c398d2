// What is asked: kept in the address, sent to the processes, and put as a condition on the events.
import type { Shape } from "./contract";

export type View = "hot" | "change" | "compare";
export type CellKind = "grids" | "squares" | "hexagons";

export interface Question {
  layer: string;
  /** Codes of the layer's category; none means all. */
  categories: string[];
  area: string | null;
  /** Days of the town, both included. */
  from: string;
  to: string;
  cells: CellKind;
  /** Metres; null lets the service propose. */
  size: number | null;
  base: "none" | "households";
  alpha: number;
  step: "week" | "month";
  /** The period to compare with; null means as long, right before. */
  before: [from: string, to: string] | null;
}

/** What the mode shows: the question once it was asked, and where one is in its answer. */
export interface Shown {
  view: View;
  question: Question | null;
  /** The step of the time bar; null is the verdict over all steps. */
  step: number | null;
  cell: string | null;
  /** Comparing: both periods side by side under a slider, in place of the change. */
  swipe: boolean;
  /** Whether the layers of points are drawn over the cells. */
  points: boolean;
}

export const START: Shown = { view: "hot", question: null, step: null, cell: null, swipe: false, points: false };

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const CODE = /^[\w.-]{1,40}$/;

function days(text: string | undefined): [string, string] | null {
  const [from = "", to = "", ...rest] = (text ?? "").split("/");
  const valid = [from, to].every((day) => DAY.test(day) && !Number.isNaN(Date.parse(day)));
  return valid && rest.length === 0 && from <= to ? [from, to] : null;
}

/** The address's part: `change;layer=disputes;days=…`. */
export function shownText({ view, question, step, cell, swipe, points }: Shown): string {
  const parts: string[] = [view];
  const add = (name: string, value: string | number | null): void => {
    if (value !== null && value !== "") parts.push(`${name}=${value}`);
  };
  if (question) {
    add("layer", question.layer);
    add("kinds", question.categories.join(","));
    add("area", question.area);
    add("days", `${question.from}/${question.to}`);
    add("cells", question.cells);
    add("size", question.size);
    if (question.base !== "none") add("base", question.base);
    if (question.alpha !== 0.05) add("alpha", question.alpha);
    if (question.step !== "month") add("each", question.step);
    if (question.before) add("before", question.before.join("/"));
    if (view === "change") add("step", step);
    if (view === "compare" && swipe) add("swipe", 1);
    if (points) add("points", 1);
    add("cell", cell);
  }
  return parts.join(";");
}

export function readShown(text: string): Shown {
  const [view = "", ...parts] = text.split(";");
  const given = new Map(parts.map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]));
  const layer = given.get("layer") ?? "";
  const window = days(given.get("days"));
  const cells = given.get("cells") as CellKind;
  const [size, alpha, step] = ["size", "alpha", "step"].map((name) => Number(given.get(name) ?? NaN));
  const area = given.get("area") ?? "";
  const question: Question | null =
    CODE.test(layer) && window
      ? {
          layer,
          categories: (given.get("kinds") ?? "").split(",").filter((code) => CODE.test(code)),
          area: CODE.test(area) ? area : null,
          from: window[0],
          to: window[1],
          cells: ["grids", "squares", "hexagons"].includes(cells) ? cells : "grids",
          size: size && Number.isFinite(size) ? size : null,
          base: given.get("base") === "households" ? "households" : "none",
          alpha: alpha && alpha > 0 && alpha <= 0.2 ? alpha : 0.05,
          step: given.get("each") === "week" ? "week" : "month",
          before: days(given.get("before")),
        }
      : null;
  return {
    view: (["hot", "change", "compare"] as const).find((known) => known === view) ?? "hot",
    question,
    step: step !== undefined && Number.isInteger(step) && step >= 0 ? step : null,
    cell: given.get("cell") || null,
    swipe: given.get("swipe") === "1",
    points: given.get("points") === "1",
  };
}

/** CQL2 text for the categories, null for all of them. */
export function categoryFilter({ categories }: Question): string | null {
  if (!categories.length) return null;
  return `category IN (${categories.map((code) => `'${code.replace(/'/g, "''")}'`).join(", ")})`;
}

const PROCESS = { hot: "hot-spots", change: "emerging", compare: "compare" } as const;

export function processOf(view: View): string {
  return PROCESS[view];
}

/** The inputs of the process that answers this view of the question. */
export function inputsOf(view: View, question: Question): Record<string, unknown> {
  const { layer, area, from, to, cells, base, alpha, step, before } = question;
  const size = cells === "grids" ? null : question.size;
  const inputs = { layer, from, to, filter: categoryFilter(question), area, cells, size, alpha };
  if (view === "hot") return { ...inputs, base };
  if (view === "change") return { ...inputs, step };
  return { ...inputs, before_from: before?.[0] ?? null, before_to: before?.[1] ?? null };
}

function rings(polygon: number[][][]): string {
  return `(${polygon.map((ring) => `(${ring.map(([x, y]) => `${x} ${y}`).join(", ")})`).join(", ")})`;
}

function wkt({ type, coordinates }: Shape): string {
  if (type === "Polygon") return `POLYGON${rings(coordinates as number[][][])}`;
  return `MULTIPOLYGON(${(coordinates as number[][][][]).map(rings).join(", ")})`;
}

/**
 * CQL2 text for the events of one cell. Grids are counted by the code that each event carries, so
 * that one on a shared edge is in one grid only, as in the count.
 */
export function cellFilter(question: Question, id: string, geometry: Shape | null): string {
  const place = question.cells === "grids" || !geometry ? `grid_now = '${id.replace(/'/g, "''")}'` : `S_INTERSECTS(geom, ${wkt(geometry)})`;
  const area = question.area && question.cells !== "grids" ? `(area_now LIKE '${question.area}%' OR grid_now = '${question.area}')` : null;
  return [categoryFilter(question), area, place].filter((part) => part !== null).join(" AND ");
}

/** Days of the town as an OGC datetime interval. */
export function intervalOf(from: string, to: string): string {
  return `${from}T00:00:00+08:00/${to}T23:59:59.999+08:00`;
}

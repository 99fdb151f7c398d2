// What leaves the page: the map with its legend, the table, the whole answer.
import type ChartMap from "ol/Map";

import { request } from "../../common/api";
import { language, pick } from "../../common/language";
import { FONT } from "../styles";
import type { CellDocument, CellProperties, CompareAnswer, EmergingAnswer, HotAnswer } from "./contract";
import { evidenceLines } from "./evidence";
import type { LegendContent } from "./legend";
import { inputsOf, processOf, type Question, type View } from "./question";
import { kindTitle } from "./scale";
import { word } from "./words";

type AnyAnswer = HotAnswer | EmergingAnswer | CompareAnswer;

export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Spreadsheets run a text that starts like a formula, and quotes end a field. */
function field(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) && !/^-?[\d.,-]+$/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

type Cell<P> = CellDocument<P>;
type Column = [title: string, value: (cell: Cell<CellProperties>) => string | number | null | undefined];

function column<P extends CellProperties>(title: string, value: (properties: P) => string | number | null | undefined): Column {
  return [title, (cell) => value(cell.properties as unknown as P)];
}

function columns(view: View, answer: AnyAnswer): Column[] {
  const first: Column[] = [
    [word("cell"), (cell) => cell.id],
    [word("name"), (cell) => nameOf(cell)],
  ];
  if (view === "hot") {
    const { features } = (answer as HotAnswer).cells;
    const rated = features.some((cell) => cell.properties.rate !== undefined);
    type P = HotAnswer["cells"]["features"][number]["properties"];
    return [
      ...first,
      column<P>(word("count"), (cell) => cell.count),
      column<P>(word("expected"), (cell) => cell.expected),
      column<P>(word("around"), (cell) => cell.around),
      column<P>(`${word("around")} ${word("expected")}`, (cell) => cell.around_expected),
      ...(rated ? [column<P>(word("rate"), (cell) => cell.rate)] : []),
      column<P>(word("z"), (cell) => cell.z),
      column<P>(word("p"), (cell) => cell.p),
      column<P>(word("kind"), (cell) => kindTitle(cell.kind)),
    ];
  }
  if (view === "change") {
    const { categories, steps } = answer as EmergingAnswer;
    const titles = new Map(categories.map((category) => [category.id, pick(category)]));
    type P = EmergingAnswer["cells"]["features"][number]["properties"];
    return [
      ...first,
      column<P>(word("category"), (cell) => titles.get(cell.category) ?? cell.category),
      column<P>(word("count"), (cell) => cell.count),
      ...steps.map((step, at) => column<P>(`${step.from}/${step.to}`, (cell) => cell.steps.count[at])),
      ...steps.map((step, at) => column<P>(`z ${step.from}/${step.to}`, (cell) => cell.steps.z[at])),
    ];
  }
  type P = CompareAnswer["cells"]["features"][number]["properties"];
  return [
    ...first,
    column<P>(word("before"), (cell) => cell.before),
    column<P>(word("after"), (cell) => cell.after),
    column<P>(word("ratio"), (cell) => cell.ratio),
    column<P>(word("low"), (cell) => cell.low),
    column<P>(word("high"), (cell) => cell.high),
    column<P>(word("p"), (cell) => cell.p),
    column<P>(word("kind"), (cell) => kindTitle(cell.change)),
  ];
}

export function nameOf(cell: Cell<CellProperties>): string {
  return language === "zh" ? cell.properties.name : cell.properties.name_en;
}

/** Every cell with its figures, and below them what stands behind these. */
export function saveTable(name: string, view: View, answer: AnyAnswer): void {
  const wanted = columns(view, answer);
  const lines = [wanted.map(([title]) => field(title)).join(",")];
  for (const cell of answer.cells.features as Cell<CellProperties>[]) lines.push(wanted.map(([, value]) => field(value(cell))).join(","));
  lines.push("", field(pick(answer.summary)), ...evidenceLines(answer.evidence).map((row) => row.map(field).join(",")));
  // The byte order mark tells Excel that this is UTF-8.
  save(`${name}.csv`, new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" }));
}

/** The answer as GeoJSON: the cells as features, all else as members beside them. */
export function saveData(name: string, answer: AnyAnswer, asked: object): void {
  const { cells, ...rest } = answer;
  save(`${name}.geojson`, new Blob([JSON.stringify({ ...cells, ...rest, asked })], { type: "application/geo+json" }));
}

/** The answer as one HTML file with a map to move in: the service asks anew and writes it. */
export async function savePage(name: string, view: View, question: Question): Promise<void> {
  const response = await request(`/api/hotspots/${processOf(view)}/page?lang=${language}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: inputsOf(view, question) }),
  });
  save(`${name}.html`, await response.blob());
}

const EDGE = 14;
const LINE = 21;

function drawMap(map: ChartMap, context: CanvasRenderingContext2D, ratio: number): void {
  for (const canvas of map.getViewport()?.querySelectorAll<HTMLCanvasElement>(".ol-layers canvas") ?? []) {
    if (!canvas.width) continue;
    const opacity = canvas.parentElement?.style.opacity || canvas.style.opacity;
    context.globalAlpha = opacity === "" ? 1 : Number(opacity);
    const matrix = /^matrix\(([^)]*)\)$/.exec(canvas.style.transform)?.[1]?.split(",").map(Number);
    const [a = 1 / ratio, b = 0, c = 0, d = 1 / ratio, e = 0, f = 0] = matrix ?? [];
    context.setTransform(a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio);
    context.drawImage(canvas, 0, 0);
  }
  context.globalAlpha = 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

/** Break a text to a width: Chinese anywhere, English between words. */
function broken(context: CanvasRenderingContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const part of text.match(/[\x21-\x7e\u2012-\u2027]+|[^]/g) ?? []) {
    if (line && context.measureText(line + part).width > width) {
      lines.push(line);
      line = part.trimStart();
    } else line += part;
  }
  return line ? [...lines, line] : lines;
}

function box(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  context.fillStyle = "#fff";
  context.strokeStyle = "#d5dae0";
  context.lineWidth = 1;
  context.fillRect(x, y, width, height);
  context.strokeRect(x, y, width, height);
}

/** The view of the map as a picture that can be handed on: with title, summary, legend and scale. */
export async function savePicture(name: string, map: ChartMap, title: string, notes: string[], legend: LegendContent | null): Promise<void> {
  await new Promise<void>((resolve) => {
    map.once("rendercomplete", () => resolve());
    map.render();
  });
  const [width = 0, height = 0] = map.getSize() ?? [];
  const ratio = window.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = "#eceeec";
  context.fillRect(0, 0, canvas.width, canvas.height);
  drawMap(map, context, ratio);
  context.textBaseline = "middle";
  context.font = `12px ${FONT}`;
  const textWidth = Math.min(width - 8 * EDGE, 760);
  const lines = notes.flatMap((note) => broken(context, note, textWidth));
  box(context, EDGE, EDGE, textWidth + 2 * EDGE, 38 + lines.length * 18 + 6);
  context.fillStyle = "#1f2a37";
  context.font = `700 16px ${FONT}`;
  context.fillText(title, 2 * EDGE, EDGE + 22);
  context.font = `12px ${FONT}`;
  lines.forEach((line, at) => context.fillText(line, 2 * EDGE, EDGE + 46 + at * 18));
  if (legend) drawLegend(context, legend, height);
  drawScale(context, map, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) save(`${name}.png`, blob);
}

function drawLegend(context: CanvasRenderingContext2D, { title, rows }: LegendContent, height: number): void {
  context.font = `12px ${FONT}`;
  const widest = Math.max(...rows.map(({ look, count }) => context.measureText(`${look.title} ${count ?? ""}`).width));
  context.font = `600 13px ${FONT}`;
  const width = Math.max(widest + 76, context.measureText(title).width + 2 * EDGE);
  const tall = rows.length * LINE + 38;
  const top = height - tall - EDGE;
  box(context, EDGE, top, width, tall);
  context.fillStyle = "#1f2a37";
  context.fillText(title, EDGE * 2, top + 18);
  rows.forEach(({ look, count }, at) => {
    const y = top + 40 + at * LINE;
    context.fillStyle = look.fill;
    context.strokeStyle = look.line;
    context.fillRect(EDGE * 2, y - 7, 22, 14);
    context.strokeRect(EDGE * 2, y - 7, 22, 14);
    context.textAlign = "center";
    context.font = `700 10px ${FONT}`;
    context.fillStyle = look.ink;
    context.fillText(look.mark, EDGE * 2 + 11, y + 0.5);
    context.textAlign = "left";
    context.font = `12px ${FONT}`;
    context.fillStyle = "#1f2a37";
    context.fillText(look.title, EDGE * 2 + 30, y);
    context.textAlign = "right";
    context.fillText(count === null ? "" : String(count), EDGE + width - 12, y);
    context.textAlign = "left";
  });
}

/** The scale line of the page, drawn again. */
function drawScale(context: CanvasRenderingContext2D, map: ChartMap, width: number, height: number): void {
  const bar = map.getViewport()?.querySelector<HTMLElement>(".ol-scale-line-inner");
  if (!bar) return;
  const [long, x, y] = [bar.offsetWidth, width - EDGE, height - EDGE];
  context.strokeStyle = "#3c4653";
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x - long, y - 6);
  context.lineTo(x - long, y);
  context.lineTo(x, y);
  context.lineTo(x, y - 6);
  context.stroke();
  context.textAlign = "center";
  context.fillStyle = "#3c4653";
  context.fillText(bar.textContent ?? "", x - long / 2, y - 12);
  context.textAlign = "left";
}

// What leaves the page: the table, the whole answer, and a page of it.
import { request } from "../../common/api";
import { language, pick } from "../../common/language";
import { type Field, save, saveCsv, saveGeojson } from "../save";
import type { CellDocument, CellProperties, CompareAnswer, EmergingAnswer, HotAnswer } from "./contract";
import { evidenceLines } from "./evidence";
import { inputsOf, processOf, type Question, type View } from "./question";
import { kindTitle } from "./scale";
import { word } from "./words";

type AnyAnswer = HotAnswer | EmergingAnswer | CompareAnswer;

type Cell<P> = CellDocument<P>;
type Column = [title: string, value: (cell: Cell<CellProperties>) => Field];

function column<P extends CellProperties>(title: string, value: (properties: P) => Field): Column {
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
  const cells = answer.cells.features as Cell<CellProperties>[];
  saveCsv(name, [
    wanted.map(([title]) => title),
    ...cells.map((cell) => wanted.map(([, value]) => value(cell))),
    [],
    [pick(answer.summary)],
    ...evidenceLines(answer.evidence),
  ]);
}

/** The answer as GeoJSON: the cells as features, all else as members beside them. */
export function saveData(name: string, answer: AnyAnswer, asked: object): void {
  const { cells, ...rest } = answer;
  saveGeojson(name, { ...cells, ...rest, asked });
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

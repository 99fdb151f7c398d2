// How an answer looks: the colour of each cell, the legend, the groups of the list, and what a cell says.
import { count } from "../../common/format";
import { language, pick } from "../../common/language";
import type { LegendContent, LegendRow } from "../legend";
import type { CellProperties, CompareAnswer, ComparedCell, EmergingAnswer, EmergingCell, HotAnswer, HotCell } from "./contract";
import type { View } from "./question";
import type { Group } from "./results";
import { countClasses, expectedText, type Look, NONE, patternLook, PScale, pText, stepLook, stepRows } from "./scale";
import type { Answers } from "./service";
import { word } from "./words";

type LookOf = (properties: CellProperties) => Look;

export interface Painting {
  lookOf: LookOf;
  /** The look of what was found of a cell, whichever step is shown. */
  verdictOf: LookOf;
  legend: LegendContent;
  groups: Group[];
  /** What the list says when nothing stands out, where the summary does not. */
  empty: string;
  /** What a cell says under the pointer. */
  wordsOf: (properties: CellProperties) => string;
  /** The looks at both sides of the curtain. */
  curtain: [LookOf, LookOf] | null;
}

function legendRow({ fill, line, mark, ink, title }: Look, cells?: number): LegendRow {
  return { fill, line, mark, ink, title, value: cells === undefined ? undefined : count(cells), empty: cells === 0 };
}

/** The rows of a legend with how many cells have each look. */
function counted(rows: Look[], looks: Iterable<Look>): LegendRow[] {
  const numbers = new Map<string, number>();
  for (const { id } of looks) numbers.set(id, (numbers.get(id) ?? 0) + 1);
  return rows.map((look) => legendRow(look, numbers.get(look.id) ?? 0));
}

function times(ratio: number | null): string {
  return ratio === null ? word("fromNone") : word("times", { n: ratio.toFixed(2) });
}

function hot({ cells, ranked, evidence }: HotAnswer): Painting {
  const scale = new PScale(evidence.alpha);
  const lookOf: LookOf = (properties) => scale.hot(properties as HotCell);
  return {
    lookOf,
    verdictOf: lookOf,
    legend: { title: word("legendHot"), rows: counted(scale.rows("hot", "cold"), cells.features.map((cell) => lookOf(cell.properties))) },
    groups: [
      { title: word("hotList"), rows: ranked.filter((entry) => entry.kind !== "cold") },
      { title: word("coldList"), rows: ranked.filter((entry) => entry.kind === "cold") },
    ],
    empty: "", // the summary says so
    wordsOf: (properties) => {
      const { count: events, expected, p } = properties as HotCell;
      return word("seen", { count: count(events), expected: expectedText(expected), p: pText(p) });
    },
    curtain: null,
  };
}

function change({ cells, ranked, categories }: EmergingAnswer, step: number | null): Painting {
  const looks = new Map(categories.map((category) => [category.id, patternLook(category.id, pick(category), language === "zh")]));
  const verdictOf: LookOf = (properties) => looks.get((properties as EmergingCell).category) ?? NONE;
  const lookOf: LookOf = step === null ? verdictOf : (properties) => stepLook(properties as EmergingCell, step);
  const painted = cells.features.map((cell) => lookOf(cell.properties));
  const patterns = categories.filter((category) => category.count && looks.get(category.id) !== NONE);
  const rows = step === null ? [...patterns.map((category) => looks.get(category.id) ?? NONE), NONE] : stepRows();
  return {
    lookOf,
    verdictOf,
    legend: { title: word(step === null ? "legendChange" : "legendStep"), rows: counted(rows, painted) },
    groups: patterns.map((category) => ({ title: pick(category), rows: ranked.filter((entry) => entry.category === category.id) })),
    empty: "",
    wordsOf: (properties) => {
      const { count: events, steps } = properties as EmergingCell;
      if (step === null) return `${verdictOf(properties).title}　${word("events1", { n: count(events) })}`;
      return `${word("events1", { n: count(steps.count[step] ?? 0) })}　z ${(steps.z[step] ?? 0).toFixed(2)}`;
    },
    curtain: null,
  };
}

function compare({ cells, ranked, evidence }: CompareAnswer, swipe: boolean): Painting {
  const scale = new PScale(evidence.alpha);
  const lookOf: LookOf = (properties) => scale.change(properties as ComparedCell);
  const most = cells.features.reduce((found, { properties: { before, after } }) => Math.max(found, before, after), 1);
  const classes = countClasses(most);
  const legend: LegendContent = swipe
    ? { title: word("legendCounts"), rows: classes.all.map((look) => legendRow(look)) }
    : { title: word("legendCompare"), rows: counted(scale.rows("more", "less"), cells.features.map((cell) => lookOf(cell.properties))) };
  return {
    lookOf,
    verdictOf: lookOf,
    legend,
    groups: [
      { title: word("moreList"), rows: ranked.filter((entry) => entry.change === "more") },
      { title: word("fewerList"), rows: ranked.filter((entry) => entry.change === "less") },
    ],
    empty: word("nothingChanged"),
    wordsOf: (properties) => {
      const { before, after, ratio, low, high, p } = properties as ComparedCell;
      const [from, to] = [low === null ? "0" : low.toFixed(2), high === null ? "∞" : high.toFixed(2)];
      return word("comparedWith", { before, after, ratio: times(ratio), low: from, high: to, p: pText(p) });
    },
    curtain: swipe ? [(cell) => classes.of((cell as ComparedCell).before), (cell) => classes.of((cell as ComparedCell).after)] : null,
  };
}

export function painting(view: View, answer: Answers[View], step: number | null, swipe: boolean): Painting {
  if (view === "hot") return hot(answer as HotAnswer);
  return view === "change" ? change(answer as EmergingAnswer, step) : compare(answer as CompareAnswer, swipe);
}

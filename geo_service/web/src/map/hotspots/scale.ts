// Colours and classes: one diverging scale for hot and cold, more and fewer; one rising scale for counts.
import type { Change, ComparedCell, EmergingCell, HotCell, Kind } from "./contract";
import { word } from "./words";

/** How a cell is drawn: the same look is one object. Rank 0 has an outline alone. */
export interface Look {
  id: string;
  fill: string;
  line: string;
  width: number;
  /** Written into the cell, where colour alone would not tell. */
  mark: string;
  /** Colour of the mark. */
  ink: string;
  title: string;
  /** Drawn above those of lower rank, so that its outline is whole. */
  rank: number;
}

/** ColorBrewer RdBu, which people with any kind of colour blindness can tell apart. From weak to strong. */
const HOT = ["#f4a582", "#d6604d", "#a50f24"] as const;
const COLD = ["#92c5de", "#4393c3", "#1f5aa3"] as const;
/** ColorBrewer YlOrBr, light to dark. */
const RISING = ["#fff3c9", "#fed976", "#fe9929", "#d95f0e", "#8c2d04"] as const;
/** Roads and names show through. */
const OPACITY = "b3";

function look(id: string, color: string, title: string, rank: number, mark = "", ink = "#fff"): Look {
  return { id, fill: color + OPACITY, line: color, width: 1.4, mark, ink, title, rank };
}

export const NONE: Look = {
  id: "none",
  fill: "#f6f7f8",
  line: "rgba(90,100,112,0.2)",
  width: 0.6,
  mark: "",
  ink: "#1f2a37",
  title: word("insignificant"),
  rank: 0,
};

const Z_TEXT = ["|z| < 3.3", "|z| ≥ 3.3", "|z| ≥ 4.5"] as const;

type Texts = readonly [string, string, string];

function three(id: string, colors: typeof HOT | typeof COLD, texts: Texts, title: "hotClass" | "coldClass" | "upClass" | "downClass"): Look[] {
  return colors.map((color, at) => look(`${id}${at}`, color, word(title, { p: texts[at] ?? "" }), at + 1));
}

/** The classes of p; what is significant at a rate of false finds has p up to that rate. */
function byP(alpha: number): Record<"hot" | "cold" | "more" | "less", Look[]> {
  const texts = [`p ≤ ${alpha}`, "p < 0.01", "p < 0.001"] as const;
  return {
    hot: three("hot", HOT, texts, "hotClass"),
    cold: three("cold", COLD, texts, "coldClass"),
    more: three("more", HOT, texts, "upClass"),
    less: three("less", COLD, texts, "downClass"),
  };
}

const BY_Z = { hot: three("hot", HOT, Z_TEXT, "hotClass"), cold: three("cold", COLD, Z_TEXT, "coldClass") };

function strength(p: number): 0 | 1 | 2 {
  return p < 0.001 ? 2 : p < 0.01 ? 1 : 0;
}

/** What is significant by its p: looks of cells, and the legend's rows from the strongest heat to the strongest cold. */
export class PScale {
  private readonly looks: ReturnType<typeof byP>;

  constructor(private readonly alpha: number) {
    this.looks = byP(alpha);
  }

  hot({ kind, p }: Pick<HotCell, "kind" | "p">): Look {
    return kind === "none" ? NONE : (this.looks[kind][strength(p)] ?? NONE);
  }

  change({ change, p }: ComparedCell): Look {
    return change === "none" ? NONE : (this.looks[change][strength(p)] ?? NONE);
  }

  rows(warm: "hot" | "more", cool: "cold" | "less"): Look[] {
    const used = (side: keyof ReturnType<typeof byP>): Look[] => this.looks[side].slice(this.alpha <= 0.01 ? 1 : 0);
    return [...used(warm).reverse(), NONE, ...used(cool)];
  }
}

export function stepLook({ steps }: EmergingCell, step: number): Look {
  const kind: Kind = steps.kind[step] ?? "none";
  const z = Math.abs(steps.z[step] ?? 0);
  return kind === "none" ? NONE : (BY_Z[kind][z >= 4.5 ? 2 : z >= 3.3 ? 1 : 0] ?? NONE);
}

/** Strength and mark of each pattern: seventeen colours would be too many to tell apart. */
const PATTERNS: Record<string, [strength: number, zh: string, en: string]> = {
  intensifying: [2, "强", "Int"],
  persistent: [2, "稳", "Per"],
  consecutive: [1, "连", "Con"],
  new: [1, "新", "New"],
  diminishing: [0, "弱", "Dim"],
  oscillating: [0, "荡", "Osc"],
  sporadic: [0, "散", "Spo"],
  historical: [0, "史", "His"],
};

/** The look of a category such as `consecutive-hot`. */
export function patternLook(id: string, title: string, chinese: boolean): Look {
  const [pattern = "", side = ""] = id.split("-");
  const known = PATTERNS[pattern];
  if (!known || (side !== "hot" && side !== "cold")) return NONE;
  const [strong, zh, en] = known;
  const color = (side === "hot" ? HOT : COLD)[strong] ?? HOT[0];
  return look(id, color, title, strong + 1, chinese ? zh : en, strong === 0 ? "#1f2a37" : "#fff");
}

/** Classes of counts with whole, round limits; the first is for nothing at all. */
export function countClasses(most: number): { of: (count: number) => Look; all: Look[] } {
  const limits = [1, 0.1, 0.25, 0.5, 0.75].map((share, at) => (at === 0 ? 1 : Math.max(at + 1, Math.round(most * share))));
  const used = limits.filter((limit, at) => at === 0 || limit <= most);
  const all = used.map((limit, at) => {
    const next = used[at + 1];
    const text = next === undefined ? `≥ ${limit}` : next - 1 === limit ? `${limit}` : `${limit}–${next - 1}`;
    return { ...look(`n${at}`, RISING[at] ?? RISING[4], text, at + 1), line: "rgba(140,90,20,0.55)", width: 0.8 };
  });
  const zero = { ...NONE, title: "0" };
  return {
    of: (count) => all[used.reduce((found, limit, at) => (count >= limit ? at : found), -1)] ?? zero,
    all: [...all].reverse().concat(zero),
  };
}

export function stepRows(): Look[] {
  return [...[...BY_Z.hot].reverse(), NONE, ...BY_Z.cold];
}

export function kindTitle(kind: Kind | Change): string {
  const titles = { hot: "hot", cold: "cold", none: "insignificant", more: "up", less: "down" } as const;
  return word(titles[kind]);
}

export function pText(p: number): string {
  return p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`;
}

/** An expected number: a small one with two digits that say something, for 0.0 would be nothing. */
export function expectedText(value: number): string {
  return value === 0 ? "0" : value < 0.95 ? String(Number(value.toPrecision(2))) : value.toFixed(1);
}

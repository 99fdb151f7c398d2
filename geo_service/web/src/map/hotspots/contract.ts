// What the processes hot-spots, emerging and compare answer with.
import type { Title } from "../../common/contract";

export type Kind = "hot" | "cold" | "none";
export type Change = "more" | "less" | "none";

export interface Shape {
  type: "Polygon" | "MultiPolygon";
  coordinates: number[][][] | number[][][][];
}

export interface CellDocument<P> {
  type: "Feature";
  id: string;
  geometry: Shape | null;
  properties: P & { name: string; name_en: string };
}

/** A line of the list: a cell that stands out, in words. */
export interface Ranked {
  cell: string;
  place: Title;
  sentence: Title;
}

interface Days {
  from: string;
  to: string;
}

export interface Evidence {
  layer: Title & { id: string };
  n: number;
  window: Days & { days: number; timezone: string };
  filter: unknown;
  area: { code: string; name: string } | null;
  method: Title;
  source: string;
  data_at: string;
  /** Whether there are enough data for figures; else the summary says so. */
  enough: boolean;
  alpha: number;
  cells: Title & { id: string };
  cell_count: number;
  size: number | null;
  size_reason: Title | null;
  neighbours: Title;
  crs: string;
  outside: number | null;
  inference: string;
  alternative: string;
  correction: string;
  tests: number;
  weeks?: Title;
  overall_rate_per_100_households?: number;
  step_count?: number;
  counted_from?: string;
  before?: Days;
  n_before?: number;
  n_now?: number;
  confidence?: number;
}

interface Answer<P, R extends Ranked = Ranked> {
  cells: { type: "FeatureCollection"; features: CellDocument<P>[] };
  ranked: R[];
  summary: Title;
  evidence: Evidence;
}

export interface HotCell {
  count: number;
  expected: number;
  around: number;
  around_expected: number;
  z: number;
  p: number;
  kind: Kind;
  households?: number;
  rate?: number | null;
}

export type HotAnswer = Answer<HotCell, Ranked & { kind: Kind }>;

export interface EmergingCell {
  category: string;
  count: number;
  trend_z: number;
  trend_p: number;
  steps: { count: number[]; z: number[]; kind: Kind[] };
}

export interface Category extends Title {
  id: string;
  count: number;
}

export interface EmergingAnswer extends Answer<EmergingCell, Ranked & { category: string }> {
  steps: Days[];
  categories: Category[];
}

export interface ComparedCell {
  before: number;
  after: number;
  /** Null where there is no upper end: nothing happened before. */
  ratio: number | null;
  low: number | null;
  high: number | null;
  p: number;
  change: Change;
}

export type CompareAnswer = Answer<ComparedCell, Ranked & { change: Change }>;

export type CellProperties = HotCell | EmergingCell | ComparedCell;

// The shapes of the interface for imports.
import type { Bounds, Title } from "../common/contract";

export interface Options {
  /** Null until the service has guessed it. */
  layer: string | null;
  /** Column of the layer to header of the file; an empty header keeps a column from being guessed. */
  mapping: Record<string, string>;
  constants: Record<string, string>;
  crs: string | null;
  timezone: string;
  make_codes: boolean;
  clean: number | null;
  repair: boolean;
  skip_bad: boolean;
}

export interface FileProblem extends Title {
  row: number | null;
  line: number | null;
  column: string | null;
  value: string | null;
}

export interface Dropped extends Title {
  column: string;
  cells: number;
}

/** Where the service itself failed, a report holds its counts, all 0, and a note alone. */
export interface Report {
  layer?: string;
  ok: boolean;
  dry_run?: boolean;
  read: number;
  inserted: number;
  updated: number;
  unchanged: number;
  skipped?: number;
  codes_made?: number;
  masked?: number;
  dropped: Dropped[];
  attributes: string[];
  notes: Title[];
  repaired?: (Title & { row: number | null })[];
  near?: Title[];
  problems: FileProblem[];
  problem_count: number;
  bad_rows: number;
  seconds?: number;
}

export type ImportState =
  | "ready"
  | "queued"
  | "running"
  | "checked"
  | "loaded"
  | "refused"
  | "interrupted"
  | "undone";

export interface ImportRecord {
  id: string;
  layer: string | null;
  file: string;
  bytes: number;
  account: string;
  options: Partial<Options>;
  state: ImportState;
  done: number;
  total: number | null;
  report: Report | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  undone_at: string | null;
  undoable: boolean;
}

export interface Column {
  name: string;
  title: Title;
  required: boolean;
  header: string | null;
  constant: string | null;
  codes: Record<string, Title> | null;
}

export interface CrsProposal {
  crs: string;
  title: Title;
  inside: number | null;
  /** The columns of longitude and latitude have to change places as well. */
  swapped?: boolean;
}

export interface PreviewRow {
  row: number;
  cells: Record<string, unknown>;
  values: Record<string, unknown>;
  problems: FileProblem[];
  lonlat: [number, number] | null;
}

export interface Preview {
  layer: string;
  layers: { id: string; title: Title; score: number }[];
  headers: string[];
  columns: Column[];
  attributes: string[];
  ignored: string[];
  dropped: Dropped[];
  crs: { chosen: string; declared: string | null; proposals: CrsProposal[] };
  notes: Title[];
  rows: PreviewRow[];
  /** What is wrong with the file as a whole, such as a column that is missing. */
  problems: FileProblem[];
  geometry: { type: "FeatureCollection"; features: unknown[] };
  /** Rows that were looked at: more than are shown. */
  checked: number;
  total: number | null;
  problem_count: number;
  bbox: Bounds | null;
}

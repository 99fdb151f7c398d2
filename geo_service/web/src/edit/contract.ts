// The shapes that /api/drafts answers with.
import type { Title } from "../common/contract";

export type Place = [lon: number, lat: number];

export type DraftState = "draft" | "submitted" | "approved" | "published" | "rolled-back" | "abandoned";

export interface DraftRecord {
  id: string;
  name: string;
  reason: string;
  area: string;
  state: DraftState;
  author: string;
  reviewer: string | null;
  revision: number;
  operations: number;
  redoable: number;
  created_at: string;
  updated_at: string;
  submitted_at: string | null;
  approved_at: string | null;
  published_at: string | null;
  valid_from: string | null;
  /** Who has it published on that day; null where nobody has. */
  scheduled_by: string | null;
  /** The published grids have changed since the draft was begun. */
  moved: boolean;
  touched: string[];
}

export interface Geometry {
  type: string;
  coordinates: unknown;
}

export interface GridProperties {
  code: string;
  name: string | null;
  editable?: boolean;
  changed?: boolean;
  /** The name of the draft that keeps others from changing it, where there is one; false where there is none. */
  locked?: string | false | null;
}

export interface Collection<P> {
  type: "FeatureCollection";
  features: { type: "Feature"; id?: string | number; geometry: Geometry; properties: P }[];
}

export type Grids = Collection<GridProperties>;

export type Operation =
  | { operation: "move_vertex"; old: Place; new: Place }
  | { operation: "insert_vertex"; place: Place }
  | { operation: "remove_vertex"; place: Place }
  | { operation: "reshape"; line: Place[] }
  | { operation: "split"; code: string; line: Place[]; new_codes: string[] }
  | { operation: "merge"; codes: string[]; into: string }
  | { operation: "transfer"; polygon: Geometry; from_codes: string[]; to_code: string }
  | { operation: "redraw"; code: string; polygon: Geometry }
  | { operation: "clean"; tolerance: number };

export interface BalanceRow {
  code: string;
  name: string | null;
  kind?: string | null;
  households: number;
  population: number;
  buildings: number;
  staff: number | null;
  events: number;
  cameras: number;
  area_m2: number;
  road_m: number;
  polsby_popper: number;
  reock: number;
  parts: number;
  state: "within" | "above" | "below";
  cut_buildings: number;
  /** How many households it is to have, where towns differ. */
  limits?: [number, number];
}

export interface Spread {
  min: number;
  max: number;
  mean: number;
  cv: number | null;
}

export interface Balance {
  limits: { households: [number, number] };
  grids: BalanceRow[];
  town: Record<string, Spread>;
  /** What was estimated. */
  note?: Title | null;
}

export interface Answer {
  revision: number;
  changed: Grids;
  removed: string[];
  moved_area: number;
  balance: Balance;
}

export interface Done {
  seq: number;
  operation: Operation;
  author: string;
  at: string;
  undone: boolean;
}

export interface Comment {
  id: number;
  author: string;
  at: string;
  text: string;
  place: Place;
}

export interface Moved {
  from: string | null;
  to: string | null;
  households: number;
  population: number;
  buildings: number;
  events: number;
  cameras: number;
  area_m2: number;
}

export interface Review {
  gains: Collection<Moved>;
  losses: Collection<Moved>;
  before: Grids;
  after: Grids;
  balance_before: Balance;
  balance_after: Balance;
}

/** A line as it was put, and the buildings that it runs through. */
export interface DrawnLine {
  line: Place[];
  crossed: { place: Place; code: string; households: number | null; outline: Geometry }[];
}

/** A piece of ground that can be given away whole: between roads, or around a building. */
export interface Piece {
  codes: string[];
  /** The grid that holds most of it. */
  code: string;
  households: number;
  buildings: number;
}

export interface Suggestion {
  operations: Operation[];
  figures: Balance;
  after: Grids;
  summary: Title;
}

/** What is told to everyone who has the draft open. */
export interface LiveOperation {
  revision: number;
  changed: Grids;
  removed: string[];
  author: string;
}

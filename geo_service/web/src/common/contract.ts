// The shapes that the service answers with.

export interface Title {
  zh: string;
  en: string;
}

export interface Code extends Title {
  code: string;
  color: string | null;
}

export type Bounds = [west: number, south: number, east: number, north: number];

export interface Field {
  name: string;
  title: Title;
  kind: "text" | "integer" | "number" | "date" | "datetime";
  unit: string | null;
  derived: boolean;
  codes: Code[] | null;
}

export interface LayerEntry {
  id: string;
  title: Title;
  description: Title;
  geometry: string;
  count: number;
  label: string | null;
  time: string | null;
  /** Whether who is signed in may load it. */
  writable: boolean;
  aggregate_below: number | null;
  style: { color: string; order: number; by: string | null; visible: boolean; min_zoom: number };
  fields: Field[];
}

export interface Account {
  name: string;
  role: string;
  area: string;
  open: boolean;
}

export interface Catalogue {
  town: { name: Title; demo: boolean; bounds: Bounds | null };
  account: Account;
  server_time: string;
  layers: LayerEntry[];
}

export interface Counts {
  layer: string;
  total: number;
  by: Record<string, Record<string, number>>;
}

export interface Hit {
  layer: string;
  id: number;
  code: string;
  label: string | null;
  center: [number, number];
  bounds: Bounds;
}

export interface FeatureDocument {
  type: "Feature";
  id: number;
  geometry: { type: string; coordinates: unknown } | null;
  properties: Record<string, unknown>;
}

export interface Change {
  layer: string;
  op: "I" | "U" | "D";
  id: number;
  code: string;
  grid: string | null;
  at: string;
  bounds: Bounds | null;
}

export interface Changes {
  changes: Change[];
  more: number;
}

export interface EventFigures {
  open: number;
  today: number;
  week: number;
  closed: number;
  total: number;
  overdue: number;
}

export type EventLayer = "disputes" | "hazards";

export interface LatestEvent {
  layer: EventLayer;
  id: number;
  code: string;
  category: string | null;
  status: string;
  grid: string | null;
  grid_name: string | null;
  at: string;
  center: [number, number];
}

export interface WallAlert {
  id: number;
  code: string;
  kind: string;
  state: string;
  window_start: string;
  window_end: string;
  observed: number | null;
  expected: number | null;
}

export interface WallState {
  at: string;
  disputes: EventFigures;
  hazards: EventFigures;
  cameras: { total: number; online: number; offline: number; fault: number };
  grids: { total: number; households: number | null; population: number | null; staff: number | null };
  daily: { day: string; disputes: number; hazards: number }[];
  categories: Record<EventLayer, { code: string | null; count: number }[]>;
  busiest: { grid: string; name: string | null; disputes: number; hazards: number }[];
  latest: LatestEvent[];
  alerts: WallAlert[];
}

// What the service answers about coverage.
import type { Title } from "../../common/contract";

export type Edition = "2015" | "2025";
export type When = "day" | "night";
export type OnlineState = "online" | "designed";

/** A step of the ladder of pixel densities. */
export interface Level extends Title {
  level: string;
  px_per_m: number;
}

/** What a camera is made of; the names are those of the layer. */
export interface Optics {
  lon: number;
  lat: number;
  azimuth: number | null;
  tilt: number | null;
  mount_height: number | null;
  focal_length: number | null;
  sensor_width: number | null;
  sensor_height: number | null;
  pixels_across: number | null;
  form: string;
  night_range: number | null;
}

/** Figures of a town or a unit at the level that was asked about. Shares are null of nothing. */
export interface Figures {
  area_m2: number;
  area_m2_seen: number;
  area_share: number | null;
  road_m: number;
  road_m_seen: number;
  road_share: number | null;
  households: number;
  households_seen: number;
  households_share: number | null;
  events: number;
  events_seen: number;
  events_share: number | null;
  /** The ground around schools, hospitals and the like. */
  places_share?: number | null;
}

/** What of the figures is more or less than before. */
export type Difference = Pick<Figures, "area_m2_seen" | "area_share" | "road_share" | "households_share" | "events_share">;

export interface Shape {
  type: string;
  coordinates: unknown;
}

export interface Feature<P> {
  type: "Feature";
  id?: string | number;
  geometry: Shape | null;
  properties: P;
}

export interface Collection<P> {
  type: "FeatureCollection";
  features: Feature<P>[];
}

export interface LevelView {
  level: string;
  area_m2: number;
  /** A turning camera has what it can reach, and what it sees now. */
  extent?: "reach" | "now";
}

/** Columns of the layer whose values are defaults of the form, not known. */
export type Assumed = Partial<Record<keyof Optics, number>>;

/** What lies in one camera's view at the level that was asked about. */
export interface Sees {
  alone_m2: number;
  road_m: number;
  households: number;
  events: number;
  assumed: Assumed;
}

export interface CameraView extends Collection<LevelView> {
  camera: Optics & {
    code: string;
    name?: string | null;
    /** The azimuths that a turning camera is set to, by number. */
    presets?: number[];
  };
  notes: Title[];
}

export interface TriedView {
  views: Collection<LevelView>;
  notes: Title[];
  before: Figures;
  town: Figures;
  difference: Difference;
}

export interface Seer {
  code: string;
  name: string | null;
  level: string;
  distance_m?: number;
  online: boolean;
}

export interface PointAnswer {
  seen_by: Seer[];
  in_building: boolean;
  privacy_zone: string | null;
  inside: boolean;
}

export interface CoverLevel {
  level: string;
  area_m2: number;
}

export interface UnitFigures extends Figures {
  code: string;
  name: string | null;
  cameras: number;
  offline: number;
}

export interface Loss {
  code: string;
  name: string | null;
  lost_m2: number;
  sentence: Title;
}

export interface CoverAnswer {
  summary: Title;
  town: UnitFigures;
  units: UnitFigures[];
  losses: Loss[];
  evidence: Evidence;
}

/** What stands behind the figures, as the service tells it. */
export type Evidence = Record<string, unknown>;

export interface BlindSpot {
  rank: number;
  area_m2: number;
  events: number;
  households?: number;
  road_m: number;
  places: number;
  score: number;
  grid?: string | null;
  sentence: Title;
}

export interface SpotsAnswer extends Collection<BlindSpot> {
  summary: Title;
  evidence: Evidence;
}

export interface Mask {
  /** Of the heading whose image it is. */
  azimuth: number;
  /** A rectangle of the image, from its upper left corner, as shares of it. */
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Intrusion {
  code: string;
  name: string | null;
  zones: { code: string; name: string | null; kind: string }[];
  area_m2: number;
  /** The least greater tilt that mends it; null where none does. */
  tilt: number | null;
  /** The share of the view that is left with it. */
  kept: number | null;
  masks: Mask[];
  sentence: Title;
}

export interface IntrusionsAnswer extends Collection<Intrusion> {
  summary: Title;
  reason: Title;
  evidence: Evidence;
}

/** A place to add a camera at, what it would see, or a camera that could go elsewhere. */
export interface Site {
  kind: "site" | "view" | "spare";
  rank: number;
  code: string;
  name?: string | null;
  /** Null where a place alone was asked for. */
  azimuth: number | null;
  adds?: number;
  /** The weight of the demand that this place is nearest to. */
  serves?: number;
  optics?: Partial<Optics>;
  sentence: Title;
}

export interface PlacementAnswer extends Collection<Site> {
  summary: Title;
  bound: number | null;
  gap: number | null;
  optimal: boolean;
  question: string;
  /** Mean distance from demand to the nearest camera, and as it is. */
  mean_m?: number;
  mean_m_before?: number | null;
  evidence: Evidence & { unit: Title; optics: Title };
}

export interface WhatIfSet {
  id: string;
  name: string;
  cameras: Partial<Optics>[];
  moved: Record<string, Partial<Optics>>;
  removed: string[];
  updated_at?: string;
}

/** Plans beside the town as it is, and for each the units that it changes. */
export interface Compared {
  before: Figures;
  /** `town` is null where a plan cannot be computed any more; `problem` says why. */
  sets: { id: string; name: string; town: Figures | null; difference: Difference | null; problem?: Title }[];
}

export interface WhatIfAnswer {
  before: UnitFigures[];
  after: UnitFigures[];
}

// How known layers are best drawn. A layer that is not listed is drawn by its geometry alone.
import type { LayerEntry } from "../common/contract";

export type Shape = "circle" | "triangle" | "badge" | "wedge";
export type Surface = "boundary" | "mesh" | "solid" | "zone";

export interface Presentation {
  shape: Shape;
  surface: Surface;
  /** View zooms from which, and below which, features carry their label. */
  labels: [from: number, below: number];
}

const KNOWN: Record<string, Partial<Presentation>> = {
  areas: { surface: "boundary", labels: [0, 16.4] },
  grids: { surface: "mesh", labels: [15.2, 30] },
  buildings: { surface: "solid" },
  places: { shape: "badge", labels: [15.8, 30] },
  cameras: { shape: "wedge", labels: [18, 30] },
  hazards: { shape: "triangle" },
  disputes: { shape: "circle" },
};

export function presentation(layer: LayerEntry): Presentation {
  return { shape: "circle", surface: "zone", labels: [15.5, 30], ...KNOWN[layer.id] };
}

export function isPolygonal(layer: LayerEntry): boolean {
  return layer.geometry.endsWith("POLYGON");
}

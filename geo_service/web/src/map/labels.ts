// One label for each polygon. Tiles cut a polygon into pieces, and OpenLayers would label every piece.
import Feature from "ol/Feature";
import Point from "ol/geom/Point";
import VectorLayer from "ol/layer/Vector";
import type RenderFeature from "ol/render/Feature";
import VectorSource from "ol/source/Vector";
import Style from "ol/style/Style";
import type { TileCoord } from "ol/tilecoord";

import { shade } from "../common/color";
import type { LayerEntry } from "../common/contract";
import { presentation } from "./presentation";
import { label, zoomOf } from "./styles";

export interface Piece {
  area: number;
  point: [number, number];
  text: string;
  digits: number;
}

/** More tiles than any screen shows at once; older ones are forgotten. */
const KEPT = 300;

/** The label of a polygon, or of the part of it that a tile has; null where it has no inside. */
export function piece(feature: RenderFeature, text: string): Piece | null {
  const [minX = 0, minY = 0, maxX = 0, maxY = 0] = feature.getExtent();
  // Triples of x, y and the width of the polygon there, one for each of its parts.
  const insides = feature.getFlatInteriorPoints();
  let widest = -1;
  let point: [number, number] | null = null;
  for (let at = 0; at + 2 < insides.length; at += 3) {
    const width = insides[at + 2] ?? 0;
    if (width > widest) {
      widest = width;
      point = [insides[at] ?? 0, insides[at + 1] ?? 0];
    }
  }
  const digits = String(feature.get("code") ?? "").length;
  return point && { area: (maxX - minX) * (maxY - minY), point, text, digits };
}

/** The label of a polygon whose code has so many digits, at a zoom of the view. */
type LabelStyle = (text: string, digits: number, zoom: number) => Style | undefined;

function styleFor(entry: LayerEntry): LabelStyle {
  const { labels, surface } = presentation(entry);
  const color = shade(entry.style.color, surface === "boundary" ? -0.1 : -0.25);
  return (text, digits, zoom) => {
    if (zoom < labels[0] || zoom >= labels[1]) return undefined;
    if (surface !== "boundary") return new Style({ text: label(text, color, 12) });
    // A town's name would lie across its communities: it leaves when theirs come.
    const community = digits >= 12;
    if (community ? zoom < 12 : zoom >= 13) return undefined;
    return new Style({ text: label(text, color, community ? 14 : 17, 700) });
  };
}

export class PolygonLabels {
  readonly layer: VectorLayer<VectorSource>;
  private readonly source = new VectorSource();
  private readonly tiles = new Map<string, { z: number; pieces: Map<number, Piece> }>();
  private shown = -1;
  private pending = 0;

  constructor(private readonly entry: LayerEntry) {
    const style = styleFor(entry);
    this.layer = new VectorLayer({
      source: this.source,
      declutter: "labels",
      updateWhileAnimating: true,
      updateWhileInteracting: true,
      style: (feature, resolution) => {
        return style(String(feature.get("text")), Number(feature.get("digits")), zoomOf(resolution));
      },
    });
  }

  /** Take the polygons of a tile that has come. */
  add([z = 0, x, y]: TileCoord, features: RenderFeature[]): void {
    const name = this.entry.label;
    if (!name) return;
    const pieces = new Map<number, Piece>();
    for (const feature of features) {
      const text = feature.get(name) as unknown;
      const made = text ? piece(feature, String(text)) : null;
      if (made) pieces.set(Number(feature.getId()), made);
    }
    const key = `${z}/${x}/${y}`;
    this.tiles.delete(key); // so that it counts as the newest
    this.tiles.set(key, { z, pieces });
    for (const oldest of this.tiles.keys()) {
      if (this.tiles.size <= KEPT) break;
      this.tiles.delete(oldest);
    }
    if (z === this.shown) this.schedule();
  }

  /** Show the labels of this tile zoom. */
  show(z: number): void {
    if (z === this.shown) return;
    this.shown = z;
    this.schedule();
  }

  private schedule(): void {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.rebuild());
  }

  private rebuild(): void {
    const largest = new Map<number, Piece>();
    for (const { z, pieces } of this.tiles.values()) {
      if (z !== this.shown) continue;
      for (const [id, candidate] of pieces) {
        const best = largest.get(id);
        if (!best || candidate.area > best.area) largest.set(id, candidate);
      }
    }
    const features = [...largest.values()].map(({ point, text, digits }) => {
      return new Feature({ geometry: new Point(point), text, digits });
    });
    this.source.clear(true);
    this.source.addFeatures(features);
  }
}

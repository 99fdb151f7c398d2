// Pieces of ground to click: blocks between roads, or the ground around each building; those chosen are filled.
import type { Coordinate } from "ol/coordinate";
import type Feature from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";

import type { Geometry, Piece } from "../contract";
import type { Shape } from "../grids";
import { pieceLook } from "../looks";
import { type PieceKind, pieces } from "../service";
import type { Context } from "./tool";

const FORMAT = new GeoJSON({ featureProjection: "EPSG:3857" });
/** How many grids can be asked for at once. */
const MOST = 8;

interface Offered {
  /** As the service has it, to be sent back as it is. */
  geometry: Geometry;
  piece: Piece;
  chosen: boolean;
}

export class Pieces {
  private readonly source = new VectorSource<Feature<Shape>>({ wrapX: false });
  private readonly offered = new Map<Feature<Shape>, Offered>();
  private readonly known = new Set<string>();
  private kind: PieceKind | null = null;
  private asking = new AbortController();

  constructor(private readonly context: Context) {
    context.stage.map.addLayer(
      new VectorLayer({ source: this.source, zIndex: 590, style: (feature) => pieceLook(this.offered.get(feature as Feature<Shape>)?.chosen ?? false) }),
    );
  }

  /** Offer the pieces of some grids; of another kind, what was offered goes. */
  async offer(codes: string[], kind: PieceKind): Promise<void> {
    if (kind !== this.kind) this.clear();
    this.kind = kind;
    const { signal } = this.asking;
    const wanted = codes.filter((code) => !this.known.has(code));
    for (const code of wanted) this.known.add(code);
    for (let at = 0; at < wanted.length; at += MOST) {
      const part = wanted.slice(at, at + MOST);
      try {
        const found = await pieces(this.context.session.draft.id, part, kind, signal);
        if (signal.aborted) return;
        for (const { geometry, properties } of found.features) this.add(geometry, properties);
      } catch (error) {
        for (const code of part) this.known.delete(code);
        throw error;
      }
    }
  }

  private add(geometry: Geometry, piece: Piece): void {
    const feature = FORMAT.readFeature({ type: "Feature", geometry, properties: {} }) as Feature<Shape>;
    this.offered.set(feature, { geometry, piece, chosen: false });
    this.source.addFeature(feature);
  }

  /** Choose the piece at a place, or leave it again; false where there is none. */
  toggle(at: Coordinate): boolean {
    const feature = this.source.getFeaturesAtCoordinate(at)[0];
    const offered = feature && this.offered.get(feature);
    if (!offered) return false;
    offered.chosen = !offered.chosen;
    feature.changed();
    return true;
  }

  get chosen(): Piece[] {
    return this.all().map(({ piece }) => piece);
  }

  private all(): Offered[] {
    return [...this.offered.values()].filter(({ chosen }) => chosen);
  }

  /** All that is chosen as one geometry. */
  get area(): Geometry {
    const coordinates = this.all().flatMap(({ geometry }) => (geometry.type === "Polygon" ? [geometry.coordinates] : (geometry.coordinates as unknown[])));
    return { type: "MultiPolygon", coordinates };
  }

  clear(): void {
    this.asking.abort();
    this.asking = new AbortController();
    this.kind = null;
    this.known.clear();
    this.offered.clear();
    this.source.clear();
  }
}

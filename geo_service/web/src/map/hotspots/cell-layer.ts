// The cells on the map: read once an answer, painted anew when the step or the view changes.
//
// OpenLayers' own vector layer draws each of ten thousand cells by itself, which takes a tenth of a
// second a frame. Here cells of one look are drawn together, by paths of some hundred cells.
import type OlFeature from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import type Geometry from "ol/geom/Geometry";
import MultiPolygon from "ol/geom/MultiPolygon";
import Polygon from "ol/geom/Polygon";
import Layer from "ol/layer/Layer";
import VectorLayer from "ol/layer/Vector";
import type { FrameState } from "ol/Map";
import VectorSource from "ol/source/Vector";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";

import { element } from "../../common/dom";
import { FONT } from "../styles";
import type { CellDocument, CellProperties } from "./contract";
import type { Look } from "./scale";

type Cells = readonly CellDocument<CellProperties>[];

/** Narrower than this in pixels, a cell has no room for its mark. */
const ROOM = 26;
/** Cells that are narrower still are not drawn where they are not significant. */
const FINE = 14;
/** Cells of a chunk: what lies out of sight is left out by chunks. */
const CHUNK = 200;
/** Above areas, buildings and roads, below the points of the layers. */
const ORDER = 38;

const CHOSEN = [
  new Style({ stroke: new Stroke({ color: "rgba(255,255,255,0.95)", width: 6 }), zIndex: 1 }),
  new Style({ stroke: new Stroke({ color: "#12263f", width: 3 }), zIndex: 2 }),
];

/** The rings of one cell, about the origin of all of them. */
interface Outline {
  rings: Float64Array[];
  middle: [number, number];
  width: number;
  extent: [west: number, south: number, east: number, north: number];
}

/** Some cells of one look that follow each other, and so lie near each other. */
interface Chunk {
  path: Path2D;
  cells: number;
  extent: [west: number, south: number, east: number, north: number];
}

interface Batch {
  look: Look;
  chunks: Chunk[];
  marks: Outline[];
}

export class CellLayer {
  readonly layer: Layer;
  /** The outline of the one cell that is looked at. */
  readonly chosen: VectorLayer<VectorSource>;
  private readonly canvas = element("canvas", { class: "hs-canvas", style: "position: absolute; width: 100%; height: 100%" });
  /** Layers above would draw into a bare canvas, which this one clears as it likes. */
  private readonly holder = element("div", { class: "hs-cells", style: "position: absolute; width: 100%; height: 100%" }, this.canvas);
  private readonly source = new VectorSource<OlFeature<Geometry>>();
  private readonly outline = new VectorSource<OlFeature<Geometry>>();
  private cells: Cells | null = null;
  private outlines: Outline[] = [];
  private origin: [number, number] = [0, 0];
  private batches: Batch[] = [];
  private width = 0;

  /** `part` tells which part of the map's width is drawn, from 0 to 1; by default all of it. */
  constructor(private readonly part: () => [from: number, to: number] = () => [0, 1]) {
    this.layer = new Layer({ render: (frame) => this.render(frame), zIndex: ORDER, visible: false });
    this.chosen = new VectorLayer({ source: this.outline, style: CHOSEN, zIndex: 760, visible: false });
  }

  /** Show these cells, each with its look. Cells that are there already are not read again. */
  show(cells: Cells, lookOf: (properties: CellProperties) => Look): void {
    this.prepare(cells);
    const batches = new Map<string, Batch>();
    cells.forEach((cell, at) => {
      const [look, outline] = [lookOf(cell.properties), this.outlines[at]];
      if (!outline) return;
      let batch = batches.get(look.id);
      if (!batch) batches.set(look.id, (batch = { look, chunks: [], marks: [] }));
      addTo(batch.chunks, outline);
      if (look.mark) batch.marks.push(outline);
    });
    this.batches = [...batches.values()].sort((a, b) => a.look.rank - b.look.rank);
    this.layer.setVisible(true);
    this.chosen.setVisible(true);
    this.layer.changed();
  }

  /** Have these cells at hand, for the pointer and for an outline, without drawing them. */
  prepare(cells: Cells): void {
    if (cells === this.cells) return;
    this.cells = cells;
    this.batches = [];
    const read = new GeoJSON({ featureProjection: "EPSG:3857" });
    const features = cells.map((cell, at) => {
      const feature = read.readFeature({ ...cell, properties: null }) as OlFeature<Geometry>;
      feature.set("at", at, true);
      return feature;
    });
    this.source.clear(true);
    this.source.addFeatures(features);
    const [west = 0, south = 0, east = 0, north = 0] = this.source.getExtent() ?? [];
    this.origin = [(west + east) / 2, (south + north) / 2];
    this.outlines = features.map((feature) => outlineOf(feature.getGeometry(), this.origin));
    this.width = this.outlines.reduce((sum, outline) => sum + outline.width, 0) / Math.max(1, this.outlines.length);
  }

  hide(): void {
    this.layer.setVisible(false);
    this.chosen.setVisible(false);
  }

  clear(): void {
    this.cells = null;
    this.batches = [];
    this.source.clear(true);
    this.outline.clear(true);
    this.hide();
  }

  choose(id: string | null): void {
    this.outline.clear();
    const found = id === null ? null : this.source.getFeatureById(id);
    if (found) this.outline.addFeature(found.clone());
  }

  extent(): number[] | null {
    const extent = this.source.getExtent();
    return this.cells?.length && extent ? extent : null;
  }

  extentOf(id: string): number[] | null {
    return this.source.getFeatureById(id)?.getGeometry()?.getExtent() ?? null;
  }

  /** The cell at a coordinate of the map: cells do not overlap, so the first that holds it. */
  at(coordinate: number[]): CellDocument<CellProperties> | null {
    const found = this.source.getFeaturesAtCoordinate(coordinate)[0];
    return found ? (this.cells?.[found.get("at") as number] ?? null) : null;
  }

  private render({ size, pixelRatio, coordinateToPixelTransform }: FrameState): HTMLElement {
    const { canvas, holder } = this;
    const [width = 0, height = 0] = size.map((edge) => Math.round(edge * pixelRatio));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    if (!context) return holder;
    const [a = 1, , , d = 1, e = 0, f = 0] = coordinateToPixelTransform;
    const [x, y] = [a * this.origin[0] + e, d * this.origin[1] + f];
    const [from, to] = this.part();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.save();
    context.beginPath();
    context.rect(from * width, 0, (to - from) * width, height);
    context.clip();
    context.lineJoin = "round";
    context.setTransform(a * pixelRatio, 0, 0, d * pixelRatio, x * pixelRatio, y * pixelRatio);
    const [left, right] = [-x / a, (size[0] ?? 0) / a - x / a];
    const [top, bottom] = [-y / d, (size[1] ?? 0) / d - y / d];
    for (const { look, chunks } of this.batches) {
      if (look.rank === 0 && this.width * a < FINE) continue;
      context.fillStyle = look.fill;
      context.strokeStyle = look.line;
      context.lineWidth = look.width / a;
      for (const { path, extent: [west, south, east, north] } of chunks) {
        if (east < left || west > right || north < bottom || south > top) continue;
        if (look.rank > 0) context.fill(path, "evenodd");
        context.stroke(path);
      }
    }
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    context.font = `700 12px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { look, marks } of this.batches) {
      context.fillStyle = look.ink;
      for (const { middle, width: wide } of marks) {
        if (wide * a > ROOM) context.fillText(look.mark, middle[0] * a + x, middle[1] * d + y);
      }
    }
    context.restore();
    return holder;
  }
}

function addTo(chunks: Chunk[], { rings, extent }: Outline): void {
  let chunk = chunks[chunks.length - 1];
  if (!chunk || chunk.cells >= CHUNK) chunks.push((chunk = { path: new Path2D(), cells: 0, extent: [...extent] }));
  for (const ring of rings) trace(chunk.path, ring);
  chunk.cells += 1;
  const [west, south, east, north] = chunk.extent;
  chunk.extent = [Math.min(west, extent[0]), Math.min(south, extent[1]), Math.max(east, extent[2]), Math.max(north, extent[3])];
}

/** Rings end where they begin. Chromium's `closePath` looks at the whole path each time: it took a second. */
function trace(path: Path2D, ring: Float64Array): void {
  path.moveTo(ring[0] ?? 0, ring[1] ?? 0);
  for (let at = 2; at < ring.length; at += 2) path.lineTo(ring[at] ?? 0, ring[at + 1] ?? 0);
}

function outlineOf(geometry: Geometry | undefined, [x, y]: [number, number]): Outline {
  if (!(geometry instanceof Polygon || geometry instanceof MultiPolygon)) return { rings: [], middle: [0, 0], width: 0, extent: [0, 0, 0, 0] };
  const flat = geometry.getFlatCoordinates();
  const ends = geometry instanceof Polygon ? (geometry.getEnds() ?? []) : geometry.getEndss().flat();
  let start = 0;
  const rings = ends.map((end) => {
    const ring = Float64Array.from(flat.slice(start, end), (value, at) => value - (at % 2 ? y : x));
    start = end;
    return ring;
  });
  const inside = geometry instanceof Polygon ? geometry.getInteriorPoint() : geometry.getInteriorPoints();
  const [px = 0, py = 0] = inside.getFlatCoordinates();
  const [west = 0, south = 0, east = 0, north = 0] = geometry.getExtent();
  return { rings, middle: [px - x, py - y], width: east - west, extent: [west - x, south - y, east - x, north - y] };
}

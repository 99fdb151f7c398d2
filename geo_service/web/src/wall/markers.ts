// What is open, on the wall's map: one marker for what lies close together, so that none hides another,
// and the names of communities where they lie on none of them.
import Feature from "ol/Feature";
import Point from "ol/geom/Point";
import VectorLayer from "ol/layer/Vector";
import type RenderFeature from "ol/render/Feature";
import VectorSource from "ol/source/Vector";
import type { TileCoord } from "ol/tilecoord";

import { type Piece, piece } from "../map/labels";
import { rem } from "./palette";
import { type Kind, KINDS, markerRadius, markerStyle, nameSize, nameStyle } from "./styles";

type Counts = Record<Kind, number>;

/** A place with what is open there, in pixels of the map. */
interface Marker {
  x: number;
  y: number;
  counts: Counts;
  /** Measured once: what follows asks for it very often. */
  radius: number;
}

/** A name, and where it would stand. */
interface Name {
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Several zooms of a large wall's tiles: one that was seen before is not loaded again, and not told of anew. */
const KEPT = 4_000;
/** How far a name may stand from its place, in rem: further off it would name another community. */
const FARTHEST = 3.2;
/** After so many rounds a marker in the way of a name gives way no more: it joins another. */
const ROUNDS = 8;
/** Digits of a community's code. */
const COMMUNITY = 12;

function total(counts: Counts): number {
  return KINDS.reduce((sum, kind) => sum + counts[kind], 0);
}

function joined(a: Marker, b: Marker): Marker {
  const [m, n] = [total(a.counts), total(b.counts)];
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, a.counts[kind] + b.counts[kind]])) as Counts;
  return { x: (a.x * m + b.x * n) / (m + n), y: (a.y * m + b.y * n) / (m + n), counts, radius: markerRadius(counts) };
}

/** Join what lies in one square of a mesh: joining pair by pair is for some hundreds. */
function gathered(markers: readonly Marker[], edge: number): Marker[] {
  const cells = new Map<string, Marker>();
  for (const marker of markers) {
    const key = `${Math.floor(marker.x / edge)} ${Math.floor(marker.y / edge)}`;
    const there = cells.get(key);
    cells.set(key, there ? joined(there, marker) : marker);
  }
  return [...cells.values()];
}

/** Join markers until none touches another: those that overlap most first. */
function apart(markers: readonly Marker[], gap: number): Marker[] {
  const left = [...markers];
  for (;;) {
    let worst = 0;
    let pair: [number, number] | null = null;
    left.forEach((a, i) => {
      for (let j = i + 1; j < left.length; j += 1) {
        const b = left[j] as Marker;
        const overlap = a.radius + b.radius + gap - Math.hypot(a.x - b.x, a.y - b.y);
        if (overlap > worst) [worst, pair] = [overlap, [i, j]];
      }
    });
    if (!pair) return left;
    const [i, j]: [number, number] = pair;
    left[i] = joined(left[i] as Marker, left[j] as Marker);
    left.splice(j, 1);
  }
}

type Box = [left: number, top: number, right: number, bottom: number];

function boxOf({ x, y, width, height }: Name): Box {
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}

/** How far a marker reaches into a box. */
function reach({ x, y, radius }: Marker, [left, top, right, bottom]: Box): number {
  const away = Math.hypot(x - Math.max(left, Math.min(x, right)), y - Math.max(top, Math.min(y, bottom)));
  return Math.max(0, radius - away);
}

function covered(box: Box, markers: readonly Marker[], boxes: readonly Box[]): number {
  let cost = markers.reduce((sum, marker) => sum + reach(marker, box), 0);
  for (const other of boxes) {
    const wide = Math.min(box[2], other[2]) - Math.max(box[0], other[0]);
    const high = Math.min(box[3], other[3]) - Math.max(box[1], other[1]);
    if (wide > 0 && high > 0) cost += 3 * Math.min(wide, high); // a marker can give way, a name cannot
  }
  return cost;
}

/** Places for names, each as near to its own as it can be without lying on a marker or on another name. */
function placed(names: readonly Name[], markers: readonly Marker[], step: number, farthest: number): Name[] {
  const boxes: Box[] = [];
  return names.map((name) => {
    let best = { x: name.x, y: name.y, cost: Infinity };
    for (let far = 0; far <= farthest && best.cost > 0; far += step) {
      const ways = far === 0 ? 1 : 16;
      for (let way = 0; way < ways && best.cost > 0; way += 1) {
        const angle = (2 * Math.PI * way) / ways;
        const [x, y] = [name.x + far * Math.cos(angle), name.y + far * Math.sin(angle)];
        const cost = covered(boxOf({ ...name, x, y }), markers, boxes);
        if (cost < best.cost) best = { x, y, cost };
      }
    }
    const there = { ...name, x: best.x, y: best.y };
    boxes.push(boxOf(there));
    return there;
  });
}

/** Markers that still lie on a name, moved off it by the shortest way. */
function givingWay(markers: readonly Marker[], names: readonly Name[]): Marker[] {
  return markers.map((marker) => {
    const name = names.find((each) => reach(marker, boxOf(each)) > 0);
    if (!name) return marker;
    const [left, top, right, bottom] = boxOf(name);
    const { x, y } = marker;
    const room = marker.radius + 1;
    const ways = [{ x, y: top - room }, { x, y: bottom + room }, { x: left - room, y }, { x: right + room, y }];
    const far = (way: { x: number; y: number }): number => Math.abs(way.x - x) + Math.abs(way.y - y);
    return { ...marker, ...ways.reduce((best, way) => (far(way) < far(best) ? way : best)) };
  });
}

/** The markers with one of them joined to the one next to it. */
function withNearest(markers: readonly Marker[], one: Marker): Marker[] {
  const others = markers.filter((marker) => marker !== one);
  const away = ({ x, y }: Marker): number => Math.hypot(x - one.x, y - one.y);
  const nearest = others.reduce((best, marker) => (away(marker) < away(best) ? marker : best));
  return [...others.filter((marker) => marker !== nearest), joined(nearest, one)];
}

/** Markers and names that do not touch each other, all as near to their places as that allows. */
function laidOut(markers: readonly Marker[], names: readonly Name[], size: number): [Marker[], Name[]] {
  let some = apart(gathered(markers, 2.2 * size), 0.15 * size);
  for (let round = 0; ; round += 1) {
    const shown = placed(names, some, 0.4 * size, FARTHEST * size);
    const hidden = some.find((marker) => shown.some((name) => reach(marker, boxOf(name)) > 0));
    if (!hidden || some.length < 2) return [some, shown];
    some = apart(round < ROUNDS ? givingWay(some, shown) : withNearest(some, hidden), 0.15 * size);
  }
}

interface Place {
  kind: Kind;
  /** None of a feature that stands for several. */
  id: string | number | undefined;
  at: number[];
  counts: Counts;
}

interface Tile {
  layer: string;
  z: number;
  places: Place[];
  names: Piece[];
}

const NOTHING: Counts = { disputes: 0, hazards: 0, cameras: 0 };

export class Markers {
  readonly layer: VectorLayer<VectorSource>;
  private readonly source = new VectorSource();
  private readonly tiles = new Map<string, Tile>();
  private pending = 0;

  /** `zoomOf` tells the zoom of the tiles of a layer, `resolution` metres of a pixel, 0 while nothing is shown. */
  constructor(
    private readonly zoomOf: (layer: string) => number,
    private readonly resolution: () => number,
  ) {
    this.layer = new VectorLayer({
      source: this.source,
      style: (feature) => {
        const counts = feature.get("counts") as Counts | undefined;
        return counts ? markerStyle(counts) : nameStyle(String(feature.get("text")));
      },
    });
  }

  /** Take what a tile has of a kind; `countOf` tells how many of a feature are open. */
  add(kind: Kind, [z = 0, x = 0, y = 0]: TileCoord, features: RenderFeature[], countOf: (feature: RenderFeature) => number): void {
    const places = features.flatMap((feature) => {
      const number = countOf(feature);
      const at = feature.getFlatCoordinates().slice(0, 2);
      // Tiles overlap at their seams: what lies there comes twice, and is told apart by its id or its place.
      const id = feature.get("count") === undefined ? feature.getId() : undefined;
      return number ? [{ kind, id, at, counts: { ...NOTHING, [kind]: number } }] : [];
    });
    this.keep(`${kind}/${z}/${x}/${y}`, { layer: kind, z, places, names: [] });
  }

  /** Take the communities of a tile. */
  addNames([z = 0, x = 0, y = 0]: TileCoord, features: RenderFeature[], name: string): void {
    const pieces = features.map((feature) => piece(feature, String(feature.get(name) ?? "")));
    const names = pieces.filter((found): found is Piece => found !== null && found.digits >= COMMUNITY);
    this.keep(`areas/${z}/${x}/${y}`, { layer: "areas", z, places: [], names });
  }

  private keep(key: string, tile: Tile): void {
    this.tiles.delete(key); // so that it counts as the newest
    this.tiles.set(key, tile);
    for (const oldest of this.tiles.keys()) {
      if (this.tiles.size <= KEPT) break;
      this.tiles.delete(oldest);
    }
    this.changed();
  }

  /** Draw anew, with the next frame. */
  changed(): void {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    const resolution = this.resolution();
    if (!resolution) return;
    const places = new Map<string, Place>();
    const names = new Map<string, Piece>();
    for (const { layer, z, places: found, names: pieces } of this.tiles.values()) {
      if (z !== this.zoomOf(layer)) continue;
      for (const place of found) {
        const own = place.id ?? place.at.map((part) => Math.round(part / resolution)).join(" ");
        places.set(`${place.kind} ${own}`, place);
      }
      for (const name of pieces) if (name.area > (names.get(name.text)?.area ?? 0)) names.set(name.text, name);
    }
    const pixel = ([x = 0, y = 0]: number[]): { x: number; y: number } => ({ x: x / resolution, y: -y / resolution });
    const size = rem();
    const single = [...places.values()].map(({ at, counts }) => ({ ...pixel(at), counts, radius: markerRadius(counts) }));
    const [markers, shown] = laidOut(single, [...names.values()].map(({ point, text }) => ({ ...pixel(point), text, ...nameSize(text) })), size);
    const point = ({ x, y }: { x: number; y: number }): Point => new Point([x * resolution, -y * resolution]);
    this.source.clear(true);
    this.source.addFeatures([
      ...markers.map((marker) => new Feature({ geometry: point(marker), counts: marker.counts })),
      ...shown.map((name) => new Feature({ geometry: point(name), text: name.text })),
    ]);
  }
}

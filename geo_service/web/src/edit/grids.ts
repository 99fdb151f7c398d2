// The grids of the draft as they are now: by code, by place, and beside each other.
import type { Coordinate } from "ol/coordinate";
import { buffer, createEmpty, type Extent, extend, isEmpty } from "ol/extent";
import Feature from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import type MultiPolygon from "ol/geom/MultiPolygon";
import type Polygon from "ol/geom/Polygon";
import VectorSource from "ol/source/Vector";

import type { Grids as Collection } from "./contract";

export type Shape = Polygon | MultiPolygon;
export type Grid = Feature<Shape>;

const FORMAT = new GeoJSON({ featureProjection: "EPSG:3857" });

export function codeOf(grid: Grid): string {
  return String(grid.getId());
}

export function read(collection: Collection): Grid[] {
  const features = FORMAT.readFeatures(collection) as Grid[];
  for (const feature of features) feature.setId(String(feature.get("code")));
  return features;
}

/** Every ring of a grid as one list of x and y after each other. */
export function rings(shape: Shape): Coordinate[][] {
  return shape.getType() === "Polygon" ? (shape as Polygon).getCoordinates() : (shape as MultiPolygon).getCoordinates().flat();
}

function key([x = 0, y = 0]: Coordinate): string {
  return `${x},${y}`;
}

/** What lies nearest to a coordinate on the outlines of some grids. */
export interface Nearest {
  /** The place on the edge. */
  at: Coordinate;
  /** The ends of the edge. */
  edge: [Coordinate, Coordinate];
  /** The end that is within reach, if one is. */
  vertex: Coordinate | null;
}

export class Grids {
  readonly source = new VectorSource<Grid>({ wrapX: false });

  /** The names of grids that are no more. */
  private readonly gone = new Map<string, string>();

  load(collection: Collection): void {
    this.source.clear(true);
    this.source.addFeatures(read(collection));
    this.nameAlike();
  }

  /** Take over what the service says of some grids. */
  take(changed: Collection, removed: string[]): void {
    for (const code of removed) {
      const grid = this.get(code);
      if (!grid) continue;
      this.gone.set(code, String(grid.get("name") ?? ""));
      this.source.removeFeature(grid);
    }
    for (const grid of read(changed)) {
      const mine = this.get(codeOf(grid));
      if (!mine) {
        this.source.addFeature(grid);
        continue;
      }
      const { geometry, ...properties } = grid.getProperties();
      mine.setProperties(properties, true);
      mine.setGeometry(geometry as Shape);
    }
  }

  get(code: string): Grid | null {
    return this.source.getFeatureById(code);
  }

  all(): Grid[] {
    return this.source.getFeatures().sort((a, b) => (codeOf(a) < codeOf(b) ? -1 : 1));
  }

  editable(code: string): boolean {
    const grid = this.get(code);
    return grid !== null && grid.get("editable") !== false;
  }

  /** What the names of all grids of the draft begin with: that of their community, as a rule. */
  private common = "";

  private nameAlike(): void {
    const names = this.source
      .getFeatures()
      .filter((grid) => grid.get("editable") !== false)
      .map((grid) => String(grid.get("name") ?? ""));
    const [first = ""] = names;
    let length = names.length > 1 ? first.length : 0;
    for (const name of names) while (!name.startsWith(first.slice(0, length))) length -= 1;
    // 第 and the number stay together.
    this.common = /^.*[^第\d\s]/u.exec(first.slice(0, length))?.[0] ?? "";
  }

  /** The name of a grid without what all have in common, or the digits that tell it from others. */
  title(code: string): string {
    const name = (this.get(code)?.get("name") as string | null | undefined) ?? this.gone.get(code);
    if (!name) return code.slice(-6);
    const rest = name.startsWith(this.common) ? name.slice(this.common.length) : "";
    return rest || name;
  }

  at(coordinate: Coordinate): Grid | null {
    return this.source.getFeaturesAtCoordinate(coordinate)[0] ?? null;
  }

  near(extent: Extent): Grid[] {
    return this.source.getFeaturesInExtent(extent);
  }

  /** The extent of the grids that may be edited. */
  extent(codes?: string[]): Extent | null {
    const all = createEmpty();
    for (const grid of this.source.getFeatures()) {
      const wanted = codes ? codes.includes(codeOf(grid)) : grid.get("editable") !== false;
      const geometry = grid.getGeometry();
      if (wanted && geometry) extend(all, geometry.getExtent());
    }
    return isEmpty(all) ? null : all;
  }

  /** The codes of the grids that share an edge with one. */
  neighbours(code: string): string[] {
    const shape = this.get(code)?.getGeometry();
    if (!shape) return [];
    const edges = new Set<string>();
    for (const ring of rings(shape)) for (let i = 1; i < ring.length; i++) edges.add(`${key(ring[i] ?? [])} ${key(ring[i - 1] ?? [])}`);
    const beside = (grid: Grid): boolean => {
      const own = grid.getGeometry();
      if (!own || codeOf(grid) === code) return false;
      return rings(own).some((ring) =>
        ring.some((corner, i) => {
          if (i === 0) return false;
          const [one, two] = [key(ring[i - 1] ?? []), key(corner)];
          return edges.has(`${one} ${two}`) || edges.has(`${two} ${one}`);
        }),
      );
    };
    return this.near(shape.getExtent()).filter(beside).map(codeOf).sort();
  }

  /** The codes of the grids that have a vertex. */
  holders(vertex: Coordinate): string[] {
    const [x = 0, y = 0] = vertex;
    const has = (grid: Grid): boolean => {
      const shape = grid.getGeometry();
      return !!shape && rings(shape).some((ring) => ring.some(([a, b]) => a === x && b === y));
    };
    return this.near(buffer([x, y, x, y], 1)).filter(has).map(codeOf).sort();
  }

  /** The vertices that edges lead to from a vertex, each once. */
  beside(vertex: Coordinate): Coordinate[] {
    const found = new Map<string, Coordinate>();
    for (const code of this.holders(vertex)) {
      const shape = this.get(code)?.getGeometry();
      for (const ring of shape ? rings(shape) : []) {
        for (let i = 1; i < ring.length; i++) {
          const [a = [], b = []] = [ring[i - 1], ring[i]];
          if (key(a) === key(vertex)) found.set(key(b), b);
          if (key(b) === key(vertex)) found.set(key(a), a);
        }
      }
    }
    return [...found.values()];
  }

  /** The nearest place on an outline within `reach` metres of the map. */
  nearest(coordinate: Coordinate, reach: number): Nearest | null {
    const [x = 0, y = 0] = coordinate;
    let best = reach * reach;
    let found: Nearest | null = null;
    for (const grid of this.near([x - reach, y - reach, x + reach, y + reach])) {
      const shape = grid.getGeometry();
      if (!shape) continue;
      for (const ring of rings(shape)) {
        for (let i = 1; i < ring.length; i++) {
          const [a = [], b = []] = [ring[i - 1], ring[i]];
          const at = foot(coordinate, a, b);
          const away = squared(coordinate, at);
          if (away >= best) continue;
          best = away;
          found = { at, edge: [a, b], vertex: null };
        }
      }
    }
    if (!found) return null;
    const ends = [...found.edge].sort((a, b) => squared(coordinate, a) - squared(coordinate, b));
    const [end] = ends;
    if (end && squared(coordinate, end) <= reach * reach) found.vertex = end;
    return found;
  }

  /** Codes after the last of those under the same parent, none of which is in use. */
  fresh(like: string, count: number): string[] {
    const tail = /\d{1,3}$/.exec(like)?.[0] ?? "";
    const head = like.slice(0, like.length - tail.length);
    const numbers = this.source
      .getFeatures()
      .map(codeOf)
      .filter((code) => code.startsWith(head) && code.length === like.length)
      .map((code) => Number(code.slice(head.length)));
    const made: string[] = [];
    for (let number = Math.max(0, ...numbers) + 1; made.length < count; number++) {
      made.push(tail ? head + String(number).padStart(tail.length, "0") : `${like}-${number}`);
    }
    return made;
  }
}

function squared([x = 0, y = 0]: Coordinate, [a = 0, b = 0]: Coordinate): number {
  return (x - a) ** 2 + (y - b) ** 2;
}

/** The place on the segment from a to b that is nearest to a coordinate. */
export function foot([x = 0, y = 0]: Coordinate, [a = 0, b = 0]: Coordinate, [c = 0, d = 0]: Coordinate): Coordinate {
  const [u, v] = [c - a, d - b];
  const length = u * u + v * v;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - a) * u + (y - b) * v) / length));
  return [a + share * u, b + share * v];
}

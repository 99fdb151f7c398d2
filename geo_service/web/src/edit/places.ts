// Between the map's metres and the degrees that the service keeps, on its lattice of 1e-8 degrees.
import type { Coordinate } from "ol/coordinate";
import { fromLonLat, toLonLat } from "ol/proj";

import type { Geometry, Place } from "./contract";

const STEPS = 1e8;

function lattice(degrees: number): number {
  return Math.round(degrees * STEPS) / STEPS;
}

/** The place of a coordinate of the map: that of a vertex is the very one that the service knows. */
export function placeOf(coordinate: Coordinate): Place {
  const [lon = 0, lat = 0] = toLonLat(coordinate);
  return [lattice(lon), lattice(lat)];
}

export function lineOf(coordinates: Coordinate[]): Place[] {
  return coordinates.map(placeOf);
}

/** A polygon of the corners given; the ring is closed here. */
export function areaOf(corners: Coordinate[]): Geometry {
  const ring = lineOf(corners);
  const [first] = ring;
  const last = ring[ring.length - 1];
  if (first && last && (first[0] !== last[0] || first[1] !== last[1])) ring.push(first);
  return { type: "Polygon", coordinates: [ring] };
}

export function onMap(place: Place): Coordinate {
  return fromLonLat(place);
}

export function placeText([lon, lat]: Place): string {
  return `${lon.toFixed(8)}, ${lat.toFixed(8)}`;
}

/** A number of degrees that somebody typed, null where it is none. */
export function degrees(text: string, most: number): number | null {
  const value = Number(text.trim());
  return text.trim() !== "" && Number.isFinite(value) && Math.abs(value) <= most ? lattice(value) : null;
}

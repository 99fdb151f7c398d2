// The convex hull of points: Andrew's monotone chain (1979).
import type { Coordinate } from "ol/coordinate";

function turn([a = 0, b = 0]: Coordinate, [c = 0, d = 0]: Coordinate, [e = 0, f = 0]: Coordinate): number {
  return (c - a) * (f - b) - (d - b) * (e - a);
}

/** The corners of the hull, counter-clockwise, the first not repeated. */
export function hull(points: Coordinate[]): Coordinate[] {
  const sorted = [...points].sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d);
  if (sorted.length < 3) return sorted;
  const half = (from: Coordinate[]): Coordinate[] => {
    const chain: Coordinate[] = [];
    for (const point of from) {
      while (chain.length > 1 && turn(chain[chain.length - 2] ?? [], chain[chain.length - 1] ?? [], point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half([...sorted].reverse())];
}

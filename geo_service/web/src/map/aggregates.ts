// Graduated circles for grouped features: the area of a circle is proportional to its count.
import type RenderFeature from "ol/render/Feature";

const LARGEST = 25;
/** Below this a number would not fit; circles of few features are drawn a little too large for it. */
const SMALLEST = 8;
/** How far circles step aside, as a share of their radius. */
const ASIDE = 0.7;
const STEPS = [1, 2, 3, 5, 7.5, 10];

/** The next rounder number, so that the scale does not shift with every tile. */
function rounded(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const step = STEPS.find((candidate) => candidate * decade >= value) ?? 10;
  return step * decade;
}

/** One scale for all layers at a zoom, so that equal circles mean equal counts. */
export class AggregateScale {
  private largest = new Map<number, number>();

  /** `grown` is called when circles that were drawn before have become too large. */
  constructor(private readonly grown: () => void) {}

  add(z: number, features: RenderFeature[]): void {
    let largest = 0;
    for (const feature of features) largest = Math.max(largest, Number(feature.get("count")) || 0);
    if (largest === 0) return;
    const before = this.largest.get(z);
    const after = Math.max(before ?? 0, rounded(largest));
    if (after === before) return;
    this.largest.set(z, after);
    if (before !== undefined) this.grown();
  }

  clear(): void {
    this.largest.clear();
  }

  radius(z: number, count: number): number {
    const largest = Math.max(this.largest.get(z) ?? count, 20);
    return Math.max(SMALLEST, LARGEST * Math.sqrt(count / largest));
  }
}

/**
 * The side to which a layer's circles step aside, as x and y up. The circles of several layers share
 * a place wherever their features do, and would hide each other's numbers.
 */
export function side(index: number, layers: number): [x: number, y: number] {
  if (layers < 2) return [0, 0];
  const angle = Math.PI / 2 + (2 * Math.PI * index) / layers;
  return [Math.cos(angle) * ASIDE, Math.sin(angle) * ASIDE];
}

/** 1234 is written 1.2k: the exact number would not fit its circle. */
export function shortCount(count: number): string {
  if (count < 1000) return String(count);
  const thousands = count / 1000;
  return `${thousands < 10 ? thousands.toFixed(1) : Math.round(thousands)}k`;
}

// How the wall's map is drawn: dark, with what is open standing out.
import type { FeatureLike } from "ol/Feature";
import Fill from "ol/style/Fill";
import Icon from "ol/style/Icon";
import Stroke from "ol/style/Stroke";
import Style, { type StyleFunction } from "ol/style/Style";
import Text from "ol/style/Text";

import { translucent } from "../common/color";
import type { EventLayer, WallState } from "../common/contract";
import { isOpen } from "./open";
import { PALETTE, rem } from "./palette";

export const groundStyle = new Style({ fill: new Fill({ color: PALETTE.ground }) });

export const roadStyle = new Style({ stroke: new Stroke({ color: PALETTE.road, width: 1.2 }) });

export function boundaryStyle(feature: FeatureLike): Style {
  const isTown = String(feature.get("code") ?? "").length < 12;
  return new Style({ stroke: new Stroke({ color: PALETTE.boundary, width: (isTown ? 0.2 : 0.11) * rem() }) });
}

/** Grids, the busiest of them filled the more, the busier they are. */
export function gridStyle(busiest: () => WallState["busiest"]): StyleFunction {
  return (feature) => {
    const found = busiest();
    const grid = found.find((item) => item.grid === feature.get("code"));
    const most = found[0] ? found[0].disputes + found[0].hazards : 1;
    const share = grid ? (grid.disputes + grid.hazards) / most : 0;
    return new Style({
      stroke: new Stroke({ color: PALETTE.grid, width: 0.06 * rem() }),
      fill: grid ? new Fill({ color: translucent(PALETTE.accent, 0.08 + 0.3 * share) }) : undefined,
    });
  };
}

/** The sum of `n_<code>` over the codes that count. */
function sum(feature: FeatureLike, counts: (code: string) => boolean): number {
  let total = 0;
  for (const [name, value] of Object.entries(feature.getProperties())) {
    if (name.startsWith("n_") && counts(name.slice(2))) total += Number(value);
  }
  return total;
}

/** How many of a feature's are open; a feature may stand for several. */
export function openCount(kind: Kind, feature: FeatureLike): number {
  const counts = (code: string): boolean => (kind === "cameras" ? code !== "online" : isOpen(kind, code));
  if (feature.get("count") !== undefined) return sum(feature, counts);
  return counts(String(feature.get("status"))) ? 1 : 0;
}

export type Kind = EventLayer | "cameras";
export const KINDS: readonly Kind[] = ["disputes", "hazards", "cameras"];
const COLOURS: Record<Kind, string> = { disputes: PALETTE.disputes, hazards: PALETTE.hazards, cameras: PALETTE.fault };

function totalOf(counts: Record<Kind, number>): number {
  return KINDS.reduce((number, kind) => number + counts[kind], 0);
}

/** In pixels: larger for more, and never too small for its number to be read from afar. */
export function markerRadius(counts: Record<Kind, number>): number {
  return Math.min(1 + 0.1 * Math.sqrt(totalOf(counts)), 2.1) * rem();
}

const painted = new Map<string, Style>();

/** A disc with the number, in a ring of what it is made of. */
export function markerStyle(counts: Record<Kind, number>): Style {
  const size = rem();
  const key = [size, ...KINDS.map((kind) => counts[kind])].join(" ");
  let style = painted.get(key);
  if (!style) {
    if (painted.size > 500) painted.clear();
    painted.set(key, (style = new Style({ image: new Icon({ img: ring(counts, size), scale: 1 / DENSITY }), zIndex: -totalOf(counts) })));
  }
  return style;
}

/** Painted larger than shown, so that it stays sharp on dense screens. */
const DENSITY = 2;

function ring(counts: Record<Kind, number>, size: number): HTMLCanvasElement {
  const all = totalOf(counts);
  const radius = markerRadius(counts);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(2 * radius + 2) * DENSITY;
  const paint = canvas.getContext("2d");
  if (!paint) return canvas;
  paint.translate(canvas.width / 2, canvas.height / 2);
  paint.scale(DENSITY, DENSITY);
  const wide = 0.36 * size;
  paint.fillStyle = "#0b1521";
  paint.beginPath();
  paint.arc(0, 0, radius, 0, 2 * Math.PI);
  paint.fill();
  paint.lineWidth = wide;
  let from = -Math.PI / 2;
  for (const kind of KINDS) {
    const to = from + (2 * Math.PI * counts[kind]) / all;
    paint.strokeStyle = COLOURS[kind];
    paint.beginPath();
    paint.arc(0, 0, radius - wide / 2, from, to);
    if (to > from) paint.stroke();
    from = to;
  }
  paint.fillStyle = PALETTE.ink;
  paint.font = `700 ${(all > 99 ? 1.2 : 1.3) * size}px ${getComputedStyle(document.body).fontFamily}`;
  paint.textAlign = "center";
  paint.textBaseline = "middle";
  paint.fillText(String(all), 0, 0.06 * size);
  return canvas;
}

function nameFont(): string {
  return `600 ${Math.round(1.3 * rem())}px ${getComputedStyle(document.body).fontFamily}`;
}

let measure: CanvasRenderingContext2D | null = null;

/** Pixels that a name takes. */
export function nameSize(text: string): { width: number; height: number } {
  measure ??= document.createElement("canvas").getContext("2d");
  if (measure) measure.font = nameFont();
  return { width: (measure?.measureText(text).width ?? 0) + 0.5 * rem(), height: 1.7 * rem() };
}

export function nameStyle(text: string): Style {
  return new Style({
    text: new Text({
      text,
      font: nameFont(),
      fill: new Fill({ color: "rgba(214,227,240,0.95)" }),
      stroke: new Stroke({ color: "rgba(10,19,30,0.9)", width: 4 }),
      overflow: true,
    }),
    zIndex: 1,
  });
}

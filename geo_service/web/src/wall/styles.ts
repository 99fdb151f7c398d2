// How the wall's map is drawn: dark, with what is open standing out.
import type { FeatureLike } from "ol/Feature";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import RegularShape from "ol/style/RegularShape";
import Stroke from "ol/style/Stroke";
import Style, { type StyleFunction } from "ol/style/Style";
import Text from "ol/style/Text";

import { translucent } from "../common/color";
import type { EventLayer, WallState } from "../common/contract";
import { isOpen } from "./open";
import { PALETTE, rem } from "./palette";

const EDGE = new Stroke({ color: "rgba(8,15,24,0.9)", width: 1.5 });

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

function grouped(total: number, color: string): Style {
  const size = rem();
  return new Style({
    image: new CircleStyle({
      radius: Math.min(0.7 + 0.14 * Math.sqrt(total), 2.2) * size,
      fill: new Fill({ color: translucent(color, 0.85) }),
      stroke: EDGE,
    }),
    text: new Text({ text: String(total), font: `700 ${Math.round(0.95 * size)}px sans-serif`, fill: new Fill({ color: "#14100c" }) }),
    zIndex: -total,
  });
}

/** The sum of `n_<code>` over the codes that count. */
function sum(feature: FeatureLike, counts: (code: string) => boolean): number {
  let total = 0;
  for (const [name, value] of Object.entries(feature.getProperties())) {
    if (name.startsWith("n_") && counts(name.slice(2))) total += Number(value);
  }
  return total;
}

export function eventStyle(layer: EventLayer): StyleFunction {
  const color = PALETTE[layer];
  const fill = new Fill({ color: translucent(color, 0.88) });
  const single = (): Style => {
    const size = rem();
    const image =
      layer === "disputes"
        ? new CircleStyle({ radius: 0.4 * size, fill, stroke: EDGE })
        : new RegularShape({ points: 3, radius: 0.52 * size, fill, stroke: EDGE });
    return new Style({ image });
  };
  return (feature) => {
    if (feature.get("count") !== undefined) {
      const total = sum(feature, (code) => isOpen(layer, code));
      return total ? grouped(total, color) : undefined;
    }
    return isOpen(layer, String(feature.get("status"))) ? single() : undefined;
  };
}

/** Only cameras that need somebody. */
export function cameraStyle(feature: FeatureLike): Style | undefined {
  const down = (code: string): boolean => code !== "online";
  if (feature.get("count") !== undefined) {
    const total = sum(feature, down);
    return total ? grouped(total, PALETTE.fault) : undefined;
  }
  if (!down(String(feature.get("status")))) return undefined;
  const size = rem();
  return new Style({
    image: new RegularShape({ points: 4, angle: 0, radius: 0.36 * size, fill: new Fill({ color: PALETTE.fault }), stroke: EDGE }),
  });
}

export function nameStyle(text: string): Style {
  return new Style({
    text: new Text({
      text,
      font: `500 ${Math.round(1.125 * rem())}px ${getComputedStyle(document.body).fontFamily}`,
      fill: new Fill({ color: "rgba(200,216,233,0.85)" }),
      stroke: new Stroke({ color: "rgba(10,19,30,0.85)", width: 4 }),
    }),
  });
}

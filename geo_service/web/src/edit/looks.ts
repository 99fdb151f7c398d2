// How grids, drawings and places look on the editor's map.
import type { FeatureLike } from "ol/Feature";
import LineString from "ol/geom/LineString";
import MultiPoint from "ol/geom/MultiPoint";
import Polygon from "ol/geom/Polygon";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import RegularShape from "ol/style/RegularShape";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import Text from "ol/style/Text";

import { translucent } from "../common/color";
import { FONT } from "../map/styles";
import type { BalanceRow } from "./contract";

export const COLOURS = { below: "#c98a1b", within: "#2f8f5b", above: "#b3392f", outside: "#8a94a3", accent: "#2f5fa8", gain: "#1d7a4c", loss: "#b3392f" };

const made = new Map<string, Style>();

function once(key: string, make: () => Style): Style {
  let style = made.get(key);
  if (!style) made.set(key, (style = make()));
  return style;
}

export type Role = "chosen" | "neighbour" | "plain" | "outside";

const FILL: Record<Role, number> = { chosen: 0.34, neighbour: 0.2, plain: 0.09, outside: 0.05 };
const LINE: Record<Role, number> = { chosen: 3.2, neighbour: 1.8, plain: 1.3, outside: 0.8 };

/** A grid: coloured by its households against the limits, stronger where it is chosen or beside that. */
export function gridLook(role: Role, state: BalanceRow["state"] | null, changed: boolean): Style {
  return once(`grid ${role} ${state} ${changed}`, () => {
    const color = role === "outside" || !state ? COLOURS.outside : COLOURS[state];
    const line = role === "chosen" ? COLOURS.accent : role === "outside" ? "#7b8494" : "#41505f";
    const stroke = new Stroke({ color: translucent(line, role === "outside" ? 0.7 : 0.95), width: LINE[role], lineJoin: "round" });
    if (role === "outside") stroke.setLineDash([5, 4]);
    else if (changed && role !== "chosen") stroke.setWidth(LINE[role] + 0.6);
    return new Style({ fill: new Fill({ color: translucent(color, FILL[role]) }), stroke, zIndex: role === "chosen" ? 3 : role === "neighbour" ? 2 : role === "plain" ? 1 : 0 });
  });
}

export function gridText(text: string, strong: boolean, overflow = false): Style {
  return new Style({
    zIndex: 10,
    text: new Text({
      text,
      overflow,
      font: `${strong ? 700 : 600} ${strong ? 14 : 12}px ${FONT}`,
      fill: new Fill({ color: "#1f2a37" }),
      stroke: new Stroke({ color: "rgba(255,255,255,0.92)", width: 3.5 }),
    }),
  });
}

const DRAGGED = new Style({
  fill: new Fill({ color: "rgba(47,95,168,0.16)" }),
  stroke: new Stroke({ color: COLOURS.accent, width: 2.4, lineJoin: "round" }),
});

export function draggedLook(): Style {
  return DRAGGED;
}

const HANDLE = new Style({
  image: new CircleStyle({ radius: 7, fill: new Fill({ color: "#fff" }), stroke: new Stroke({ color: COLOURS.accent, width: 3 }) }),
});

export function handleLook(): Style {
  return HANDLE;
}

const CORNER = new Style({
  image: new CircleStyle({ radius: 5, fill: new Fill({ color: "#fff" }), stroke: new Stroke({ color: COLOURS.accent, width: 2 }) }),
});
const SKETCH = new Style({
  fill: new Fill({ color: "rgba(47,95,168,0.14)" }),
  stroke: new Stroke({ color: COLOURS.accent, width: 3, lineDash: [8, 5] }),
});

const DOTS = new Style({
  image: new CircleStyle({ radius: 3.2, fill: new Fill({ color: "#fff" }), stroke: new Stroke({ color: COLOURS.accent, width: 1.6 }) }),
  geometry: (feature) => {
    const shape = feature.getGeometry();
    if (!(shape instanceof LineString || shape instanceof Polygon)) return undefined;
    return new MultiPoint(shape instanceof Polygon ? (shape.getCoordinates()[0] ?? []) : shape.getCoordinates());
  },
});

export function sketchLook(feature: FeatureLike): Style | Style[] {
  return feature.getGeometry()?.getType() === "Point" ? CORNER : [SKETCH, DOTS];
}

const VERTEX = new Style({
  image: new RegularShape({ points: 4, radius: 5, angle: Math.PI / 4, fill: new Fill({ color: "#fff" }), stroke: new Stroke({ color: "#41505f", width: 1.5 }) }),
});
const NODE = new Style({
  image: new RegularShape({ points: 4, radius: 7, angle: Math.PI / 4, fill: new Fill({ color: COLOURS.accent }), stroke: new Stroke({ color: "#fff", width: 1.8 }) }),
  zIndex: 2,
});

/** A vertex of the chosen grid; one where three grids or more meet is a node. */
export function vertexLook(feature: FeatureLike): Style {
  return feature.get("node") ? NODE : VERTEX;
}

const CUT = new Style({ fill: new Fill({ color: "rgba(179,57,47,0.45)" }), stroke: new Stroke({ color: COLOURS.above, width: 2 }) });

/** A building that a line runs through. */
export function cutLook(): Style {
  return CUT;
}

const OFFERED = new Style({ fill: new Fill({ color: "rgba(47,95,168,0.04)" }), stroke: new Stroke({ color: "rgba(47,95,168,0.75)", width: 1.2, lineDash: [4, 3] }) });
const TAKEN = new Style({ fill: new Fill({ color: "rgba(47,95,168,0.42)" }), stroke: new Stroke({ color: COLOURS.accent, width: 2.2 }), zIndex: 1 });

/** A piece of ground that can be clicked. */
export function pieceLook(chosen: boolean): Style {
  return chosen ? TAKEN : OFFERED;
}

const PROPOSED = new Style({
  fill: new Fill({ color: "rgba(105,65,165,0.14)" }),
  stroke: new Stroke({ color: "#6941a5", width: 3 }),
});

export function proposedLook(text: string): Style[] {
  return [PROPOSED, gridText(text, true, true)];
}

export function movedLook(gain: boolean, text: string): Style[] {
  const color = gain ? COLOURS.gain : COLOURS.loss;
  const area = once(`moved ${gain}`, () => new Style({ fill: new Fill({ color: translucent(color, 0.42) }), stroke: new Stroke({ color, width: 2 }) }));
  const words = gridText(text, false, true);
  words.getText()?.setOffsetY(20); // below the name of the grid that gets it
  return [area, words];
}

const SIDES = {
  before: new Style({ zIndex: 1, stroke: new Stroke({ color: "#7a4b12", width: 2.6, lineDash: [9, 5] }), fill: new Fill({ color: "rgba(122,75,18,0.06)" }) }),
  after: new Style({ stroke: new Stroke({ color: COLOURS.accent, width: 2.8 }), fill: new Fill({ color: "rgba(47,95,168,0.06)" }) }),
};

export function sideLook(side: keyof typeof SIDES, text: string): Style[] {
  return text ? [SIDES[side], gridText(text, false)] : [SIDES[side]];
}

export function pinLook(number: number): Style {
  return once(`pin ${number}`, () => {
    return new Style({
      image: new CircleStyle({ radius: 12, fill: new Fill({ color: "#6941a5" }), stroke: new Stroke({ color: "#fff", width: 2 }) }),
      text: new Text({ text: String(number), font: `700 12px ${FONT}`, fill: new Fill({ color: "#fff" }) }),
      zIndex: 20,
    });
  });
}

// From a feature of a tile to OpenLayers styles.
import type { FeatureLike } from "ol/Feature";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import Icon from "ol/style/Icon";
import Stroke from "ol/style/Stroke";
import Style, { type StyleFunction } from "ol/style/Style";
import Text from "ol/style/Text";

import { shade, translucent } from "../common/color";
import type { LayerEntry } from "../common/contract";
import { colouringField } from "../common/format";
import { type AggregateScale, shortCount } from "./aggregates";
import { isPolygonal, presentation, type Surface } from "./presentation";
import { DENSITY, symbol } from "./symbols";

export const FONT = '"Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif';
const EQUATOR_PIXEL = 156543.03392804097; // metres in 3857 of one pixel at zoom 0
const HALO = new Stroke({ color: "rgba(255,255,255,0.92)", width: 3 });

export function zoomOf(resolution: number): number {
  return Math.log2(EQUATOR_PIXEL / resolution);
}

/** Within a layer the same look is one Style object, however many features have it. */
class Styles {
  private made = new Map<string, Style>();

  get(key: string, make: () => Style): Style {
    let style = this.made.get(key);
    if (!style) this.made.set(key, (style = make()));
    return style;
  }
}

/** The colour that a layer's features take, by code. */
function colours(layer: LayerEntry): (feature: FeatureLike) => { code: string; color: string; rank: number } {
  const field = colouringField(layer);
  const ranks = new Map(field?.codes?.map((item, index) => [item.code, { color: item.color, rank: index }]));
  return (feature) => {
    const code = field ? String(feature.get(field.name) ?? "") : "";
    const found = ranks.get(code);
    return { code, color: found?.color ?? layer.style.color, rank: found?.rank ?? ranks.size };
  };
}

export function label(text: string, color: string, size: number, weight = 500, offsetY = 0): Text {
  return new Text({
    text,
    font: `${weight} ${size}px ${FONT}`,
    fill: new Fill({ color }),
    stroke: HALO,
    offsetY,
    padding: [2, 4, 2, 4],
  });
}

function symbolScale(zoom: number): number {
  if (zoom < 14) return 0.72;
  if (zoom < 15.5) return 0.86;
  return zoom < 17.5 ? 1 : 1.2;
}

/** What the style of a layer takes from the map around it. */
export interface Surroundings {
  scale: AggregateScale;
  aside: [x: number, y: number];
  tileZoom: (resolution: number) => number;
}

function points(layer: LayerEntry, { scale, aside, tileZoom }: Surroundings): StyleFunction {
  const styles = new Styles();
  const colourOf = colours(layer);
  const { shape, labels } = presentation(layer);
  const aggregate = (count: number, z: number): Style => {
    const radius = Math.round(scale.radius(z, count));
    return styles.get(`n${count}/${radius}`, () => {
      const fill = new Fill({ color: translucent(layer.style.color, 0.82) });
      const [x, y] = [aside[0] * radius, aside[1] * radius];
      const image = new CircleStyle({
        radius,
        displacement: [x, y],
        fill,
        stroke: new Stroke({ color: "rgba(255,255,255,0.95)", width: 1.4 }),
        declutterMode: "obstacle", // names give way to numbers
      });
      const text = new Text({
        text: shortCount(count),
        font: `600 ${radius > 15 ? 13 : 11}px ${FONT}`,
        offsetX: x,
        offsetY: -y,
        fill: new Fill({ color: "#fff" }),
        declutterMode: "none",
      });
      return new Style({ image, text, zIndex: -count });
    });
  };
  return (feature, resolution) => {
    const count = Number(feature.get("count"));
    if (count > 0) return aggregate(count, tileZoom(resolution));
    const zoom = zoomOf(resolution);
    const size = symbolScale(zoom);
    const { code, color, rank } = colourOf(feature);
    const form = shape === "wedge" ? String(feature.get("form") ?? "") : undefined;
    const azimuth = shape === "wedge" ? Number(feature.get("azimuth") ?? 0) : 0;
    const turned = Math.round(azimuth / 5) * 5;
    const drawn = styles.get([code, form, turned, size].join("|"), () => {
      const image = new Icon({
        img: symbol({ shape, color, code, form }),
        scale: size / DENSITY,
        rotation: (turned * Math.PI) / 180,
        declutterMode: "none",
      });
      return new Style({ image, zIndex: -rank });
    });
    const text = layer.label && zoom >= labels[0] ? feature.get(layer.label) : null;
    if (!text) return drawn;
    const tag = label(String(text), shade(color, -0.35), 12, 500, 17 * size);
    return [drawn, new Style({ text: tag })];
  };
}

const ROAD_METRES: Record<string, number> = { trunk: 28, primary: 22, secondary: 15, local: 9, path: 3 };
const ROAD_PIXELS: Record<string, number> = { trunk: 3.4, primary: 2.8, secondary: 2, local: 1.1, path: 0.8 };

function lines(layer: LayerEntry): StyleFunction {
  const styles = new Styles();
  const { labels } = presentation(layer);
  return (feature, resolution) => {
    const kind = String(feature.get("road_class") ?? "local");
    const metres = Number(feature.get("width")) || (ROAD_METRES[kind] ?? 8);
    // Half-pixel steps keep the number of styles small.
    const width = Math.round(Math.max(metres / resolution, ROAD_PIXELS[kind] ?? 1.2) * 2) / 2;
    const casing = styles.get(`c${width}`, () => {
      const color = width < 2 ? layer.style.color : shade(layer.style.color, -0.06);
      return new Style({ stroke: new Stroke({ color, width: width < 2 ? width : width + 1.8 }), zIndex: 0 });
    });
    const drawn = [casing];
    if (width >= 2) {
      drawn.push(styles.get(`f${width}`, () => new Style({ stroke: new Stroke({ color: "#fffefb", width }), zIndex: 1 + width })));
    }
    const name = layer.label && zoomOf(resolution) >= labels[0] ? feature.get(layer.label) : null;
    if (name) {
      const text = new Text({
        text: String(name),
        placement: "line",
        font: `400 11px ${FONT}`,
        fill: new Fill({ color: shade(layer.style.color, -0.5) }),
        stroke: HALO,
        repeat: 320,
        maxAngle: Math.PI / 5,
      });
      drawn.push(new Style({ text, zIndex: 100 }));
    }
    return drawn;
  };
}

/** Areas nest: the shorter its division code, the higher the area and the stronger its line. */
function boundaryWidth(feature: FeatureLike): number {
  const digits = String(feature.get("code") ?? "").length;
  if (digits >= 12) return 1.5;
  return digits >= 9 ? 2.6 : 3.2;
}

type Brush = (color: string, feature: FeatureLike, resolution: number) => { fill: string; line: string; width: number };

// A fill that cannot be seen still makes the inside answer to a click.
const UNSEEN = "rgba(255,255,255,0.01)";

const BRUSHES: Record<Surface, Brush> = {
  boundary: (color, feature) => ({ fill: UNSEEN, line: translucent(color, 0.72), width: boundaryWidth(feature) }),
  mesh: (color, _feature, resolution) => ({
    fill: translucent(color, 0.035),
    line: translucent(color, resolution > 12 ? 0.5 : 0.75),
    width: resolution > 12 ? 0.6 : 1,
  }),
  solid: (color) => ({ fill: translucent(color, 0.42), line: translucent(color, 0.9), width: 0.6 }),
  zone: (color) => ({ fill: translucent(color, 0.12), line: translucent(color, 0.85), width: 1.6 }),
};

function polygons(layer: LayerEntry): StyleFunction {
  const styles = new Styles();
  const colourOf = colours(layer);
  const brush = BRUSHES[presentation(layer).surface];
  return (feature, resolution) => {
    const { color } = colourOf(feature);
    const { fill, line, width } = brush(color, feature, resolution);
    return styles.get([fill, line, width].join("|"), () => {
      return new Style({ fill: new Fill({ color: fill }), stroke: new Stroke({ color: line, width, lineJoin: "round" }) });
    });
  };
}

/** The style of a layer, chosen by each feature's own geometry: a layer may mix points and outlines. */
export function styleOf(layer: LayerEntry, surroundings: Surroundings): StyleFunction {
  const point = points(layer, surroundings);
  const line = lines(layer);
  const polygon = polygons(layer);
  // From afar the tiles carry a polygon that is too small to draw as a point.
  const speck = new Style({ image: new CircleStyle({ radius: 1.5, fill: new Fill({ color: layer.style.color }) }) });
  return (feature, resolution) => {
    const type = feature.getGeometry()?.getType() ?? "";
    if (type.endsWith("Point")) return isPolygonal(layer) ? speck : point(feature, resolution);
    return type.endsWith("LineString") ? line(feature, resolution) : polygon(feature, resolution);
  };
}

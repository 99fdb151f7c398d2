// What the coverage mode draws over the map: views by level, blind spots, zones, places to add, plans.
import GeoJSON from "ol/format/GeoJSON";
import OlFeature from "ol/Feature";
import LineString from "ol/geom/LineString";
import Point from "ol/geom/Point";
import VectorLayer from "ol/layer/Vector";
import type ChartMap from "ol/Map";
import { fromLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import Icon from "ol/style/Icon";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import type { FeatureLike } from "ol/Feature";

import { translucent } from "../../common/color";
import { label } from "../styles";
import { DENSITY, symbol } from "../symbols";
import type { Collection, Edition, Optics } from "./contract";
import { colourOf, LADDERS } from "./ladder";

const GAP = "#c2410c";
const ZONE = "#9f1239";
const PLAN = "#7e22ce";
const FORMAT = new GeoJSON({ featureProjection: "EPSG:3857" });

function layer(map: ChartMap, zIndex: number, opacity: number, style: (feature: FeatureLike) => Style | Style[] | undefined): VectorLayer<VectorSource> {
  const made = new VectorLayer({ source: new VectorSource(), zIndex, opacity, style, updateWhileInteracting: true });
  map.addLayer(made);
  return made;
}

function hatch(color: string): CanvasPattern | string {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const paint = tile.getContext("2d");
  if (!paint) return color;
  paint.strokeStyle = color;
  paint.lineWidth = 1.6;
  paint.beginPath();
  for (const at of [-4, 4, 12]) {
    paint.moveTo(at - 6, 10);
    paint.lineTo(at + 6, -2);
  }
  paint.stroke();
  return paint.createPattern(tile, "repeat") ?? color;
}

export class Drawing {
  private edition: Edition = "2015";
  /** Opaque in a translucent layer: where levels lie over each other the highest alone is seen. */
  private readonly town: VectorLayer<VectorSource>;
  private readonly view: VectorLayer<VectorSource>;
  private readonly outline: VectorLayer<VectorSource>;
  private readonly spots: VectorLayer<VectorSource>;
  private readonly proposed: VectorLayer<VectorSource>;
  private readonly marks: VectorLayer<VectorSource>;
  chosenSpot: number | null = null;

  constructor(map: ChartMap) {
    const rank = (feature: FeatureLike): number => LADDERS[this.edition].findIndex(({ level }) => level === feature.get("level"));
    const byLevel = (feature: FeatureLike): Style => {
      const color = colourOf(this.edition, String(feature.get("level")));
      return new Style({ fill: new Fill({ color }), stroke: new Stroke({ color, width: 0.8 }), zIndex: rank(feature) });
    };
    this.town = layer(map, 31, 0.5, byLevel);
    this.view = layer(map, 32, 0.62, byLevel);
    this.outline = layer(map, 33, 1, (feature) => {
      const reach = feature.get("extent") === "reach";
      return new Style({ stroke: new Stroke({ color: "rgba(24,32,84,0.85)", width: 1.3, lineDash: reach ? [6, 4] : undefined }) });
    });
    const pattern = hatch(translucent(GAP, 0.62));
    this.spots = layer(map, 34, 1, (feature) => {
      const chosen = feature.get("rank") === this.chosenSpot;
      const fill = new Fill({ color: chosen ? translucent(GAP, 0.34) : pattern });
      return new Style({ fill, stroke: new Stroke({ color: GAP, width: chosen ? 2.4 : 1.1 }), zIndex: chosen ? 1 : 0 });
    });
    this.proposed = layer(map, 35, 1, () => new Style({ fill: new Fill({ color: translucent(PLAN, 0.2) }), stroke: new Stroke({ color: PLAN, width: 1.3 }) }));
    this.marks = layer(map, 940, 1, (feature) => this.mark(feature));
  }

  private mark(feature: FeatureLike): Style | Style[] {
    const kind = String(feature.get("kind"));
    if (kind === "ray") {
      return [
        new Style({ stroke: new Stroke({ color: "rgba(255,255,255,0.9)", width: 5 }) }),
        new Style({ stroke: new Stroke({ color: "#12263f", width: 2, lineDash: [5, 4] }) }),
      ];
    }
    if (kind === "point") {
      return [
        new Style({ image: new CircleStyle({ radius: 9, stroke: new Stroke({ color: "#fff", width: 5 }) }) }),
        new Style({ image: new CircleStyle({ radius: 9, stroke: new Stroke({ color: "#12263f", width: 2.4 }) }) }),
        new Style({ image: new CircleStyle({ radius: 2.6, fill: new Fill({ color: "#12263f" }) }) }),
      ];
    }
    if (kind === "intrusion" || kind === "spare") {
      const color = kind === "spare" ? PLAN : ZONE;
      return [
        new Style({ image: new CircleStyle({ radius: 11, stroke: new Stroke({ color: "#fff", width: 5 }) }) }),
        new Style({ image: new CircleStyle({ radius: 11, fill: new Fill({ color: translucent(color, 0.16) }), stroke: new Stroke({ color, width: 2.6 }) }) }),
      ];
    }
    const form = String(feature.get("form") ?? "bullet");
    const turned = (Number(feature.get("azimuth") ?? 0) * Math.PI) / 180;
    const image = new Icon({ img: symbol({ shape: "wedge", color: PLAN, code: kind, form }), scale: 1.35 / DENSITY, rotation: turned });
    return [new Style({ image }), new Style({ text: label(String(feature.get("text") ?? ""), "#581c87", 12, 700, 19) })];
  }

  /** The cover of the town; null takes it away. */
  showTown(found: Collection<unknown> | null, edition: Edition): void {
    this.put(this.town, found, edition);
  }

  /** What one camera sees, by level; `turning` has its reach as an outline besides. */
  showView(found: Collection<unknown> | null, edition: Edition, part: "reach" | "now" | null): void {
    this.edition = edition;
    const features = found ? (FORMAT.readFeatures(found) as OlFeature[]) : [];
    const shown = features.filter((feature) => part === null || (feature.get("extent") ?? part) === part);
    for (const target of [this.view, this.outline]) target.getSource()?.clear();
    this.view.getSource()?.addFeatures(shown);
    const lowest = LADDERS[edition][0]?.level;
    this.outline.getSource()?.addFeatures(features.filter((feature) => feature.get("level") === lowest));
  }

  showSpots(found: Collection<unknown> | null): void {
    this.chosenSpot = null;
    this.put(this.spots, found);
  }

  chooseSpot(rank: number | null): void {
    this.chosenSpot = rank;
    this.spots.changed();
  }

  /** What cameras would see that are proposed. */
  showProposed(found: Collection<unknown> | null): void {
    this.put(this.proposed, found);
  }

  private put(target: VectorLayer<VectorSource>, found: Collection<unknown> | null, edition = this.edition): void {
    this.edition = edition;
    const source = target.getSource();
    source?.clear();
    if (found) source?.addFeatures(FORMAT.readFeatures(found) as OlFeature[]);
  }

  /** Symbols of one kind; they take the place of those that were there. */
  showMarks(kind: "point" | "site" | "plan" | "intrusion" | "spare", found: { lon: number; lat: number; text?: string; optics?: Partial<Optics> }[]): void {
    const source = this.marks.getSource();
    if (!source) return;
    source.forEachFeature((feature) => {
      if (feature.get("group") === kind) source.removeFeature(feature);
    });
    for (const { lon, lat, text, optics } of found) {
      const place = fromLonLat([lon, lat]);
      const { azimuth, form } = optics ?? {};
      source.addFeature(new OlFeature({ geometry: new Point(place), group: kind, kind, text, azimuth, form }));
    }
  }

  showRay(from: number[] | null, to: number[] | null): void {
    const source = this.marks.getSource();
    const ray = source?.getFeatures().find((feature) => feature.get("kind") === "ray");
    if (!from || !to) {
      if (ray) source?.removeFeature(ray);
    } else if (ray) ray.setGeometry(new LineString([from, to]));
    else source?.addFeature(new OlFeature({ geometry: new LineString([from, to]), kind: "ray", group: "ray" }));
  }

  spotExtent(rank: number): number[] | null {
    const found = this.spots.getSource()?.getFeatures().find((feature) => feature.get("rank") === rank);
    return found?.getGeometry()?.getExtent() ?? null;
  }

  spotAt(coordinate: number[]): number | null {
    const found = this.spots.getSource()?.getFeaturesAtCoordinate(coordinate)[0];
    return found ? Number(found.get("rank")) : null;
  }

  clear(): void {
    for (const target of [this.town, this.view, this.outline, this.spots, this.proposed, this.marks]) target.getSource()?.clear();
  }
}

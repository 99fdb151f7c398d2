// The map itself: layers from the catalogue, in their order, over plain ground.
import { defaults as defaultControls } from "ol/control/defaults";
import MousePosition from "ol/control/MousePosition";
import ScaleLine from "ol/control/ScaleLine";
import type { FeatureLike } from "ol/Feature";
import { defaults as defaultInteractions } from "ol/interaction/defaults";
import VectorTileLayer from "ol/layer/VectorTile";
import Map from "ol/Map";
import type { Pixel } from "ol/pixel";
import { fromLonLat, toLonLat, transformExtent } from "ol/proj";
import Fill from "ol/style/Fill";
import Style from "ol/style/Style";
import View from "ol/View";

import type { Bounds, LayerEntry } from "../common/contract";
import { coordinateText } from "../common/format";
import { pick, say } from "../common/language";
import { CACHE_SIZE, LayerTiles } from "../common/tiles";
import { AggregateScale, side } from "./aggregates";
import { PolygonLabels } from "./labels";
import { isPolygonal, presentation } from "./presentation";
import { styleOf, zoomOf } from "./styles";
import { toast } from "./toast";

const GROUND = new Style({ fill: new Fill({ color: "#fbfaf7" }) });
const RETRY = 10_000;
const TOLERANCE = 6;
const MAX_ZOOM = 20;

interface Drawn {
  entry: LayerEntry;
  tiles: LayerTiles;
  layers: { setVisible(visible: boolean): void; changed(): void }[];
  labels: PolygonLabels | null;
}

export interface Found {
  layer: LayerEntry;
  id: number;
  /** How many features a grouped one stands for; 0 for a feature of its own. */
  count: number;
  code: string;
  label: string | null;
  feature: FeatureLike;
}

/** What was meant most likely comes first: things from top to bottom, then grids, then areas from small to large. */
function byNearness(a: Found, b: Found): number {
  const order = ({ layer }: Found): number => {
    if (!isPolygonal(layer)) return layer.style.order;
    const { surface } = presentation(layer);
    return surface === "boundary" ? -2 : surface === "mesh" ? -1 : layer.style.order;
  };
  return order(b) - order(a) || b.code.length - a.code.length;
}

function isBoundary(entry: LayerEntry): boolean {
  return isPolygonal(entry) && presentation(entry).surface === "boundary";
}

export class Chart {
  readonly map: Map;
  private readonly drawn = new globalThis.Map<string, Drawn>();
  private readonly scale = new AggregateScale(() => this.redrawAggregates());
  private readonly retries = new globalThis.Map<string, number>();

  constructor(
    target: HTMLElement,
    entries: LayerEntry[],
    private bounds: Bounds | null,
  ) {
    this.map = new Map({
      target,
      view: new View({ center: fromLonLat([105, 35]), zoom: 4, minZoom: 3, maxZoom: MAX_ZOOM, enableRotation: false }),
      controls: defaultControls({
        attribution: false,
        rotate: false,
        zoomOptions: { zoomInTipLabel: say("zoomInButton"), zoomOutTipLabel: say("zoomOutButton") },
      }).extend([
        new ScaleLine({ minWidth: 80 }),
        new MousePosition({
          projection: "EPSG:4326",
          coordinateFormat: ([lon = 0, lat = 0] = []) => coordinateText(lon, lat),
          placeholder: "",
        }),
      ]),
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false }),
    });
    const grouped = entries.filter((entry) => entry.aggregate_below !== null);
    for (const entry of entries) this.add(entry, side(grouped.indexOf(entry), grouped.length));
    this.map.getView().on("change:resolution", () => this.showLabels());
    this.showLabels();
  }

  private add(entry: LayerEntry, aside: [number, number]): void {
    const labels = isPolygonal(entry) && entry.label ? new PolygonLabels(entry) : null;
    const tiles = new LayerTiles(
      entry.id,
      512,
      (coord, features) => {
        labels?.add(coord, features);
        if (entry.aggregate_below !== null) this.scale.add(coord[0] ?? 0, features);
      },
      () => this.retry(entry),
    );
    // Tiles of 512 pixels are one zoom behind the view's; OpenLayers leaves the minimum itself out.
    const minZoom = entry.style.min_zoom > 0 ? entry.style.min_zoom + 0.999 : undefined;
    const layers: Drawn["layers"] = [];
    if (isBoundary(entry)) {
      const ground = new VectorTileLayer({ source: tiles.source, style: GROUND, zIndex: -1, cacheSize: CACHE_SIZE });
      layers.push(ground);
      this.map.addLayer(ground);
    }
    const layer = new VectorTileLayer({
      source: tiles.source,
      style: styleOf(entry, { scale: this.scale, aside, tileZoom: (resolution) => this.tileZoom(resolution) }),
      zIndex: entry.style.order,
      declutter: "labels",
      renderBuffer: 60,
      cacheSize: CACHE_SIZE,
      minZoom,
      properties: { entry },
    });
    layers.push(layer);
    this.map.addLayer(layer);
    if (labels) {
      // Above every symbol: a name that is half covered helps nobody.
      labels.layer.setZIndex(entry.style.order + (isBoundary(entry) ? 800 : 700));
      layers.push(labels.layer);
      this.map.addLayer(labels.layer);
    }
    this.drawn.set(entry.id, { entry, tiles, layers, labels });
  }

  private tileZoom(resolution: number): number {
    return Math.max(0, Math.floor(zoomOf(resolution) - 1 + 1e-6));
  }

  private showLabels(): void {
    const resolution = this.map.getView().getResolution();
    if (resolution === undefined) return;
    for (const { labels } of this.drawn.values()) labels?.show(this.tileZoom(resolution));
  }

  private redrawAggregates(): void {
    for (const { entry, layers } of this.drawn.values()) {
      if (entry.aggregate_below !== null) for (const layer of layers) layer.changed();
    }
  }

  private retry(entry: LayerEntry): void {
    if (this.retries.has(entry.id)) return;
    toast(say("tilesFailed", { layer: pick(entry.title) }), `tiles-${entry.id}`);
    const timer = window.setTimeout(() => {
      this.retries.delete(entry.id);
      this.refresh(entry.id);
    }, RETRY);
    this.retries.set(entry.id, timer);
  }

  setVisible(visible: Set<string>): void {
    for (const [id, { layers }] of this.drawn) for (const layer of layers) layer.setVisible(visible.has(id));
  }

  setTime(datetime: string | null): void {
    this.scale.clear();
    for (const { entry, tiles } of this.drawn.values()) if (entry.time) tiles.setTime(datetime);
  }

  refresh(id: string): void {
    this.drawn.get(id)?.tiles.refresh();
  }

  /** Room that the panel and the details card take, so that "fit" means the part that is seen. */
  padding: [top: number, right: number, bottom: number, left: number] = [24, 24, 24, 24];

  /** Where the town lies, once it is known. */
  setBounds(bounds: Bounds): void {
    this.bounds = bounds;
    this.fit();
  }

  fit(bounds: Bounds | null = this.bounds, maxZoom = 18, duration = 250): void {
    if (!bounds) return;
    const extent = transformExtent(bounds, "EPSG:4326", "EPSG:3857");
    this.map.getView().fit(extent, { padding: this.padding, maxZoom, duration });
  }

  zoomAt(coordinate: number[]): void {
    const view = this.map.getView();
    view.animate({ center: coordinate, zoom: Math.min((view.getZoom() ?? 0) + 1.6, MAX_ZOOM), duration: 250 });
  }

  /** The features at a pixel, topmost first, each once. */
  at(pixel: Pixel): Found[] {
    const found = new globalThis.Map<string, Found>();
    this.map.forEachFeatureAtPixel(
      pixel,
      (feature, layer) => {
        const entry = layer?.get("entry") as LayerEntry | undefined;
        if (!entry) return;
        const id = Number(feature.getId());
        const count = Number(feature.get("count")) || 0;
        const label = entry.label ? (feature.get(entry.label) as string | undefined) : undefined;
        const code = String(feature.get("code") ?? "");
        found.set(`${entry.id}/${id}`, { layer: entry, id, count, code, label: label ?? null, feature });
      },
      { hitTolerance: TOLERANCE, layerFilter: (layer) => layer.get("entry") !== undefined },
    );
    return [...found.values()].sort(byNearness);
  }

  /** Whether a point of its own lies at the pixel. Areas are everywhere, so they do not count. */
  touches(pixel: Pixel): boolean {
    return this.map.hasFeatureAtPixel(pixel, {
      hitTolerance: TOLERANCE,
      layerFilter: (layer) => {
        const entry = layer.get("entry") as LayerEntry | undefined;
        return entry !== undefined && !isPolygonal(entry) && !entry.geometry.endsWith("LINESTRING");
      },
    });
  }

  view(): { zoom: number; lon: number; lat: number } {
    const view = this.map.getView();
    const [lon = 0, lat = 0] = toLonLat(view.getCenter() ?? [0, 0]);
    return { zoom: view.getZoom() ?? 0, lon, lat };
  }

  /** What the map shows: west, south, east, north in degrees. */
  extent(): Bounds {
    const shown = this.map.getView().calculateExtent(this.map.getSize());
    const [west = 0, south = 0, east = 0, north = 0] = transformExtent(shown, "EPSG:3857", "EPSG:4326");
    return [Math.max(west, -180), Math.max(south, -90), Math.min(east, 180), Math.min(north, 90)];
  }

  go(zoom: number, lon: number, lat: number): void {
    const view = this.map.getView();
    view.setCenter(fromLonLat([lon, lat]));
    view.setZoom(zoom);
  }
}

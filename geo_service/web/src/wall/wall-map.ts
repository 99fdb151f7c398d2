// The map in the middle of the wall. Nobody is at the keyboard: it shows the whole town, always.
import VectorTileLayer from "ol/layer/VectorTile";
import Map from "ol/Map";
import Overlay from "ol/Overlay";
import { fromLonLat, transformExtent } from "ol/proj";
import type { StyleLike } from "ol/style/Style";
import View from "ol/View";

import type { Bounds, Catalogue, EventLayer, LatestEvent, LayerEntry, WallState } from "../common/contract";
import { element } from "../common/dom";
import { count } from "../common/format";
import { say } from "../common/language";
import { CACHE_SIZE, LayerTiles, tileSize, type TileSize } from "../common/tiles";
import { PolygonLabels } from "../map/labels";
import { rem } from "./palette";
import { boundaryStyle, cameraStyle, eventStyle, gridStyle, groundStyle, nameStyle, roadStyle } from "./styles";

const RETRY = 10_000;
const RIPPLES = 8;
const RIPPLE_TIME = 11_000;

function key(className: string, title: string): HTMLElement {
  return element("span", { class: `key ${className}` }, element("i"), title);
}

export class WallMap {
  private readonly box = element("div", { class: "map" });
  private readonly gridFigures = element("div", { class: "grid-figures", hidden: true });
  private readonly empty = element("div", { class: "empty" }, say("noTown"));
  readonly root = element(
    "section",
    { class: "card map-card", "aria-label": say("map") },
    this.box,
    this.empty,
    this.gridFigures,
    element(
      "div",
      { class: "map-legend" },
      key("disputes", say("openDispute")),
      key("hazards triangle", say("openHazard")),
      key("faulty", say("faultyCamera")),
      key("square", say("busiestLegend")),
    ),
  );
  readonly map: Map;
  private readonly tiles = new globalThis.Map<string, LayerTiles>();
  private readonly retries = new Set<string>();
  private readonly ripples: Overlay[] = [];
  private readonly beacon: Overlay;
  private names: PolygonLabels | null = null;
  private gridLayer: VectorTileLayer | null = null;
  private busiest: WallState["busiest"] = [];
  private bounds: Bounds | null = null;

  constructor() {
    this.map = new Map({ controls: [], interactions: [], view: new View({ center: fromLonLat([105, 35]), zoom: 4 }) });
    this.beacon = new Overlay({ element: element("div", { class: "beacon" }, element("i")), stopEvent: false });
    this.map.addOverlay(this.beacon);
  }

  /** Attach to the page and draw the town. */
  open({ layers, town }: Catalogue): void {
    this.map.setTarget(this.box);
    this.setBounds(town.bounds);
    const zoom = this.map.getView().getZoom() ?? 0;
    const add = (id: string, zIndex: number, style: StyleLike): VectorTileLayer | null => {
      const entry = layers.find((layer) => layer.id === id);
      return entry ? this.add(entry, zIndex, style, tileSize(zoom, entry.aggregate_below)) : null;
    };
    const areas = layers.find((layer) => layer.id === "areas");
    if (areas) this.names = new PolygonLabels(areas, (text, digits) => (digits >= 12 ? nameStyle(text) : undefined));
    add("areas", 0, groundStyle);
    add("roads", 1, roadStyle);
    this.gridLayer = add("grids", 2, gridStyle(() => this.busiest));
    add("areas", 4, boundaryStyle);
    add("cameras", 6, cameraStyle);
    add("hazards", 7, eventStyle("hazards"));
    add("disputes", 8, eventStyle("disputes"));
    if (this.names) {
      this.names.layer.setZIndex(9);
      this.map.addLayer(this.names.layer);
    }
    this.resize();
  }

  /** Show this part of the world: the town may grow, or come later than the page. */
  setBounds(bounds: Bounds | null): void {
    this.bounds = bounds;
    this.empty.hidden = bounds !== null;
    this.resize();
  }

  private add({ id }: LayerEntry, zIndex: number, style: StyleLike, size: TileSize): VectorTileLayer {
    let tiles = this.tiles.get(id);
    if (!tiles) {
      const named = id === "areas" ? this.names : null;
      tiles = new LayerTiles(id, size, (coord, features) => named?.add(coord, features), () => this.retry(id));
      this.tiles.set(id, tiles);
    }
    const layer = new VectorTileLayer({ source: tiles.source, style, zIndex, renderBuffer: 60, cacheSize: CACHE_SIZE });
    this.map.addLayer(layer);
    return layer;
  }

  private retry(id: string): void {
    if (this.retries.has(id)) return;
    this.retries.add(id);
    setTimeout(() => {
      this.retries.delete(id);
      this.refresh([id]);
    }, RETRY);
  }

  /** To be called when the page has its layout or changes its size. */
  resize(): void {
    this.map.updateSize();
    if (!this.bounds || !this.map.getTarget()) return;
    const edge = 1.6 * rem();
    const view = this.map.getView();
    view.fit(transformExtent(this.bounds, "EPSG:4326", "EPSG:3857"), { padding: [edge * 1.6, edge, edge * 1.8, edge] });
    this.names?.show(Math.floor((view.getZoom() ?? 0) - 1 + 1e-6));
    for (const layer of this.map.getAllLayers()) layer.changed();
  }

  refresh(ids: Iterable<string> = this.tiles.keys()): void {
    for (const id of ids) this.tiles.get(id)?.refresh();
  }

  show(state: WallState): void {
    const { grids, latest } = state;
    this.gridFigures.hidden = false;
    this.gridFigures.replaceChildren(
      element("span", {}, say("gridFigures", { total: count(grids.total) })),
      element("span", {}, say("householdFigures", { n: count(grids.households) })),
      element("span", {}, say("staffFigures", { n: count(grids.staff) })),
    );
    if (JSON.stringify(state.busiest) !== JSON.stringify(this.busiest)) {
      this.busiest = state.busiest;
      this.gridLayer?.changed();
    }
    const newest = latest[0];
    this.beacon.getElement()?.setAttribute("class", `beacon ${newest?.layer ?? ""}`);
    this.beacon.setPosition(newest ? fromLonLat(newest.center) : undefined);
  }

  /** Rings that spread from the place of something new. */
  ripple(layer: EventLayer, center: LatestEvent["center"]): void {
    const made = new Overlay({
      element: element("div", { class: `ripple ${layer}` }, element("i"), element("i")),
      position: fromLonLat(center),
      stopEvent: false,
    });
    this.map.addOverlay(made);
    this.ripples.push(made);
    if (this.ripples.length > RIPPLES) this.drop(this.ripples[0]);
    setTimeout(() => this.drop(made), RIPPLE_TIME);
  }

  private drop(ripple: Overlay | undefined): void {
    const at = ripple ? this.ripples.indexOf(ripple) : -1;
    if (!ripple || at < 0) return;
    this.ripples.splice(at, 1);
    this.map.removeOverlay(ripple);
  }
}

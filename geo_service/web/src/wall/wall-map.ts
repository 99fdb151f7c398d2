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
import { Markers } from "./markers";
import { rem } from "./palette";
import { boundaryStyle, gridStyle, groundStyle, type Kind, KINDS, openCount, roadStyle } from "./styles";

const RETRY = 10_000;
/** A rem of so many pixels is that of a screen beyond 2,800 across. */
const DENSE = 24;
const RIPPLES = 8;
const RIPPLE_TIME = 11_000;

function key(className: string, title: string): HTMLElement {
  return element("span", { class: `key ${className}` }, element("i"), title);
}

export class WallMap {
  private readonly box = element("div", { class: "map" });
  private readonly gridFigures = element("div", { class: "grid-figures", hidden: true });
  private readonly empty = element("div", { class: "empty" }, say("noTown"));
  private readonly legend = element(
    "div",
    { class: "map-legend" },
    key("disputes", say("openDispute")),
    key("hazards", say("openHazard")),
    key("faulty", say("faultyCamera")),
    key("square", say("busiestLegend")),
  );
  readonly root = element("section", { class: "card map-card", "aria-label": say("map") }, this.box, this.empty, this.gridFigures, this.legend);
  readonly map: Map;
  private readonly tiles = new globalThis.Map<string, LayerTiles>();
  private readonly retries = new Set<string>();
  private readonly ripples: Overlay[] = [];
  private readonly beacon: Overlay;
  private readonly sizes = new globalThis.Map<string, TileSize>();
  private readonly markers: Markers;
  private gridLayer: VectorTileLayer | null = null;
  private busiest: WallState["busiest"] = [];
  private bounds: Bounds | null = null;

  constructor() {
    this.map = new Map({ controls: [], interactions: [], view: new View({ center: fromLonLat([105, 35]), zoom: 4 }) });
    this.beacon = new Overlay({ element: element("div", { class: "beacon" }, element("i")), stopEvent: false });
    this.map.addOverlay(this.beacon);
    this.markers = new Markers((id) => this.tileZoom(id), () => (this.bounds && this.map.getTarget() ? (this.map.getView().getResolution() ?? 0) : 0));
    this.markers.layer.setZIndex(9);
    this.map.addLayer(this.markers.layer);
  }

  /** The zoom of the tiles that a layer shows: the smaller they are, the further ahead of the view's. */
  private tileZoom(id: string): number {
    const ahead = Math.log2(256 / (this.sizes.get(id) ?? 512));
    return Math.floor((this.map.getView().getZoom() ?? 0) + ahead + 1e-6);
  }

  /** Attach to the page and draw the town. */
  open({ layers, town }: Catalogue): void {
    this.map.setTarget(this.box);
    this.setBounds(town.bounds);
    const zoom = this.map.getView().getZoom() ?? 0;
    const add = (id: string, zIndex: number, style: StyleLike): VectorTileLayer | null => {
      const entry = layers.find((layer) => layer.id === id);
      if (!entry) return null;
      // A wall of twice the pixels shows the same town: its tiles are larger, not more.
      const least = rem() >= DENSE ? 256 : 128;
      const size = tileSize(zoom, entry.aggregate_below);
      return this.add(entry, zIndex, style, size < least ? least : size);
    };
    add("areas", 0, groundStyle);
    add("roads", 1, roadStyle);
    this.gridLayer = add("grids", 2, gridStyle(() => this.busiest));
    add("areas", 4, boundaryStyle);
    // Drawn by the markers; the layers are what asks for the tiles.
    for (const kind of KINDS) add(kind, 6, () => undefined);
    this.resize();
  }

  /** Show this part of the world: the town may grow, or come later than the page. */
  setBounds(bounds: Bounds | null): void {
    this.bounds = bounds;
    this.empty.hidden = bounds !== null;
    this.resize();
  }

  private add({ id, label }: LayerEntry, zIndex: number, style: StyleLike, size: TileSize): VectorTileLayer {
    let tiles = this.tiles.get(id);
    if (!tiles) {
      const kind = KINDS.find((known): known is Kind => known === id);
      const loaded: ConstructorParameters<typeof LayerTiles>[2] = (coord, features) => {
        if (kind) this.markers.add(kind, coord, features, (feature) => openCount(kind, feature));
        else if (id === "areas" && label) this.markers.addNames(coord, features, label);
      };
      tiles = new LayerTiles(id, size, loaded, () => this.retry(id));
      this.tiles.set(id, tiles);
      this.sizes.set(id, size);
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
    // At the left stand the figures and the legend: nothing of the town lies below them.
    const edge = 2 * rem();
    const beside = Math.max(...[this.gridFigures, this.legend].map((box) => box.offsetWidth)) + 1.5 * rem();
    this.map.getView().fit(transformExtent(this.bounds, "EPSG:4326", "EPSG:3857"), { padding: [edge, edge, edge, Math.max(beside, edge)] });
    this.markers.changed();
    for (const layer of this.map.getAllLayers()) layer.changed();
  }

  refresh(ids: Iterable<string> = this.tiles.keys()): void {
    for (const id of ids) this.tiles.get(id)?.refresh();
  }

  show(state: WallState): void {
    const { grids, latest } = state;
    const first = this.gridFigures.hidden;
    this.gridFigures.hidden = false;
    this.gridFigures.replaceChildren(
      element("span", {}, say("gridFigures", { total: count(grids.total) })),
      element("span", {}, say("householdFigures", { n: count(grids.households) })),
      element("span", {}, say("staffFigures", { n: count(grids.staff) })),
    );
    if (first) this.resize(); // it takes its room beside the town
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

// The editor's map: the ground for orientation, the grids above it, and a layer of their own for what moves.
import type { Coordinate } from "ol/coordinate";
import { type Extent, getHeight, getWidth } from "ol/extent";
import Feature from "ol/Feature";
import type Geometry from "ol/geom/Geometry";
import LineString from "ol/geom/LineString";
import MultiPoint from "ol/geom/MultiPoint";
import Point from "ol/geom/Point";
import Polygon from "ol/geom/Polygon";
import { defaults as defaultInteractions } from "ol/interaction/defaults";
import VectorLayer from "ol/layer/Vector";
import VectorImageLayer from "ol/layer/VectorImage";
import Map from "ol/Map";
import VectorSource from "ol/source/Vector";
import type Style from "ol/style/Style";

import type { Catalogue } from "../common/contract";
import { count } from "../common/format";
import { element } from "../common/dom";
import { Chart } from "../map/chart";
import { fitButton } from "../map/fit-button";
import { isPolygonal, presentation } from "../map/presentation";
import type { Place } from "./contract";
import { codeOf, type Grid, type Grids, rings } from "./grids";
import { draggedLook, gridLook, gridText, pinLook, type Role, sketchLook, vertexLook } from "./looks";
import { onMap } from "./places";
import type { Selection } from "./selection";
import type { Session } from "./session";
import { tell } from "./words";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
/** Metres of the map a pixel, below which grids carry their households. */
const NAMED = 14;
/** More vertices than this in view would be a carpet. */
const MANY_VERTICES = 4000;

export class Stage {
  readonly target = element("div", { class: "map edit-map", tabindex: "0", role: "application", "aria-label": tell("map"), "aria-describedby": "tool-hint" });
  private readonly below = element("div", { class: "map edit-ground", "aria-hidden": "true" });
  private readonly middle = element("div", { class: "map edit-ground", "aria-hidden": "true" });
  readonly root = element("div", { class: "stage" }, this.below, this.middle, this.target);
  readonly map: Map;
  private readonly still: Map;
  readonly ground: Chart;
  /** Grids while they are dragged: this layer alone is drawn anew with every frame. */
  readonly moving = new VectorSource<Grid>({ wrapX: false });
  readonly sketch = new VectorSource<Feature<Geometry>>({ wrapX: false });
  readonly pins = new VectorSource<Feature<Point>>({ wrapX: false });
  private readonly vertices = new VectorSource<Feature<Geometry>>({ wrapX: false });
  readonly shown: VectorImageLayer;
  private readonly pinLayer: VectorLayer;
  private hidden = new Set<string>();
  private readonly texts = new globalThis.Map<string, Style>();

  constructor(
    catalogue: Catalogue,
    private readonly session: Session,
    private readonly selection: Selection,
  ) {
    const ground = catalogue.layers.filter((layer) => {
      if (layer.id === "grids") return false;
      return layer.geometry.endsWith("LINESTRING") || (isPolygonal(layer) && presentation(layer).surface !== "zone");
    });
    // Three maps with one view, one over the other: the ground, the grids, and what is being drawn. With each frame of a
    // drag only the last is drawn anew.
    this.ground = new Chart(this.below, ground, catalogue.town.bounds);
    this.ground.padding = [40, 40, 60, 40];
    const controls = this.ground.map.getControls().getArray().slice();
    this.ground.map.getControls().clear();
    this.map = new Map({
      target: this.target,
      view: this.ground.map.getView(),
      controls,
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false, doubleClickZoom: false }),
    });
    // An image is drawn once and then only moved with the view, however many vertices the grids have.
    this.shown = new VectorImageLayer({
      source: this.grids.source,
      zIndex: 500,
      imageRatio: 1.4,
      style: (feature, resolution) => this.look(feature as Grid, resolution),
    });
    this.still = new Map({ target: this.middle, view: this.map.getView(), controls: [], interactions: [], layers: [this.shown] });
    this.map.set("grids", this.grids.source);
    this.map.addLayer(new VectorLayer({ source: this.moving, zIndex: 520, style: () => (this.hidden.size ? draggedLook() : undefined) }));
    this.map.addLayer(new VectorLayer({ source: this.vertices, zIndex: 530, style: vertexLook }));
    this.map.addLayer(new VectorLayer({ source: this.sketch, zIndex: 600, style: sketchLook }));
    this.pinLayer = new VectorLayer({ source: this.pins, zIndex: 700, style: (pin) => pinLook(Number(pin.get("number"))) });
    this.map.addLayer(this.pinLayer);
    this.map.addControl(fitButton(() => this.fit()));
    session.on("grids", () => this.redraw());
    session.on("balance", () => this.redraw());
    session.on("comments", () => this.showPins());
    selection.on(() => this.redraw());
    new ResizeObserver(() => this.resized()).observe(this.target);
  }

  private placed = false;

  private resized(): void {
    this.map.updateSize();
    this.still.updateSize();
    this.ground.map.updateSize();
    if (!this.placed && this.target.clientWidth > 0) this.fit(0);
  }

  close(): void {
    this.map.setTarget(undefined);
    this.still.setTarget(undefined);
    this.ground.map.setTarget(undefined);
  }

  get grids(): Grids {
    return this.session.grids;
  }

  get resolution(): number {
    return this.map.getView().getResolution() ?? 1;
  }

  /** Show the whole of the draft's area. */
  fit(duration = calm.matches ? 0 : 250): void {
    const extent = this.grids.extent();
    if (!extent) return;
    this.placed = true;
    this.map.getView().fit(extent, { padding: this.ground.padding, maxZoom: 18, duration });
  }

  private look(grid: Grid, resolution: number): Style | Style[] | undefined {
    const code = codeOf(grid);
    if (this.hidden.has(code)) return undefined;
    const row = this.session.rows.get(code);
    const role: Role = this.selection.has(code)
      ? "chosen"
      : this.selection.isBeside(code)
        ? "neighbour"
        : grid.get("editable") === false
          ? "outside"
          : "plain";
    const drawn = gridLook(role, grid.get("editable") === false ? null : (row?.state ?? null), this.session.draft.touched.includes(code));
    if (resolution > NAMED || !grid.getGeometry()) return drawn;
    const number = row && grid.get("editable") !== false ? `\n${tell("households", { n: count(row.households) })}` : "";
    const lock = grid.get("locked") ? `（${tell("locked")}）` : "";
    const text = `${this.grids.title(code)}${lock}${number}`;
    const key = `${text} ${role === "chosen"}`;
    let named = this.texts.get(key);
    if (!named) this.texts.set(key, (named = gridText(text, role === "chosen")));
    return [drawn, named];
  }

  redraw(): void {
    this.shown.changed();
    this.showVertices();
  }

  /** Grids that another layer draws for now. */
  hide(codes: string[]): void {
    if (codes.length === 0 && this.hidden.size === 0) return;
    this.hidden = new Set(codes);
    this.shown.changed();
  }

  /** The vertices of the chosen grids; nodes, where three grids or more meet, are larger. */
  private showVertices(): void {
    this.vertices.clear(true);
    const corners: Coordinate[] = [];
    const beside = new globalThis.Map<string, number>();
    const near = new Set<string>();
    for (const code of this.selection.codes) {
      near.add(code);
      for (const other of this.selection.beside(code)) near.add(other);
    }
    for (const code of near) {
      const shape = this.grids.get(code)?.getGeometry();
      if (!shape) continue;
      for (const ring of rings(shape)) {
        for (const corner of ring.slice(1)) {
          const key = `${corner[0]},${corner[1]}`;
          beside.set(key, (beside.get(key) ?? 0) + 1);
          if (this.selection.has(code)) corners.push(corner);
        }
      }
    }
    if (corners.length === 0 || corners.length > MANY_VERTICES) {
      this.vertices.changed();
      return;
    }
    const isNode = ([x, y]: Coordinate): boolean => (beside.get(`${x},${y}`) ?? 0) > 2;
    const plain = new Feature(new MultiPoint(corners.filter((corner) => !isNode(corner))));
    const nodes = new Feature(new MultiPoint(corners.filter(isNode)));
    nodes.set("node", true);
    this.vertices.addFeatures([plain, nodes]);
  }

  hideVertices(hidden: boolean): void {
    if (hidden) this.vertices.clear();
    else this.showVertices();
  }

  /** Show a line or an area that is not drawn with the pointer. */
  showSketch(corners: Coordinate[], closed: boolean): void {
    this.sketch.clear(true);
    const features: Feature<Geometry>[] = corners.map((corner) => new Feature(new Point(corner)));
    if (closed && corners.length > 2) features.unshift(new Feature(new Polygon([[...corners, corners[0] ?? []]])));
    else if (corners.length > 1) features.unshift(new Feature(new LineString(corners)));
    this.sketch.addFeatures(features);
    this.sketch.changed();
  }

  private showPins(): void {
    this.pins.clear(true);
    this.session.comments.forEach((comment, i) => {
      const pin = new Feature(new Point(onMap(comment.place)));
      pin.set("number", i + 1);
      this.pins.addFeature(pin);
    });
    this.pins.changed();
  }

  /** The number of the comment pinned at a pixel, 0 for none. */
  pinAt(pixel: number[]): number {
    const found = this.map.getFeaturesAtPixel(pixel, { hitTolerance: 8, layerFilter: (layer) => layer === this.pinLayer })[0];
    return found ? Number(found.get("number")) : 0;
  }

  go(place: Place): void {
    const view = this.map.getView();
    view.animate({ center: onMap(place), zoom: Math.max(view.getZoom() ?? 0, 17), duration: calm.matches ? 0 : 250 });
  }

  /** Move the map so that a place is in view, no farther than needed. */
  reveal(place: Place): void {
    const [x = 0, y = 0] = onMap(place);
    const [west = 0, south = 0, east = 0, north = 0] = this.map.getView().calculateExtent(this.map.getSize());
    const [dx, dy] = [(east - west) * 0.12, (north - south) * 0.12];
    if (x > west + dx && x < east - dx && y > south + dy && y < north - dy) return;
    this.map.getView().animate({ center: [x, y], duration: calm.matches ? 0 : 250 });
  }

  /** Bring grids into view; unless that is `meant`, only where they are not seen well already. */
  show(codes: string[], meant = false): void {
    const extent = this.grids.extent(codes);
    if (!extent) return;
    const view = this.map.getView();
    const seen = view.calculateExtent(this.map.getSize()) as Extent;
    const [west = 0, south = 0, east = 0, north = 0] = seen;
    const [a = 0, b = 0, c = 0, d = 0] = extent;
    const inside = a >= west && b >= south && c <= east && d <= north;
    const large = Math.max(getWidth(extent) / getWidth(seen), getHeight(extent) / getHeight(seen)) > 0.12;
    if (inside && large && !meant) return;
    this.frame(extent);
  }

  frame(extent: Extent): void {
    this.map.getView().fit(extent, { padding: [110, 110, 110, 110], maxZoom: 18, duration: calm.matches ? 0 : 250 });
  }
}

// 划转: what is circled, or the ground around the buildings clicked, goes to another grid.
import type { Coordinate } from "ol/coordinate";
import { buffer } from "ol/extent";
import type Feature from "ol/Feature";
import type Geometry from "ol/geom/Geometry";
import Polygon from "ol/geom/Polygon";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";

import { element } from "../../common/dom";
import { codeOf, foot, rings, type Shape } from "../grids";
import { buildingLook } from "../looks";
import { areaOf } from "../places";
import { tell } from "../words";
import { Drawing } from "./drawing";
import { hull } from "./hull";
import { type Context, editableAt, refusal, type Tool } from "./tool";

/** Metres of the map around a building that go with it. */
const YARD = 3;

export class TransferTool implements Tool {
  readonly id = "transfer";
  readonly drawing: Drawing;
  private byBuildings = false;
  private drawingNow = false;
  private readonly chosen = new VectorSource<Feature<Geometry>>({ wrapX: false });

  constructor(private readonly context: Context) {
    this.drawing = new Drawing(context, this.id, { kind: "Polygon", freehand: true, done: (corners) => this.drawn(corners) });
    context.stage.map.addLayer(new VectorLayer({ source: this.chosen, zIndex: 590, style: buildingLook() }));
  }

  get takes(): "place" | "area" {
    return this.context.selection.first === null || this.byBuildings ? "place" : "area";
  }

  start(): void {
    const { selection, session } = this.context;
    const first = selection.first;
    selection.set(first !== null && session.grids.editable(first) ? [first] : []);
    this.follow();
  }

  stop(): void {
    this.chosen.clear();
    this.setDrawing(false);
    this.context.stage.showSketch([], false);
  }

  private setDrawing(wanted: boolean): void {
    if (wanted === this.drawingNow) return;
    this.drawingNow = wanted;
    if (wanted) this.drawing.start();
    else this.drawing.stop();
  }

  private follow(): void {
    this.setDrawing(this.context.selection.first !== null && !this.byBuildings);
    this.context.changed();
  }

  cancel(): boolean {
    if (this.chosen.getFeatures().length > 0) {
      this.chosen.clear();
      this.context.stage.showSketch([], false);
      return true;
    }
    if (this.drawing.cancel()) return true;
    const had = this.context.selection.first !== null;
    this.context.selection.set([]);
    this.follow();
    return had;
  }

  place(at: Coordinate): void {
    const { selection } = this.context;
    if (selection.first === null) {
      const code = editableAt(this.context, at);
      if (code !== null) selection.set([code]);
      this.follow();
      return;
    }
    if (!this.byBuildings) return;
    const building = this.context.targets.buildings.getFeaturesAtCoordinate(at)[0];
    if (!building) {
      this.context.refuse(refusal("noBuildingHere", at));
      return;
    }
    if (this.chosen.hasFeature(building)) this.chosen.removeFeature(building);
    else this.chosen.addFeature(building);
    this.context.stage.showSketch(this.around(), true);
    this.context.changed();
  }

  /** The hull of the buildings with their yards, as far as the receiving grid, so that what is given hangs together with it. */
  private around(): Coordinate[] {
    const { selection, session } = this.context;
    const target = selection.first === null ? null : (session.grids.get(selection.first)?.getGeometry() ?? null);
    const points: Coordinate[] = [];
    for (const building of this.chosen.getFeatures()) {
      const shape = building.getGeometry() as Shape | undefined;
      for (const [x = 0, y = 0] of shape ? rings(shape).flat() : []) {
        points.push([x - YARD, y - YARD], [x + YARD, y - YARD], [x + YARD, y + YARD], [x - YARD, y + YARD]);
      }
    }
    if (!target || points.length === 0) return [];
    const inside = points.filter((point) => target.intersectsCoordinate(point));
    if (inside.length < points.length) points.push(...reaching(points, target));
    return hull(points);
  }

  drawn(corners: Coordinate[]): void {
    const { selection, session, stage } = this.context;
    const to = selection.first;
    if (to === null || corners.length < 3) return;
    const area = new Polygon([[...corners, corners[0] ?? []]]);
    const from = session.grids
      .near(area.getExtent())
      .filter((grid) => codeOf(grid) !== to && session.grids.editable(codeOf(grid)) && meets(grid.getGeometry(), area))
      .map(codeOf)
      .sort();
    if (from.length === 0) {
      this.context.refuse(refusal("nothingCircled", corners[0] ?? null));
      return;
    }
    void session.do({ operation: "transfer", polygon: areaOf(corners), from_codes: from, to_code: to }).then((done) => {
      if (!done) return;
      this.chosen.clear();
      stage.showSketch([], false);
      this.context.changed();
    });
  }

  finish(): void {
    const corners = this.around();
    if (corners.length > 2) this.drawn(corners);
    else this.context.refuse(refusal("nothingCircled", null));
  }

  hint(): string {
    const { selection, session } = this.context;
    if (selection.first === null) return tell("hintTransfer");
    return tell(this.byBuildings ? "hintTransferBuildings" : "hintTransferTo", { to: session.grids.title(selection.first) });
  }

  buttons(): HTMLElement[] {
    if (this.context.selection.first === null) return [];
    const group = element("span", { class: "choice", role: "group", "aria-label": tell("freeHand") });
    for (const buildings of [false, true]) {
      const one = element("button", { type: "button", "aria-pressed": String(buildings === this.byBuildings) }, tell(buildings ? "byBuildings" : "byLasso"));
      one.addEventListener("click", () => {
        this.byBuildings = buildings;
        this.chosen.clear();
        this.context.stage.showSketch([], false);
        this.follow();
      });
      group.append(one);
    }
    if (!this.byBuildings || this.chosen.getFeatures().length === 0) return [group];
    const apply = element("button", { type: "button", class: "primary" }, tell("doTransfer"));
    apply.addEventListener("click", () => this.finish());
    return [group, apply];
  }
}

/** Whether an area lies over a grid anywhere. */
function meets(shape: Shape | undefined, area: Polygon): boolean {
  if (!shape) return false;
  const ring = area.getCoordinates()[0] ?? [];
  if (ring.some((corner) => shape.intersectsCoordinate(corner))) return true;
  return rings(shape).some((own) => own.some((corner) => area.intersectsCoordinate(corner)));
}

/** Points just inside a grid, nearest to some others. */
function reaching(points: Coordinate[], target: Shape): Coordinate[] {
  let best = Infinity;
  let found: Coordinate[] = [];
  for (const ring of rings(target)) {
    for (let i = 1; i < ring.length; i++) {
      const [a = [], b = []] = [ring[i - 1], ring[i]];
      for (const point of points) {
        const [x = 0, y = 0] = foot(point, a, b);
        const away = Math.hypot(x - (point[0] ?? 0), y - (point[1] ?? 0));
        if (away >= best) continue;
        best = away;
        const [west = 0, south = 0, east = 0, north = 0] = buffer([x, y, x, y], YARD);
        found = [[west, south], [east, south], [east, north], [west, north]];
      }
    }
  }
  return found;
}

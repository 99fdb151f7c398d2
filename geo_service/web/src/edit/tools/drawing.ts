// Drawing with the pointer for the tools that need a line or an area: with snapping, tracing, and a copy of what is half done.
import type { Coordinate } from "ol/coordinate";
import type Feature from "ol/Feature";
import type LineString from "ol/geom/LineString";
import type Polygon from "ol/geom/Polygon";
import Draw from "ol/interaction/Draw";

import { sketchLook } from "../looks";
import { lineOf } from "../places";
import { keepSketch } from "../pending";
import type { Context } from "./tool";

interface Options {
  kind: "LineString" | "Polygon";
  freehand?: boolean;
  done: (corners: Coordinate[]) => void;
}

export class Drawing {
  private draw: Draw | null = null;
  private corners = 0;

  constructor(
    private readonly context: Context,
    private readonly tool: string,
    private readonly options: Options,
  ) {}

  start(): void {
    const { stage, targets, session } = this.context;
    const { kind, freehand, done } = this.options;
    if (!session.editable) return;
    targets.useGrids(true);
    const draw = new Draw({
      type: kind,
      freehand: freehand ?? false,
      stopClick: true,
      style: sketchLook,
      trace: () => !freehand && this.context.tracing,
      traceSource: targets.source,
      snapTolerance: 14,
      condition: (event) => !(event.originalEvent instanceof PointerEvent) || event.originalEvent.button === 0,
    });
    draw.on("drawstart", ({ feature }) => {
      this.corners = 1;
      feature.getGeometry()?.on("change", () => this.keep(feature as Feature<LineString | Polygon>));
    });
    draw.on("drawabort", () => this.drop());
    draw.on("drawend", ({ feature }) => {
      this.drop();
      const shape = feature.getGeometry() as LineString | Polygon;
      const corners = shape.getType() === "Polygon" ? (shape as Polygon).getCoordinates()[0]?.slice(0, -1) : (shape as LineString).getCoordinates();
      done(corners ?? []);
    });
    this.draw = draw;
    stage.map.addInteraction(draw);
  }

  stop(): void {
    if (!this.draw) return;
    this.draw.abortDrawing();
    this.context.stage.map.removeInteraction(this.draw);
    this.draw = null;
    this.context.targets.useGrids(false);
  }

  /** The corners that are set so far; the last one only follows the pointer. */
  private keep(feature: Feature<LineString | Polygon>): void {
    if (this.options.freehand) return;
    const shape = feature.getGeometry();
    if (!shape) return;
    const all = shape.getType() === "Polygon" ? ((shape as Polygon).getCoordinates()[0] ?? []) : (shape as LineString).getCoordinates();
    const set = all.slice(0, -1);
    if (set.length === this.corners) return;
    this.corners = set.length;
    keepSketch(this.context.session.draft.id, this.tool, lineOf(set));
  }

  private drop(): void {
    this.corners = 0;
    keepSketch(this.context.session.draft.id, this.tool, []);
  }

  /** Take up a line again that was begun before. */
  resume(corners: Coordinate[]): void {
    this.draw?.appendCoordinates(corners);
  }

  undoCorner(): void {
    this.draw?.removeLastPoint();
  }

  cancel(): boolean {
    const had = this.corners > 0;
    this.draw?.abortDrawing();
    return had;
  }
}

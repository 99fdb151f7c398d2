// 拖界: a vertex, or an edge anywhere, is dragged in all the grids that share it.
import Collection from "ol/Collection";
import type { Coordinate } from "ol/coordinate";
import Modify from "ol/interaction/Modify";
import type MapBrowserEvent from "ol/MapBrowserEvent";

import type { Operation, Place } from "../contract";
import { codeOf, type Grid } from "../grids";
import { handleLook } from "../looks";
import { placeOf } from "../places";
import { tell } from "../words";
import { type Context, reach, refusal, type Tool } from "./tool";

/** Milliseconds between the figures of a drag. */
const CALM = 140;
const PIXELS = 12;

interface Drag {
  /** The vertex, or the edge into which one is put. */
  vertex: Coordinate | null;
  edge: [Coordinate, Coordinate];
  now: Coordinate;
}

export class DragTool implements Tool {
  readonly id = "drag";
  /** Copies of the grids at the pointer: OpenLayers moves all that have identical edges. */
  private readonly near = new Collection<Grid>();
  private readonly modify: Modify;
  private drag: Drag | null = null;
  private timer = 0;
  private asking: AbortController | null = null;
  private held: Coordinate | null = null;
  private waiting = false;

  constructor(private readonly context: Context) {
    this.modify = new Modify({
      features: this.near,
      pixelTolerance: PIXELS,
      style: handleLook(),
      condition: (event) => {
        const { originalEvent } = event;
        const primary = originalEvent instanceof PointerEvent ? originalEvent.isPrimary && originalEvent.button === 0 : true;
        return primary && this.context.session.editable && !this.waiting;
      },
      deleteCondition: () => false,
    });
    this.modify.on("modifystart", () => this.begin());
    this.modify.on("modifyend", ({ mapBrowserEvent }) => void this.end(mapBrowserEvent?.coordinate ?? null));
    const { stage, session } = context;
    // Before Modify: it has to know the grids at the pointer when the button goes down, on a touch screen too.
    stage.target.addEventListener("pointerdown", (event) => this.gather(stage.map.getEventCoordinate(event)), true);
    session.on("grids", () => this.forget());
  }

  private isOn = false;

  start(): void {
    this.isOn = true;
    const { stage, targets } = this.context;
    targets.useGrids(false);
    stage.map.addInteraction(this.modify);
    stage.map.on("pointermove", this.follow);
    stage.map.on("pointerdrag", this.moved);
  }

  stop(): void {
    this.isOn = false;
    const { stage } = this.context;
    stage.map.removeInteraction(this.modify);
    stage.map.un("pointermove", this.follow);
    stage.map.un("pointerdrag", this.moved);
    this.forget();
  }

  private readonly follow = (event: MapBrowserEvent): void => {
    if (!event.dragging && !this.waiting) this.gather(event.coordinate);
  };

  /** Have copies of the grids at a place, and of no others. */
  private gather(coordinate: Coordinate): void {
    if (!this.isOn || this.drag || this.waiting) return;
    const [x = 0, y = 0] = coordinate;
    const r = reach(this.context, PIXELS + 4);
    const wanted = new Set(this.context.session.grids.near([x - r, y - r, x + r, y + r]).map(codeOf));
    for (const copy of [...this.near.getArray()]) {
      if (wanted.has(codeOf(copy))) wanted.delete(codeOf(copy));
      else this.near.remove(copy);
    }
    for (const code of wanted) {
      const grid = this.context.session.grids.get(code);
      const shape = grid?.getGeometry();
      if (!grid || !shape) continue;
      const copy = grid.clone() as Grid;
      copy.setId(code);
      this.near.push(copy);
    }
  }

  private forget(): void {
    if (this.drag) return;
    this.near.clear();
    this.context.stage.moving.clear(true);
    this.context.stage.hide([]);
  }

  private begin(): void {
    const { stage, session } = this.context;
    const at = this.modify.getPoint();
    const found = at ? session.grids.nearest(at, reach(this.context, PIXELS + 4)) : null;
    if (!at || !found) return;
    const is = (corner: Coordinate): boolean => Math.hypot((corner[0] ?? 0) - (at[0] ?? 0), (corner[1] ?? 0) - (at[1] ?? 0)) < 1e-6;
    this.drag = { vertex: found.edge.find(is) ?? null, edge: found.edge, now: at };
    const touched = this.drag.vertex ? session.grids.holders(this.drag.vertex) : this.sides(found.edge);
    const copies = this.near.getArray().filter((copy) => touched.includes(codeOf(copy)));
    stage.hideVertices(true);
    stage.moving.clear(true);
    stage.moving.addFeatures(copies);
    stage.hide(copies.map(codeOf));
  }

  private sides([a, b]: [Coordinate, Coordinate]): string[] {
    const { grids } = this.context.session;
    const beside = new Set(grids.holders(b));
    return grids.holders(a).filter((code) => beside.has(code));
  }

  private readonly moved = (event: MapBrowserEvent): void => {
    if (!this.drag) return;
    this.drag.now = event.coordinate;
    this.timer ||= window.setTimeout(() => void this.ask(), CALM);
    this.context.borders.follow(...this.edges(this.drag));
  };

  /** The edges that move, as lines of two: those at a node do not lie on one line. */
  private edges({ vertex, edge, now }: Drag): Coordinate[][] {
    if (!vertex) return [[edge[0], now, edge[1]]];
    const beside = this.context.session.grids.beside(vertex);
    const lines: Coordinate[][] = [];
    for (let i = 0; i < beside.length; i += 2) lines.push([beside[i] ?? now, now, ...beside.slice(i + 1, i + 2)]);
    return lines;
  }

  private operation({ vertex, edge, now }: Drag): Operation {
    if (vertex) return { operation: "move_vertex", old: placeOf(vertex), new: placeOf(now) };
    return { operation: "reshape", line: [placeOf(edge[0]), placeOf(now), placeOf(edge[1])] };
  }

  /** Figures while the drag goes on; the last wish counts. */
  private async ask(): Promise<void> {
    this.timer = 0;
    if (!this.drag) return;
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    await this.context.session.preview(this.operation(this.drag), asking.signal).catch(() => null);
  }

  private settle(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.asking?.abort();
  }

  private async end(last: Coordinate | null): Promise<void> {
    const drag = this.drag;
    this.settle();
    this.context.borders.clear();
    if (!drag) return;
    const now = last ?? drag.now;
    drag.now = now;
    const operation = this.operation(drag);
    const unmoved = drag.vertex && same(placeOf(drag.vertex), placeOf(now));
    if (unmoved) {
      this.drag = null;
      this.forget();
      this.context.session.endPreview();
      this.context.stage.hideVertices(false);
      return;
    }
    this.waiting = true;
    try {
      await this.context.session.do(operation);
    } finally {
      // Whatever the answer: what is drawn now is what the service has.
      this.waiting = false;
      this.drag = null;
      this.forget();
      this.context.stage.redraw();
    }
  }

  /** The keyboard takes a vertex up and puts it down. */
  place(at: Coordinate): void {
    const { session, stage } = this.context;
    if (!this.held) {
      const found = session.grids.nearest(at, reach(this.context));
      if (!found?.vertex) {
        this.context.refuse(refusal("noVertexHere", at));
        return;
      }
      this.held = found.vertex;
      stage.showSketch([found.vertex], false);
      return;
    }
    const operation: Operation = { operation: "move_vertex", old: placeOf(this.held), new: placeOf(at) };
    this.held = null;
    stage.showSketch([], false);
    void session.do(operation);
  }

  cancel(): boolean {
    const had = this.held !== null;
    this.held = null;
    this.context.stage.showSketch([], false);
    return had;
  }

  hint(): string {
    return tell("hintDrag");
  }
}

function same([a, b]: Place, [c, d]: Place): boolean {
  return a === c && b === d;
}

// 重画: a grid gets a new outline.
import type { Coordinate } from "ol/coordinate";

import { areaOf } from "../places";
import { tell } from "../words";
import { Drawing } from "./drawing";
import { type Context, editableAt, type Tool } from "./tool";

export class RedrawTool implements Tool {
  readonly id = "redraw";
  readonly drawing: Drawing;
  private drawingNow = false;

  constructor(private readonly context: Context) {
    this.drawing = new Drawing(context, this.id, { kind: "Polygon", done: (corners) => this.drawn(corners) });
  }

  get takes(): "place" | "area" {
    return this.context.selection.first === null ? "place" : "area";
  }

  start(): void {
    const { selection, session } = this.context;
    const first = selection.first;
    selection.set(first !== null && session.grids.editable(first) ? [first] : []);
    this.follow();
  }

  stop(): void {
    if (this.drawingNow) this.drawing.stop();
    this.drawingNow = false;
  }

  private follow(): void {
    const wanted = this.context.selection.first !== null;
    if (wanted && !this.drawingNow) this.drawing.start();
    if (!wanted && this.drawingNow) this.drawing.stop();
    this.drawingNow = wanted;
    this.context.changed();
  }

  cancel(): boolean {
    if (this.drawing.cancel()) return true;
    const had = this.context.selection.first !== null;
    this.context.selection.set([]);
    this.follow();
    return had;
  }

  place(at: Coordinate): void {
    if (this.context.selection.first !== null) return;
    const code = editableAt(this.context, at);
    if (code !== null) this.context.selection.set([code]);
    this.follow();
  }

  drawn(corners: Coordinate[]): void {
    const code = this.context.selection.first;
    if (code !== null) void this.context.session.do({ operation: "redraw", code, polygon: areaOf(corners) });
  }

  hint(): string {
    const code = this.context.selection.first;
    return code === null ? tell("hintRedraw") : tell("hintRedrawOf", { code: this.context.session.grids.title(code) });
  }
}

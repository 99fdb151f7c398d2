// 切分: a line across a grid divides it.
import type { Coordinate } from "ol/coordinate";
import LineString from "ol/geom/LineString";

import { lineOf } from "../places";
import { tell } from "../words";
import { Drawing } from "./drawing";
import { type Context, reach, refusal, type Tool } from "./tool";

export class SplitTool implements Tool {
  readonly id = "split";
  readonly takes = "line";
  readonly drawing: Drawing;

  constructor(private readonly context: Context) {
    this.drawing = new Drawing(context, this.id, { kind: "LineString", done: (corners) => this.drawn(corners) });
  }

  start(): void {
    this.drawing.start();
  }

  stop(): void {
    this.drawing.stop();
  }

  cancel(): boolean {
    return this.drawing.cancel();
  }

  drawn(corners: Coordinate[]): void {
    const code = corners.length > 1 ? this.crossed(corners) : null;
    if (code === null) {
      this.context.refuse(refusal("lineMisses", corners[0] ?? null));
      return;
    }
    const { session, selection } = this.context;
    this.reach(corners, code);
    const [fresh = ""] = session.grids.fresh(code, 1);
    void session.do({ operation: "split", code, line: lineOf(corners), new_codes: [code, fresh] }).then((done) => {
      if (done) selection.set([code, fresh]);
    });
  }

  /** A line that ends just short of the outline is drawn on to it. */
  private reach(corners: Coordinate[], code: string): void {
    const { grids } = this.context.session;
    const end = (at: Coordinate | undefined): Coordinate | null => {
      if (!at || !grids.get(code)?.getGeometry()?.intersectsCoordinate(at)) return null;
      return grids.nearest(at, reach(this.context))?.at ?? null;
    };
    const [first, last] = [end(corners[0]), end(corners[corners.length - 1])];
    if (first) corners.unshift(first);
    if (last) corners.push(last);
  }

  /** The grid that is meant: the chosen one where the line runs through it, else that with most of the line. */
  private crossed(corners: Coordinate[]): string | null {
    const { grids } = this.context.session;
    const line = new LineString(corners);
    const found = new Map<string, number>();
    for (let share = 0.02; share < 1; share += 0.04) {
      const code = String(grids.at(line.getCoordinateAt(share))?.getId() ?? "");
      if (code && grids.editable(code)) found.set(code, (found.get(code) ?? 0) + 1);
    }
    const chosen = this.context.selection.first;
    if (chosen && found.has(chosen)) return chosen;
    return [...found].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
  }

  hint(): string {
    return tell("hintSplit");
  }
}

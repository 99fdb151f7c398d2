// 插点 and 删点: a vertex is put into an edge, or taken out, on all sides.
import type { Coordinate } from "ol/coordinate";

import { placeOf } from "../places";
import { tell } from "../words";
import { type Context, reach, refusal, type Tool } from "./tool";

abstract class VertexTool implements Tool {
  abstract readonly id: "insert" | "remove";

  constructor(protected readonly context: Context) {}

  start(): void {}

  stop(): void {}

  cancel(): boolean {
    return false;
  }

  abstract place(at: Coordinate): void;

  abstract hint(): string;
}

export class InsertTool extends VertexTool {
  readonly id = "insert";

  place(at: Coordinate): void {
    const found = this.context.session.grids.nearest(at, reach(this.context));
    if (found) void this.context.session.do({ operation: "insert_vertex", place: placeOf(found.at) });
    else this.context.refuse(refusal("noEdgeHere", at));
  }

  hint(): string {
    return tell("hintInsert");
  }
}

export class RemoveTool extends VertexTool {
  readonly id = "remove";

  place(at: Coordinate): void {
    const found = this.context.session.grids.nearest(at, reach(this.context));
    if (found?.vertex) void this.context.session.do({ operation: "remove_vertex", place: placeOf(found.vertex) });
    else this.context.refuse(refusal("noVertexHere", at));
  }

  hint(): string {
    return tell("hintRemove");
  }
}

// Every tool, by its name.
import { DragTool } from "./drag";
import { ReshapeTool, SplitTool } from "./line";
import { MergeTool } from "./merge";
import { RedrawTool } from "./redraw";
import { SelectTool } from "./select";
import type { Context, Tool, ToolId } from "./tool";
import { TransferTool } from "./transfer";
import { InsertTool, RemoveTool } from "./vertices";

const KINDS = [SelectTool, DragTool, ReshapeTool, SplitTool, MergeTool, TransferTool, RedrawTool, InsertTool, RemoveTool];

export function allTools(context: Context): Map<ToolId, Tool> {
  return new Map(KINDS.map((kind): Tool => new kind(context)).map((tool) => [tool.id, tool]));
}

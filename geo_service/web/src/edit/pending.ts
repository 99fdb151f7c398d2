// What is not with the service yet: kept by the browser, so that a closed tab loses nothing.
import type { Operation, Place } from "./contract";
import type { ToolId } from "./tools/tool";

/** A line that was being drawn: by which tool, with which grid chosen. */
export interface KeptSketch {
  tool: ToolId;
  code: string | null;
  line: Place[];
}

interface Kept {
  /** Operations that were on their way, the first of them first. */
  operations: Operation[];
  sketch: KeptSketch | null;
}

function name(draft: string): string {
  return `geo-service.edit.${draft}`;
}

function read(draft: string): Kept {
  const empty: Kept = { operations: [], sketch: null };
  try {
    const text = localStorage.getItem(name(draft));
    return text ? { ...empty, ...(JSON.parse(text) as Partial<Kept>) } : empty;
  } catch {
    return empty; // storage may be forbidden by policy, or hold something else
  }
}

function write(draft: string, kept: Kept): void {
  try {
    if (kept.operations.length > 0 || kept.sketch) localStorage.setItem(name(draft), JSON.stringify(kept));
    else localStorage.removeItem(name(draft));
  } catch {
    // Then what is not saved lasts as long as the page does.
  }
}

function without(operations: Operation[], operation: Operation): Operation[] {
  const text = JSON.stringify(operation);
  const at = operations.findIndex((other) => JSON.stringify(other) === text);
  return at < 0 ? operations : operations.filter((_, i) => i !== at);
}

export function pendingOperations(draft: string): Operation[] {
  return read(draft).operations;
}

/** Keep an operation until it is settled; one that is kept already stays where it is. */
export function keepOperation(draft: string, operation: Operation): void {
  const kept = read(draft);
  if (without(kept.operations, operation) === kept.operations) write(draft, { ...kept, operations: [...kept.operations, operation] });
}

export function dropOperation(draft: string, operation: Operation): void {
  const kept = read(draft);
  write(draft, { ...kept, operations: without(kept.operations, operation) });
}

export function pendingSketch(draft: string): KeptSketch | null {
  return read(draft).sketch;
}

export function keepSketch(draft: string, sketch: KeptSketch): void {
  write(draft, { ...read(draft), sketch: sketch.line.length > 0 ? sketch : null });
}

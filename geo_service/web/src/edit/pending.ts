// What is not with the service yet: kept by the browser, so that a closed tab loses nothing.
import type { Operation, Place } from "./contract";

interface Kept {
  draft: string;
  /** The operation that was on its way. */
  operation: Operation | null;
  /** The line that was being drawn, and by which tool. */
  sketch: { tool: string; line: Place[] } | null;
}

function name(draft: string): string {
  return `geo-service.edit.${draft}`;
}

function read(draft: string): Kept {
  const empty: Kept = { draft, operation: null, sketch: null };
  try {
    const text = localStorage.getItem(name(draft));
    return text ? { ...empty, ...(JSON.parse(text) as Partial<Kept>) } : empty;
  } catch {
    return empty; // storage may be forbidden by policy, or hold something else
  }
}

function write(kept: Kept): void {
  try {
    if (kept.operation || kept.sketch) localStorage.setItem(name(kept.draft), JSON.stringify(kept));
    else localStorage.removeItem(name(kept.draft));
  } catch {
    // Then what is not saved lasts as long as the page does.
  }
}

export function pendingOperation(draft: string): Operation | null {
  return read(draft).operation;
}

export function keepOperation(draft: string, operation: Operation | null): void {
  write({ ...read(draft), operation });
}

export function pendingSketch(draft: string): Kept["sketch"] {
  return read(draft).sketch;
}

export function keepSketch(draft: string, tool: string, line: Place[]): void {
  write({ ...read(draft), sketch: line.length > 0 ? { tool, line } : null });
}

// Which statuses leave nothing more to do: as the service counts its figures (`WALL` in queries.py).
import type { EventLayer } from "../common/contract";

const DONE: Record<EventLayer, ReadonlySet<string>> = {
  disputes: new Set(["resolved", "closed"]),
  hazards: new Set(["verified"]),
};

export const EVENT_LAYERS: readonly EventLayer[] = ["disputes", "hazards"];

export function isEventLayer(layer: string): layer is EventLayer {
  return layer === "disputes" || layer === "hazards";
}

export function isOpen(layer: EventLayer, status: string): boolean {
  return !DONE[layer].has(status);
}

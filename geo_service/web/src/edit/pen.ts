// The keyboard's pen: a cross on the map that arrow keys move, the space bar sets points with, and Enter ends.
import type { Coordinate } from "ol/coordinate";

import { element } from "../common/dom";
import { announce } from "../import/notice";
import { placeOf, placeText } from "./places";
import type { Context, Tool } from "./tools/tool";
import { tell } from "./words";

const STEP = 12;
const FINE = 1;
const EDGE = 40;
const WAYS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Who gets the points instead of the tool, as the table does. */
export interface Taker {
  corners: Coordinate[];
  closed: boolean;
  changed(corners: Coordinate[]): void;
  ended(): void;
}

export class Pen {
  private readonly cross = element("div", { class: "cross", hidden: true, "aria-hidden": "true" });
  private taker: Taker | null = null;
  private at: [number, number] | null = null;

  constructor(
    private readonly context: Context,
    private readonly tool: () => Tool,
  ) {
    const { target, root, map } = context.stage;
    root.append(this.cross);
    // OpenLayers moves the map with these keys; here they move the cross, and the map where it would leave it.
    target.addEventListener("keydown", (event) => this.key(event), true);
    target.addEventListener("pointerdown", () => this.rest());
    map.on("change:size", () => this.rest());
  }

  /** Lay the pen down; what it has drawn stays. */
  private rest(): void {
    this.cross.hidden = true;
    this.at = null;
  }

  /** Give the points to somebody else until Enter or Escape. */
  lend(taker: Taker): void {
    this.taker = { ...taker, corners: [...taker.corners] };
    this.context.stage.target.focus();
    this.show();
    announce(tell("picking"));
  }

  /** Take the pen back from whom it was lent to; false where it was not. */
  clear(): boolean {
    const { taker } = this;
    this.taker = null;
    taker?.ended();
    return taker !== null;
  }

  private show(): void {
    const [width = 0, height = 0] = this.context.stage.map.getSize() ?? [];
    this.at ??= [width / 2, height / 2];
    this.cross.hidden = false;
    this.cross.style.transform = `translate(${this.at[0]}px, ${this.at[1]}px)`;
  }

  private move([dx, dy]: [number, number], step: number): void {
    this.show();
    if (!this.at) return;
    const { map } = this.context.stage;
    const [width = 0, height = 0] = map.getSize() ?? [];
    const x = this.at[0] + dx * step;
    const y = this.at[1] + dy * step;
    const inside = x >= EDGE && y >= EDGE && x <= width - EDGE && y <= height - EDGE;
    if (inside) this.at = [x, y];
    else {
      const view = map.getView();
      const [cx = 0, cy = 0] = view.getCenter() ?? [];
      const metres = step * (view.getResolution() ?? 1);
      view.setCenter([cx + dx * metres, cy - dy * metres]);
    }
    this.show();
  }

  /** Where the cross is; on a vertex or an edge where one is close. */
  private coordinate(): Coordinate | null {
    const { map, resolution } = this.context.stage;
    if (!this.at) return null;
    const exact = map.getCoordinateFromPixel(this.at);
    if (!exact) return null;
    const near = this.context.session.grids.nearest(exact, 8 * resolution);
    return near ? (near.vertex ?? near.at) : exact;
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.handled(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  private handled(event: KeyboardEvent): boolean {
    const way = WAYS[event.key];
    if (way) {
      this.move(way, event.shiftKey ? FINE : STEP);
      return true;
    }
    if (event.key === " ") {
      this.show();
      this.set(event.shiftKey);
      return true;
    }
    const { taker } = this;
    if (!taker) return false;
    if (event.key === "Backspace") this.give(taker, taker.corners.slice(0, -1));
    else if (event.key === "Enter" || event.key === "Escape") this.clear();
    else return false;
    return true;
  }

  private give(taker: Taker, corners: Coordinate[]): void {
    taker.corners = corners;
    taker.changed(corners);
    announce(tell("picked", { n: corners.length }));
  }

  private set(more: boolean): void {
    const at = this.coordinate();
    if (!at) return;
    const tool = this.tool();
    const { drawing } = tool;
    if (this.taker) this.give(this.taker, [...this.taker.corners, at]);
    else if (drawing?.isOn) {
      drawing.append([at]);
      announce(tell("picked", { n: drawing.corners.length }));
    } else {
      tool.place?.(at, more);
      announce(placeText(placeOf(at)));
    }
  }
}

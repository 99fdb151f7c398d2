// Where a draft and what was published meanwhile differ: both shapes, one over the other.
import type { Coordinate } from "ol/coordinate";
import { boundingExtent } from "ol/extent";
import type Feature from "ol/Feature";
import type Geometry from "ol/geom/Geometry";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";

import { button, element } from "../common/dom";
import { clearFailure, note } from "./failure";
import { type Grid, read, rings } from "./grids";
import { sideLook } from "./looks";
import type { Refusal, Step } from "./service";
import type { Session } from "./session";
import type { Stage } from "./stage";
import { tell } from "./words";

export class Conflict {
  private readonly source = new VectorSource<Feature<Geometry>>({ wrapX: false });
  private readonly key: HTMLElement;

  /** Steps to be left out of the replay. */
  private readonly skipped: number[] = [];

  constructor(
    private readonly session: Session,
    private readonly stage: Stage,
  ) {
    session.on("grids", () => this.clear());
    stage.map.addLayer(new VectorLayer({ source: this.source, zIndex: 570, style: (feature) => sideLook(feature.get("side") === "theirs" ? "before" : "after", "") }));
    const close = button(tell("close"), "plain", "×");
    close.addEventListener("click", () => this.clear());
    const line = (side: "theirs" | "yours"): HTMLElement => element("li", { "data-side": side }, element("i", { "aria-hidden": "true" }), tell(side));
    this.key = element("ul", { class: "edit-legend both-sides", hidden: true }, line("theirs"), line("yours"), element("li", {}, close));
    stage.root.append(this.key);
  }

  private clear(): void {
    this.source.clear();
    this.key.hidden = true;
  }

  show({ particulars, message }: Refusal, step: Step): void {
    const { theirs, yours, operation } = particulars;
    this.clear();
    if (theirs && yours) this.draw(read(theirs), read(yours));
    if (step === "rebase" && operation) this.offerToSkip(operation.seq, message);
  }

  private draw(theirs: Grid[], yours: Grid[]): void {
    const add = (grids: Grid[], side: string): void => {
      for (const grid of grids) {
        grid.setId(undefined); // both sides have the same codes
        grid.set("side", side);
        this.source.addFeature(grid as Feature<Geometry>);
      }
    };
    add(yours, "yours");
    add(theirs, "theirs");
    this.key.hidden = false;
    const [one, two] = [corners(theirs), corners(yours)];
    const apart = [...one, ...two].filter(([name]) => !one.has(name) || !two.has(name)).map(([, corner]) => corner);
    if (apart.length > 0) this.stage.frame(boundingExtent(apart));
  }

  private offerToSkip(seq: number, message: string): void {
    const skip = element("button", { type: "button" }, tell("skipStep", { seq }));
    skip.addEventListener("click", () => {
      clearFailure();
      this.skipped.push(seq);
      void this.session.step("rebase", { skip: this.skipped });
    });
    note(message, skip);
  }
}

/** The corners of grids, by what they are. */
function corners(grids: Grid[]): Map<string, Coordinate> {
  const all = grids.flatMap((grid) => {
    const shape = grid.getGeometry();
    return shape ? rings(shape).flat() : [];
  });
  return new Map(all.map((corner) => [corner.join(), corner]));
}

// Where a draft and what was published meanwhile differ: both shapes, one over the other.
import type Feature from "ol/Feature";
import type Geometry from "ol/geom/Geometry";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";

import { element } from "../common/dom";
import { clearFailure, note } from "./failure";
import { type Grid, read } from "./grids";
import { sideLook } from "./looks";
import type { Refusal, Step } from "./service";
import type { Session } from "./session";
import type { Stage } from "./stage";
import { tell } from "./words";

export class Conflict {
  private readonly source = new VectorSource<Feature<Geometry>>({ wrapX: false });

  /** Steps to be left out of the replay. */
  private readonly skipped: number[] = [];

  constructor(
    private readonly session: Session,
    private readonly stage: Stage,
  ) {
    session.on("grids", () => this.source.clear());
    stage.map.addLayer(
      new VectorLayer({
        source: this.source,
        zIndex: 570,
        style: (feature) => (feature.get("side") === "theirs" ? sideLook("before", tell("theirs")) : sideLook("after", tell("yours"))),
      }),
    );
  }

  show({ particulars, message }: Refusal, step: Step): void {
    const { theirs, yours, codes, operation } = particulars;
    this.source.clear();
    const add = (grids: Grid[], side: string): void => {
      for (const grid of grids) {
        grid.setId(undefined); // both sides have the same codes
        grid.set("side", side);
        this.source.addFeature(grid as Feature<Geometry>);
      }
    };
    if (theirs) add(read(theirs), "theirs");
    if (yours) add(read(yours), "yours");
    if (codes && (theirs || yours)) this.stage.show(codes);
    if (step === "rebase" && operation) this.offerToSkip(operation.seq, message);
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

// What the modes of the map share: the page around them.
import type { Bounds, Catalogue } from "../common/contract";
import type { Chart } from "./chart";
import type { Details } from "./details";
import type { State } from "./state";

export interface Around {
  catalogue: Catalogue;
  state: State;
  chart: Chart;
  details: Details;
  /** Fit bounds into the part of the map that is seen, no nearer than a zoom. */
  zoomTo: (bounds: Bounds, maxZoom?: number) => void;
  /** An answer opens: on a small screen the panel gives way to it. */
  makeRoom: () => void;
  /** Draw the layers that the mode leaves visible. */
  showLayers: () => void;
}

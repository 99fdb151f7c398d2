// What the faces of the coverage mode share.
import type { Around } from "../around";
import type { Drawing } from "./drawing";
import type { Shown } from "./question";
import type { Plans } from "./plans";

/** What can be taken away from the card. */
export type Saving = "link" | "geojson" | "table";

export interface Desk {
  readonly shown: Shown;
  readonly around: Around;
  readonly drawing: Drawing;
  readonly plans: Plans;
  /** Whether who is signed in may save cameras. */
  readonly editable: boolean;
  /** Whether who is signed in may keep plans. */
  readonly keeping: boolean;
  /** Show something else; the address follows. */
  change(part: Partial<Shown>): void;
  /** Keep it in the address alone: what is shown has it already. */
  note(part: Partial<Shown>): void;
  /** Tell those who do not see the card. */
  say(sentence: string): void;
  /** Fit an extent of the map's metres into what is seen of the map. */
  fit(extent: number[] | null, maxZoom?: number): void;
  /** Take a camera in hand, and show where it is. */
  take(code: string): void;
  /** Fit the surroundings of a place into what is seen of the map. */
  near(lon: number, lat: number): void;
}

/** One tab of the card. */
export interface Face {
  readonly root: HTMLElement;
  readonly savings: readonly Saving[];
  /** Show what the desk's question asks for. */
  open(): void;
  /** Take away what was drawn. */
  leave(): void;
  /** Cameras have changed since. */
  stale(): void;
  save(what: Saving): void;
}

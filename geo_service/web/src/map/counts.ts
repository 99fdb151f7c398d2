// How many features each layer has in the time window, in all and by code.
import { address, read } from "../common/api";
import type { Counts, LayerEntry } from "../common/contract";
import { toastProblem } from "./toast";

export class LayerCounts {
  private readonly counts = new Map<string, Counts>();
  /** Which request each layer's counts come from: answers may overtake each other. */
  private readonly turns = new Map<string, number>();
  private turn = 0;
  private datetime: string | null = null;

  constructor(
    private readonly layers: LayerEntry[],
    private readonly changed: () => void,
  ) {}

  /** The count to show: within the window for layers with times, else of the whole layer. */
  total(layer: LayerEntry): number {
    return this.counts.get(layer.id)?.total ?? layer.count;
  }

  /** The count of one code, null while it is not known. */
  of(layer: LayerEntry, code: string): number | null {
    const by = layer.style.by;
    const counts = by ? this.counts.get(layer.id)?.by[by] : undefined;
    return counts ? (counts[code] ?? 0) : null;
  }

  setTime(datetime: string | null): Promise<void> {
    this.datetime = datetime;
    return this.refresh(this.layers.filter((layer) => layer.time).map((layer) => layer.id));
  }

  /** Ask again for these layers, or for every layer that has something to count. */
  async refresh(ids = this.layers.filter((layer) => layer.time || layer.style.by).map((layer) => layer.id)): Promise<void> {
    const wanted = this.layers.filter((layer) => ids.includes(layer.id));
    const datetime = this.datetime;
    const turn = ++this.turn;
    try {
      const answers = await Promise.all(
        wanted.map((layer) => read<Counts>(address("/api/counts", { layer: layer.id, datetime: layer.time ? datetime : null }))),
      );
      // An answer for a window that has been left meanwhile is worth nothing.
      if (datetime !== this.datetime) return;
      for (const counts of answers) {
        if (turn < (this.turns.get(counts.layer) ?? 0)) continue;
        this.turns.set(counts.layer, turn);
        this.counts.set(counts.layer, counts);
      }
      this.changed();
    } catch (error) {
      toastProblem(error);
    }
  }
}

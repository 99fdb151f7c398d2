// What-if sets: kept by the service, one of them in hand.
import { toastProblem } from "../toast";
import type { Optics, WhatIfSet } from "./contract";
import { service } from "./service";
import { words } from "./words";

export class Plans {
  all: WhatIfSet[] = [];
  private loaded: Promise<void> | null = null;

  /** `changed` hears whenever the sets are others than before. */
  constructor(private readonly changed: () => void) {}

  /** Read them from the service, once. */
  load(): Promise<void> {
    this.loaded ??= service
      .sets()
      .then((found) => {
        this.all = found;
        this.changed();
      })
      .catch((error: unknown) => {
        this.loaded = null;
        toastProblem(error);
      });
    return this.loaded;
  }

  byId(id: string | null): WhatIfSet | null {
    return this.all.find((set) => set.id === id) ?? null;
  }

  async add(name: string): Promise<WhatIfSet> {
    await this.load();
    const set = await service.addSet({ name: name || this.freeName(), cameras: [], moved: {}, removed: [] });
    this.all = [...this.all, set];
    this.changed();
    return set;
  }

  /** The set in hand, or a new one where there is none. */
  async inHand(id: string | null): Promise<WhatIfSet> {
    await this.load();
    return this.byId(id) ?? (await this.add(""));
  }

  async put(set: WhatIfSet): Promise<WhatIfSet> {
    const kept = await service.putSet(set);
    this.all = this.all.map((entry) => (entry.id === kept.id ? kept : entry));
    this.changed();
    return kept;
  }

  addCameras(set: WhatIfSet, cameras: Partial<Optics>[]): Promise<WhatIfSet> {
    return this.put({ ...set, cameras: [...set.cameras, ...cameras] });
  }

  move(set: WhatIfSet, code: string, to: Partial<Optics>): Promise<WhatIfSet> {
    return this.put({ ...set, moved: { ...set.moved, [code]: { ...set.moved[code], ...to } }, removed: set.removed.filter((entry) => entry !== code) });
  }

  remove(set: WhatIfSet, code: string): Promise<WhatIfSet> {
    const { [code]: _, ...moved } = set.moved;
    return this.put({ ...set, moved, removed: [...new Set([...set.removed, code])] });
  }

  async drop(set: WhatIfSet): Promise<void> {
    await service.dropSet(set.id);
    this.all = this.all.filter((entry) => entry.id !== set.id);
    this.changed();
  }

  private freeName(): string {
    const names = new Set(this.all.map((set) => set.name));
    let n = 1;
    while (names.has(words("defaultSet", { n }))) n += 1;
    return words("defaultSet", { n });
  }
}

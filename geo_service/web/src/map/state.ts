// What the map shows: visible layers, the time window, the selected feature and the analysis. The address keeps it.
import type { LayerEntry } from "../common/contract";
import { readWindow, type TimeWindow, windowText } from "../common/times";

export interface Selection {
  layer: string;
  id: number;
}

export interface View {
  zoom: number;
  lon: number;
  lat: number;
}

export type Aspect = "layers" | "window" | "selection" | "view" | "analysis" | "cover";

const DEFAULT_WINDOW: TimeWindow = { preset: "month" };

export class State {
  visible: Set<string>;
  window: TimeWindow = DEFAULT_WINDOW;
  selection: Selection | null = null;
  view: View | null = null;
  /** What the hot-spot mode shows, in its own words; null while the mode is off. */
  analysis: string | null = null;
  /** What the coverage mode shows, in its own words; null while the mode is off. One mode is on at a time. */
  cover: string | null = null;
  private readonly listeners: [Aspect, () => void][] = [];

  constructor(private readonly layers: LayerEntry[]) {
    this.visible = new Set(layers.filter((layer) => layer.style.visible).map((layer) => layer.id));
    this.read();
  }

  on(aspect: Aspect, listener: () => void): void {
    this.listeners.push([aspect, listener]);
  }

  setVisible(layer: string, visible: boolean): void {
    if (visible) this.visible.add(layer);
    else this.visible.delete(layer);
    this.changed("layers");
  }

  setWindow(window: TimeWindow): void {
    this.window = window;
    this.changed("window");
  }

  select(selection: Selection | null): void {
    this.selection = selection;
    this.changed("selection");
  }

  setView(view: View): void {
    this.view = view;
    this.changed("view");
  }

  setAnalysis(analysis: string | null): void {
    this.analysis = analysis;
    if (analysis !== null) this.leave("cover");
    this.changed("analysis");
  }

  setCover(cover: string | null): void {
    this.cover = cover;
    if (cover !== null) this.leave("analysis");
    this.changed("cover");
  }

  private leave(mode: "analysis" | "cover"): void {
    if (this[mode] === null) return;
    this[mode] = null;
    this.tell(mode);
  }

  /** Take over what the address says, as after a pasted link or the back button. */
  follow(): void {
    this.read();
    for (const aspect of ["layers", "window", "selection", "view", "analysis", "cover"] as const) this.tell(aspect);
  }

  private read(): void {
    const hash = new URLSearchParams(location.hash.slice(1));
    const [zoom = NaN, lon = NaN, lat = NaN] = (hash.get("map") ?? "").split("/").map(parseFloat);
    if ([zoom, lon, lat].every(Number.isFinite)) this.view = { zoom, lon, lat };
    const layers = hash.get("layers");
    if (layers !== null) {
      const asked = new Set(layers.split(","));
      this.visible = new Set(this.layers.map((layer) => layer.id).filter((id) => asked.has(id)));
    }
    this.window = readWindow(hash.get("time") ?? "") ?? DEFAULT_WINDOW;
    this.analysis = hash.get("hot");
    this.cover = this.analysis === null ? hash.get("cover") : null;
    const [layer, id] = (hash.get("feature") ?? "").split("/");
    const known = this.layers.some((entry) => entry.id === layer);
    this.selection = known && layer && id && /^\d+$/.test(id) ? { layer, id: Number(id) } : null;
  }

  private changed(aspect: Aspect): void {
    this.write();
    this.tell(aspect);
  }

  private tell(aspect: Aspect): void {
    for (const [wanted, listener] of this.listeners) if (wanted === aspect) listener();
  }

  private write(): void {
    const parts: string[] = [];
    if (this.view) {
      const { zoom, lon, lat } = this.view;
      parts.push(`map=${zoom.toFixed(2)}/${lon.toFixed(5)}/${lat.toFixed(5)}`);
    }
    const shown = this.layers.map((layer) => layer.id).filter((id) => this.visible.has(id));
    parts.push(`layers=${shown.join(",")}`, `time=${windowText(this.window)}`);
    if (this.selection) parts.push(`feature=${this.selection.layer}/${this.selection.id}`);
    if (this.analysis !== null) parts.push(`hot=${this.analysis.replace(/[^\w;=,./-]/gu, encodeURIComponent)}`);
    if (this.cover !== null) parts.push(`cover=${this.cover.replace(/[^\w;=,./-]/gu, encodeURIComponent)}`);
    history.replaceState(history.state, "", `#${parts.join("&")}`);
  }
}

// The details card: what lies at a click or behind a search result, with every field.
import GeoJSON from "ol/format/GeoJSON";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import type Feature from "ol/Feature";

import { Problem, read } from "../common/api";
import type { FeatureDocument, Field, LayerEntry } from "../common/contract";
import { button, byId, element, icon } from "../common/dom";
import { codeOf, colouringField, coordinateText, fieldValue } from "../common/format";
import { pick, say } from "../common/language";
import { LINK } from "./icons";
import type { Selection, State } from "./state";
import { swatch } from "./swatch";
import { toast, toastProblem } from "./toast";

const TARGET = "M10 2.5v3m0 9v3M2.5 10h3m9 0h3M10 6.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7z";

/** One thing that the card can open. */
export interface Subject {
  layer: LayerEntry;
  id: number;
  code: string;
  label: string | null;
}

const HIGHLIGHT = [
  new Style({
    stroke: new Stroke({ color: "rgba(255,255,255,0.9)", width: 6 }),
    image: new CircleStyle({ radius: 13, stroke: new Stroke({ color: "rgba(255,255,255,0.9)", width: 5 }) }),
  }),
  new Style({
    stroke: new Stroke({ color: "#1f6feb", width: 2.6 }),
    fill: new Fill({ color: "rgba(31,111,235,0.07)" }),
    image: new CircleStyle({ radius: 13, stroke: new Stroke({ color: "#1f6feb", width: 2.4 }) }),
  }),
];

export class Details {
  readonly layer: VectorLayer<VectorSource>;
  private readonly root = byId("details");
  private readonly source = new VectorSource();
  private subjects: Subject[] = [];
  private asked: AbortController | null = null;

  constructor(
    private readonly layers: LayerEntry[],
    private readonly state: State,
    private readonly zoomTo: (extent: number[]) => void,
  ) {
    this.layer = new VectorLayer({ source: this.source, style: HIGHLIGHT, zIndex: 900 });
    this.root.setAttribute("aria-label", say("details"));
    this.root.setAttribute("role", "region");
    state.on("selection", () => void this.follow());
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.root.hidden) this.close();
    });
  }

  /** Open the card on the first of these; the others can be chosen in it. */
  open(subjects: Subject[]): void {
    this.subjects = subjects;
    const first = subjects[0];
    this.state.select(first ? { layer: first.layer.id, id: first.id } : null);
  }

  close(): void {
    this.subjects = [];
    this.state.select(null);
  }

  /** Read the selected feature again if it is this one. */
  refresh(selection: Selection): void {
    const { selection: shown } = this.state;
    if (shown?.layer === selection.layer && shown.id === selection.id) void this.follow();
  }

  async follow(): Promise<void> {
    this.asked?.abort();
    const { selection } = this.state;
    if (!selection) {
      this.source.clear();
      this.root.hidden = true;
      return;
    }
    const layer = this.layers.find((entry) => entry.id === selection.layer);
    if (!layer) return;
    const asked = new AbortController();
    this.asked = asked;
    try {
      const path = `/ogc/collections/${layer.id}/items/${selection.id}`;
      this.show(layer, await read<FeatureDocument>(path, asked.signal));
    } catch (error) {
      if (error instanceof Problem && error.status === 404) {
        toast(say("gone"));
        this.close();
      } else toastProblem(error);
    }
  }

  private show(layer: LayerEntry, document: FeatureDocument): void {
    const features = document.geometry
      ? (new GeoJSON().readFeatures(document, { featureProjection: "EPSG:3857" }) as Feature[])
      : [];
    this.source.clear();
    this.source.addFeatures(features);
    const { properties } = document;
    const close = button(say("closeDetails"), "details-close", "×");
    close.addEventListener("click", () => this.close());
    this.root.replaceChildren(
      element("header", { class: "details-head" }, ...this.heading(layer, properties), close),
      this.others(layer, document.id),
      this.fields(layer, document),
      this.actions(features),
    );
    this.root.hidden = false;
  }

  private heading(layer: LayerEntry, properties: Record<string, unknown>): HTMLElement[] {
    const field = colouringField(layer);
    const code = codeOf(field, field && properties[field.name]);
    const name = (layer.label && properties[layer.label]) || properties.code;
    const title = element(
      "div",
      { class: "details-title" },
      element("small", {}, pick(layer.title)),
      element("h2", {}, String(name ?? "")),
    );
    const made: HTMLElement[] = [swatch(layer, code?.code, code?.color ?? layer.style.color), title];
    if (code) {
      const chip = element("span", { class: "chip" }, pick(code));
      chip.style.setProperty("--chip", code.color ?? layer.style.color);
      made.push(chip);
    }
    return made;
  }

  private others(layer: LayerEntry, id: number): HTMLElement {
    const list = element("ul", { class: "hits" });
    if (this.subjects.length < 2) return element("div", { hidden: true });
    for (const subject of this.subjects) {
      const current = subject.layer.id === layer.id && subject.id === id;
      const choose = element(
        "button",
        { type: "button", "aria-current": current ? "true" : null },
        swatch(subject.layer),
        element("span", {}, subject.label ?? subject.code),
        element("small", {}, pick(subject.layer.title)),
      );
      choose.addEventListener("click", () => this.state.select({ layer: subject.layer.id, id: subject.id }));
      list.append(element("li", {}, choose));
    }
    const count = element("p", { class: "note" }, say("hits", { n: this.subjects.length }));
    return element("div", { class: "others" }, count, list);
  }

  private fields(layer: LayerEntry, { geometry, properties }: FeatureDocument): HTMLElement {
    const list = element("dl", { class: "fields" });
    const add = (name: string, title: string, value: string, derived: boolean): void => {
      const empty = value === say("none");
      const row = element("div", { class: [derived ? "derived" : "", empty ? "empty" : ""].join(" "), "data-field": name });
      row.append(element("dt", {}, title), element("dd", {}, value));
      list.append(row);
    };
    const ordered = [...layer.fields].sort((a: Field, b: Field) => Number(a.derived) - Number(b.derived));
    for (const field of ordered) add(field.name, pick(field.title), fieldValue(field, properties[field.name]), field.derived);
    const extra = properties.attributes;
    if (extra && typeof extra === "object") {
      for (const [name, value] of Object.entries(extra)) add(name, name, String(value ?? say("none")), false);
    }
    if (geometry?.type === "Point") {
      const [lon, lat] = geometry.coordinates as [number, number];
      add("geometry", say("coordinates"), coordinateText(lon, lat), true);
    }
    return list;
  }

  private actions(features: Feature[]): HTMLElement {
    const bar = element("footer", { class: "details-actions" });
    const extent = features[0]?.getGeometry()?.getExtent();
    if (extent) {
      const zoom = element("button", { type: "button" }, icon(TARGET), say("zoomTo"));
      zoom.addEventListener("click", () => this.zoomTo(extent));
      bar.append(zoom);
    }
    const copy = element("button", { type: "button" }, icon(LINK), say("copyLink"));
    copy.addEventListener("click", () => void copyLink());
    bar.append(copy);
    return bar;
  }
}

/** The clipboard is for secure pages only, and an intranet may serve plain HTTP. */
export async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
  } catch {
    const field = element("textarea", { class: "unseen" });
    field.value = location.href;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast(say("linkCopied"));
}

// The events of one cell: the list, and their places on the map.
import GeoJSON from "ol/format/GeoJSON";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import CircleStyle from "ol/style/Circle";
import Fill from "ol/style/Fill";
import Stroke from "ol/style/Stroke";
import Style from "ol/style/Style";
import type OlFeature from "ol/Feature";
import type Geometry from "ol/geom/Geometry";

import { address, read } from "../../common/api";
import type { FeatureDocument, LayerEntry } from "../../common/contract";
import { element } from "../../common/dom";
import { codeOf, colouringField, count } from "../../common/format";
import { pick, say } from "../../common/language";
import { minuteText } from "../../common/times";
import type { Subject } from "../details";
import { swatch } from "../swatch";
import { intervalOf } from "./question";
import { word } from "./words";

const PAGE = 50;

interface Page {
  numberMatched: number;
  features: FeatureDocument[];
  links: { rel: string; href: string }[];
}

const DOT = new Style({
  image: new CircleStyle({ radius: 4.5, fill: new Fill({ color: "#12263f" }), stroke: new Stroke({ color: "#fff", width: 1.5 }) }),
});

export class EventsList {
  readonly root = element("section", { class: "hs-events", "aria-label": word("events") });
  readonly layer: VectorLayer<VectorSource>;
  private readonly source = new VectorSource<OlFeature<Geometry>>();
  private asked: AbortController | null = null;

  constructor(private readonly open: (subject: Subject) => void) {
    this.layer = new VectorLayer({ source: this.source, style: DOT, zIndex: 780 });
  }

  clear(): void {
    this.asked?.abort();
    this.source.clear();
    this.root.replaceChildren();
  }

  async show(layer: LayerEntry, filter: string, days: { from: string; to: string }, note = ""): Promise<void> {
    this.clear();
    const title = element("span", {}, word("events"));
    const list = element("ul", { class: "card-list" });
    this.root.append(element("h3", {}, title, element("small", {}, note)), list);
    const path = address(`/ogc/collections/${layer.id}/items`, {
      filter,
      "filter-lang": "cql2-text",
      datetime: intervalOf(days.from, days.to),
      sortby: `-${layer.time}`,
      limit: PAGE,
    });
    await this.page(layer, path, title, list);
  }

  private async page(layer: LayerEntry, path: string, title: HTMLElement, list: HTMLElement): Promise<void> {
    const asked = new AbortController();
    this.asked = asked;
    try {
      const { numberMatched, features, links } = await read<Page>(path, asked.signal);
      title.textContent = word("eventsOf", { n: count(numberMatched) });
      list.append(...features.map((feature) => this.event(layer, feature)));
      const shape = new GeoJSON({ featureProjection: "EPSG:3857" });
      this.source.addFeatures(features.filter((feature) => feature.geometry).map((feature) => {
        const made = shape.readFeature({ ...feature, properties: null }) as OlFeature<Geometry>;
        const { code } = feature.properties;
        made.set("subject", { layer, id: feature.id, code: String(code), label: null } satisfies Subject);
        return made;
      }));
      if (numberMatched === 0) this.root.append(element("p", { class: "note" }, word("noEvents")));
      const next = links.find((link) => link.rel === "next");
      const left = numberMatched - list.childElementCount;
      if (next && left > 0) this.offer(left, () => {
        const url = new URL(next.href);
        return this.page(layer, url.pathname + url.search, title, list);
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return;
      const sentence = element("p", { class: "problem", role: "alert" }, error instanceof Error ? error.message : String(error));
      const again = element("button", { type: "button", class: "link" }, say("retry"));
      again.addEventListener("click", () => {
        sentence.remove();
        void this.page(layer, path, title, list);
      });
      sentence.append(" ", again);
      this.root.append(sentence);
    }
  }

  private offer(left: number, next: () => Promise<void>): void {
    const more = element("button", { type: "button", class: "link" }, word("moreEvents", { n: Math.min(left, PAGE) }));
    more.addEventListener("click", () => {
      more.remove();
      void next();
    });
    this.root.append(more);
  }

  private event(layer: LayerEntry, { id, properties }: FeatureDocument): HTMLElement {
    const category = codeOf(layer.fields.find((field) => field.name === "category"), properties.category);
    const colour = colouringField(layer);
    const status = codeOf(colour, colour && properties[colour.name]);
    const code = String(properties.code ?? id);
    const when = layer.time ? minuteText(String(properties[layer.time] ?? "")) : "";
    const made = element(
      "button",
      { type: "button", "data-event": id },
      swatch(layer, status?.code, status?.color ?? layer.style.color),
      element("b", {}, [category ? pick(category) : code, status ? pick(status) : ""].filter(Boolean).join(" · ")),
      element("small", {}, `${when}　${code}`),
    );
    made.addEventListener("click", () => this.open({ layer, id, code, label: null }));
    return element("li", {}, made);
  }
}

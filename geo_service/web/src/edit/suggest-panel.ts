// 建议: ways to divide that the service works out, with their figures; one that is taken is done step by step.
import type Feature from "ol/Feature";
import type Geometry from "ol/geom/Geometry";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";

import { element } from "../common/dom";
import { count } from "../common/format";
import { pick } from "../common/language";
import type { Suggestion } from "./contract";
import { codeOf, read } from "./grids";
import { proposedLook } from "./looks";
import type { Selection } from "./selection";
import type { Session } from "./session";
import * as service from "./service";
import type { Stage } from "./stage";
import { tell } from "./words";

export class SuggestPanel {
  readonly root = element("div", { class: "suggest-panel" });
  private readonly ask = element("div", { class: "suggest-ask" });
  private readonly found = element("div", { class: "suggestions" });
  private readonly source = new VectorSource<Feature<Geometry>>({ wrapX: false });
  private asked = 0;

  constructor(
    private readonly session: Session,
    private readonly selection: Selection,
    private readonly stage: Stage,
    private readonly titled: (code: string) => string,
    private readonly failed: (error: unknown) => void,
  ) {
    this.root.append(element("p", { class: "note" }, tell("suggestAbout")), this.ask, this.found);
    stage.map.addLayer(
      new VectorLayer({
        source: this.source,
        zIndex: 560,
        style: (feature) => {
          const households = feature.get("proposed") as number | undefined;
          return proposedLook(households === undefined ? "" : tell("households", { n: count(households) }));
        },
      }),
    );
    selection.on(() => this.show());
    session.on("draft", () => this.show());
    session.on("grids", () => this.clear());
    this.show();
  }

  /** What is proposed is of the grids as they were: when they change it goes. */
  private clear(): void {
    this.asked += 1;
    this.found.replaceChildren();
    this.hide();
  }

  /** Show the grids as they are again. */
  hide(): void {
    for (const card of this.found.children) card.classList.remove("shown");
    if (this.source.isEmpty()) return;
    this.source.clear();
    this.stage.hide([]);
    this.stage.hideVertices(false);
  }

  private show(): void {
    const codes = this.selection.codes.filter((code) => this.session.grids.editable(code));
    const [code] = codes;
    if (code === undefined || !this.session.editable) {
      this.ask.replaceChildren(element("p", {}, this.session.editable ? tell("suggestChoose") : this.session.whyNot()));
      return;
    }
    if (codes.length === 1) {
      const parts = element("select", { "aria-label": tell("suggestParts") });
      for (const number of [2, 3, 4]) parts.append(element("option", { value: number }, String(number)));
      const go = element("button", { type: "button", class: "primary" }, tell("suggestAsk"));
      go.addEventListener("click", () => void this.request({ kind: "split", code, parts: Number(parts.value) }));
      this.ask.replaceChildren(element("p", { class: "row" }, tell("suggestSplit", { code: this.titled(code) }), parts, tell("suggestParts"), go));
    } else {
      const go = element("button", { type: "button", class: "primary" }, tell("suggestRebalance", { n: codes.length }));
      go.addEventListener("click", () => void this.request({ kind: "rebalance", codes }));
      this.ask.replaceChildren(element("p", { class: "row" }, go));
    }
  }

  private async request(question: service.Question): Promise<void> {
    this.clear();
    const asked = this.asked;
    this.found.replaceChildren(element("p", { class: "note", role: "status" }, tell("suggestWait")));
    try {
      const suggestions = await service.suggestions(this.session.draft.id, question);
      if (asked !== this.asked) return;
      const cards = suggestions.map((suggestion, i) => this.card(suggestion, i + 1));
      this.found.replaceChildren(...(cards.length ? cards : [element("p", { class: "note" }, tell("suggestNone"))]));
      if (suggestions[0]) this.present(suggestions[0], cards[0]);
    } catch (error) {
      if (asked === this.asked) this.found.replaceChildren();
      this.failed(error);
    }
  }

  private card(suggestion: Suggestion, number: number): HTMLElement {
    const rows = suggestion.figures.grids.map((row) =>
      element(
        "tr",
        { "data-state": row.state },
        element("th", { scope: "row" }, this.titled(row.code)),
        element("td", {}, element("b", {}, tell("households", { n: count(row.households) }))),
        element("td", {}, tell(row.state)),
        element("td", {}, `${tell("polsbyPopper")} ${row.polsby_popper.toFixed(2)}`),
      ),
    );
    const look = element("button", { type: "button" }, tell("suggestShow"));
    const take = element("button", { type: "button", class: "primary" }, tell("suggestTake"));
    const card = element(
      "section",
      { class: "suggestion", "aria-label": tell("suggestion", { n: number }) },
      element("h3", {}, tell("suggestion", { n: number })),
      element("p", {}, pick(suggestion.summary)),
      element("table", {}, element("tbody", {}, ...rows)),
      element("div", { class: "row" }, look, take),
    );
    look.addEventListener("click", () => this.present(suggestion, card));
    take.addEventListener("click", () => {
      take.disabled = true; // its operations fit once
      void this.take(suggestion);
    });
    return card;
  }

  private present(suggestion: Suggestion, card: HTMLElement | undefined): void {
    for (const other of this.found.children) other.classList.toggle("shown", other === card);
    this.source.clear(true);
    const rows = new Map(suggestion.figures.grids.map((row) => [row.code, row]));
    // Neighbours only get vertices where the new line meets them: they are not shown.
    const features = read(suggestion.after).filter((grid) => rows.has(codeOf(grid)));
    for (const feature of features) feature.set("proposed", rows.get(codeOf(feature))?.households);
    this.source.addFeatures(features as Feature<Geometry>[]);
    this.stage.hide([...rows.keys()]);
    this.stage.hideVertices(true);
    this.stage.show(this.selection.codes);
  }

  private async take(suggestion: Suggestion): Promise<void> {
    if (!(await this.session.doAll(suggestion.operations))) return;
    this.selection.set(suggestion.figures.grids.map(({ code }) => code).filter((code) => this.session.grids.get(code)));
  }
}

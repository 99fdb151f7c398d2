// The layer switch: one row for each layer, its count in the time window, and its legend.
import type { LayerEntry } from "../common/contract";
import { element, icon } from "../common/dom";
import { colouringField, count } from "../common/format";
import { pick, say } from "../common/language";
import type { LayerCounts } from "./counts";
import type { State } from "./state";
import { swatch } from "./swatch";

const CHEVRON = "m6 8 4 4 4-4";

interface Row {
  layer: LayerEntry;
  box: HTMLInputElement;
  total: HTMLElement;
  hint: HTMLElement;
  codes: { code: string; cell: HTMLElement; row: HTMLElement }[];
}

export class LayerSwitch {
  readonly root = element("section", { class: "block layers", "aria-label": say("layers") });
  private readonly rows: Row[] = [];

  constructor(
    layers: LayerEntry[],
    private readonly state: State,
  ) {
    const list = element("ul", { class: "layer-list" });
    // The topmost layer comes first, as it does on the map.
    for (const layer of [...layers].reverse()) list.append(this.row(layer));
    this.root.append(element("h2", {}, say("layers")), list);
    if (layers.some((layer) => layer.aggregate_below !== null)) {
      this.root.append(element("p", { class: "note" }, say("grouped")));
    }
    state.on("layers", () => this.follow());
    this.follow();
  }

  private row(layer: LayerEntry): HTMLElement {
    const title = pick(layer.title);
    const box = element("input", { type: "checkbox", "aria-label": say("showLayer", { layer: title }) });
    box.addEventListener("change", () => this.state.setVisible(layer.id, box.checked));
    const total = element("span", { class: "count", "data-count": layer.id }, count(layer.count));
    const hint = element("span", { class: "hint", hidden: true }, say("zoomIn"));
    const head = element(
      "label",
      { class: "layer-head", title: pick(layer.description) },
      box,
      swatch(layer),
      element("span", { class: "layer-title" }, title, hint),
      total,
    );
    const item = element("li", { class: "layer", "data-layer": layer.id }, head);
    const row: Row = { layer, box, total, hint, codes: [] };
    this.rows.push(row);
    const field = colouringField(layer);
    if (field?.codes) item.append(...this.legend(layer, row));
    return item;
  }

  private legend(layer: LayerEntry, row: Row): HTMLElement[] {
    const id = `legend-${layer.id}`;
    const title = pick(layer.title);
    const list = element("ul", { class: "legend", id, "aria-label": say("legend", { layer: title }) });
    for (const code of colouringField(layer)?.codes ?? []) {
      const cell = element("span", { class: "count" });
      const line = element(
        "li",
        { "data-code": code.code },
        swatch(layer, code.code, code.color ?? layer.style.color),
        element("span", {}, pick(code)),
        cell,
      );
      row.codes.push({ code: code.code, cell, row: line });
      list.append(line);
    }
    const open = layer.time !== null && layer.count > 0;
    const toggle = element("button", {
      type: "button",
      class: "legend-toggle",
      "aria-expanded": open ? "true" : "false",
      "aria-controls": id,
      "aria-label": say("legend", { layer: title }),
      title: say("legendOpen"),
    });
    toggle.append(icon(CHEVRON));
    list.hidden = !open;
    toggle.addEventListener("click", () => {
      list.hidden = !list.hidden;
      toggle.setAttribute("aria-expanded", String(!list.hidden));
    });
    return [toggle, list];
  }

  private follow(): void {
    for (const { layer, box } of this.rows) box.checked = this.state.visible.has(layer.id);
  }

  showCounts(counts: LayerCounts): void {
    for (const { layer, total, codes } of this.rows) {
      total.textContent = count(counts.total(layer));
      for (const { code, cell, row } of codes) {
        const share = counts.of(layer, code);
        cell.textContent = share === null ? "" : count(share);
        row.classList.toggle("empty", share === 0);
      }
    }
  }

  /** Say which layers need a closer look than this zoom of tiles. */
  showZoom(tileZoom: number): void {
    for (const { layer, hint } of this.rows) hint.hidden = tileZoom >= layer.style.min_zoom;
  }
}

// What an import has done, in words, with the way back and the way on.
import type { Catalogue } from "../common/contract";
import { element } from "../common/dom";
import { count } from "../common/format";
import { pick } from "../common/language";
import type { ImportRecord } from "./contract";
import { plainly } from "./plain-words";
import { undoButton } from "./undo";
import { tell } from "./words";

/** The officer's map with the layer shown, for all time: what was loaded may be years old. */
function mapAddress(catalogue: Catalogue, layer: string | null): string {
  const shown = catalogue.layers.filter((entry) => entry.style.visible || entry.id === layer).map((entry) => entry.id);
  return `/#layers=${shown.join(",")}&time=all`;
}

export function resultCard(
  catalogue: Catalogue,
  imported: ImportRecord,
  changed: (now: ImportRecord) => void,
  another: () => void,
): HTMLElement {
  const { report, file } = imported;
  const undone = imported.state === "undone";
  const layer = catalogue.layers.find((entry) => entry.id === imported.layer);
  const title = element("h2", { tabindex: "-1", id: "result-title" }, tell(undone ? "resultUndone" : "resultTitle"));
  const card = element("section", { class: "result", "aria-labelledby": title.id, "data-state": imported.state }, title);
  if (undone) card.append(element("p", { class: "result-words" }, tell("resultWasUndone", { file })));
  else if (report) {
    const values = { file, layer: layer ? pick(layer.title) : "", inserted: count(report.inserted), updated: count(report.updated), unchanged: count(report.unchanged) };
    card.append(element("p", { class: "result-words" }, tell("result", values)));
    const more: string[] = [];
    if (report.skipped) more.push(tell("resultSkipped", { n: count(report.skipped) }));
    if (report.codes_made) more.push(tell("resultCodes", { n: count(report.codes_made) }));
    if (report.masked) more.push(tell("resultMasked", { n: count(report.masked) }));
    more.push(...[...report.notes, ...(report.repaired ?? []), ...(report.near ?? [])].map(plainly));
    more.push(...report.dropped.map((item) => tell("resultDropped", { column: item.column, reason: pick(item), cells: count(item.cells) })));
    if (report.seconds !== undefined) more.push(tell("resultSeconds", { n: report.seconds.toFixed(1) }));
    card.append(element("ul", { class: "notes" }, ...more.map((note) => element("li", {}, note))));
  }
  const next = element("button", { type: "button", class: undone ? "primary" : null }, tell("importAnother"));
  next.addEventListener("click", another);
  const actions = element("div", { class: "result-actions" });
  actions.append(element("a", { class: undone ? "button" : "button primary", href: mapAddress(catalogue, imported.layer) }, tell("showOnMap")), next);
  if (imported.undoable) actions.append(undoButton(imported, tell("undo"), changed));
  card.append(actions);
  return card;
}

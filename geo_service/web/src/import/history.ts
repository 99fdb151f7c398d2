// What was imported so far: a table, newest first.
import type { LayerEntry } from "../common/contract";
import { element } from "../common/dom";
import { count } from "../common/format";
import { pick } from "../common/language";
import { minuteText } from "../common/times";
import { confirm } from "./confirm";
import type { ImportRecord, ImportState } from "./contract";
import { dropDraft } from "./draft";
import { announce, clearNotice, failure } from "./notice";
import { forget, history } from "./service";
import { undoButton } from "./undo";
import { tell, type Word } from "./words";

const LIMIT = 50;

const STATES: Record<ImportState, Word> = {
  ready: "ready",
  queued: "queued",
  running: "running",
  checked: "checked",
  loaded: "loaded",
  refused: "refused",
  interrupted: "interrupted",
  undone: "undoneState",
};

export function outcome({ report, state }: ImportRecord): string {
  if (!report) return "";
  if (state === "ready") return "";
  if (!report.ok) return report.bad_rows ? tell("outcomeBad", { bad: count(report.bad_rows) }) : "";
  const { inserted, updated, unchanged, skipped = 0 } = report;
  const words = tell("outcome", { inserted: count(inserted), updated: count(updated), unchanged: count(unchanged) });
  return skipped ? words + tell("outcomeSkipped", { skipped: count(skipped) }) : words;
}

export class History {
  readonly root: HTMLElement;
  private readonly body = element("tbody");
  private readonly empty = element("p", { class: "note", hidden: true }, tell("historyEmpty"));
  private readonly table: HTMLElement;

  constructor(
    private readonly layers: LayerEntry[],
    private readonly opened: (id: string) => void,
    private readonly undone: (now: ImportRecord) => void = () => undefined,
  ) {
    const head = (["historyFile", "historyLayer", "historyState", "historyCounts", "historyWhen", "historyWho", "historyActions"] as const).map(
      (word) => element("th", { scope: "col" }, tell(word)),
    );
    this.table = element("table", { class: "history-table", "aria-labelledby": "history-title" }, element("thead", {}, element("tr", {}, ...head)), this.body);
    const box = element("div", { class: "history-box" }, this.table);
    this.root = element(
      "section",
      { class: "history", "aria-labelledby": "history-title" },
      element("h2", { id: "history-title", tabindex: "-1" }, tell("history")),
      box,
      this.empty,
    );
  }

  async refresh(): Promise<void> {
    try {
      const { imports } = await history(LIMIT);
      this.body.replaceChildren(...imports.map((item) => this.row(item)));
      this.empty.hidden = imports.length > 0;
      this.table.hidden = imports.length === 0;
    } catch (error) {
      failure(error, () => void this.refresh());
    }
  }

  private row(item: ImportRecord): HTMLElement {
    const layer = this.layers.find((entry) => entry.id === item.layer);
    // Before anything was checked the layer is only a guess.
    const title = layer && item.state !== "ready" ? pick(layer.title) : "—";
    return element(
      "tr",
      { "data-id": item.id, "data-state": item.state },
      element("th", { scope: "row", title: item.file }, item.file),
      element("td", {}, title),
      element("td", {}, element("span", { class: "state", "data-state": item.state }, tell(STATES[item.state]))),
      element("td", {}, outcome(item)),
      element("td", { class: "when" }, minuteText(item.finished_at ?? item.created_at)),
      element("td", {}, item.account),
      element("td", {}, element("div", { class: "history-actions" }, ...this.actions(item))),
    );
  }

  private actions(item: ImportRecord): HTMLElement[] {
    const { file, id } = item;
    const actions: HTMLElement[] = [];
    const unfinished = item.state !== "loaded" && item.state !== "undone";
    if (unfinished) {
      const go = element("a", { href: `/import?id=${encodeURIComponent(id)}`, "aria-label": tell("goOnWith", { file }) }, tell("goOn"));
      go.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return; // into a tab of its own
        event.preventDefault();
        this.opened(id);
      });
      actions.push(go);
    }
    if (unfinished && item.state !== "queued" && item.state !== "running") {
      const drop = element("button", { type: "button", "aria-label": tell("forgetFile", { file }) }, tell("forget"));
      drop.addEventListener("click", () => {
        confirm(drop, tell("forgetAsk", { file }), tell("yes"), tell("no"), () => void this.forget(item));
      });
      actions.push(drop);
    }
    if (item.undoable) {
      actions.push(
        undoButton(item, tell("undoShort"), (now) => {
          void this.refresh().then(() => this.focus());
          this.undone(now);
        }),
      );
    }
    return actions;
  }

  private focus(): void {
    this.root.querySelector<HTMLElement>("h2")?.focus();
  }

  private async forget(item: ImportRecord): Promise<void> {
    clearNotice();
    try {
      await forget(item.id);
      dropDraft(item.id);
      announce(tell("forgotten", { file: item.file }));
      await this.refresh();
      this.focus();
    } catch (error) {
      failure(error, () => void this.forget(item));
    }
  }
}

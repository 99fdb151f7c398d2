// The card with the answer: in words, as a list, with its evidence, and one cell at a time.
import { button, element, icon } from "../../common/dom";
import { count } from "../../common/format";
import { language, pick } from "../../common/language";
import type { Title } from "../../common/contract";
import type { CellDocument, CellProperties, ComparedCell, EmergingCell, Evidence, HotCell, Ranked } from "./contract";
import { evidenceOf } from "./evidence";
import type { View } from "./question";
import { expectedText, type Look, NONE, pText } from "./scale";
import { word } from "./words";

const BACK = "M12 5l-5 5 5 5";
const LINK = "m8.5 11.5 3-3m-2-2.5L11 4.5a3.2 3.2 0 0 1 4.5 4.5L14 10.5m-3.5 3.5L9 15.5A3.2 3.2 0 0 1 4.5 11L6 9.5";
const IMAGE = "M3 4.5h14v11H3zM3 13l4-4 3.5 3.5L13 10l4 3.5M12.5 7.5h.01";
const PAGE = "M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M8 10h5M8 13h5";
const GRID = "M3 4.5h14v11H3zM3 8.2h14M3 11.8h14M8 4.5v11";
const BRACES = "M7.5 3.5C5 3.5 6.5 9 3.5 10c3 1 1.500 6.500 4 6.500M12.500 3.500c2.500 0 1 5.500 4 6.500-3 1-1.500 6.500-4 6.500";
const FIRST = 25;

export interface Group {
  title: string;
  rows: Ranked[];
}

export type Saving = "link" | "picture" | "page" | "table" | "data";

interface Listener {
  close(): void;
  view(view: View): void;
  cell(id: string | null): void;
  zoom(id: string): void;
  cancel(): void;
  retry(): void;
  save(what: Saving): void;
}

export class Results {
  readonly root = element("section", { class: "hs-results", id: "hot-spots", role: "region", "aria-label": word("result"), hidden: true });
  /** What screen readers are told, whatever the card shows. */
  private readonly status = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
  private readonly title = element("h2", {});
  private readonly subtitle = element("small", {});
  private readonly tabs: { view: View; tab: HTMLButtonElement }[] = [];
  private readonly body = element("div", { class: "hs-body", id: "hs-body", role: "tabpanel", tabindex: 0 });
  private readonly actions = element("footer", { class: "hs-actions" });
  private slow = 0;

  constructor(private readonly listener: Listener) {
    const close = button(word("close"), "details-close", "×");
    close.addEventListener("click", () => listener.close());
    const bar = element("div", { class: "hs-tabs", role: "tablist", "aria-label": word("views") });
    for (const [view, title] of [["hot", "hotView"], ["change", "changeView"], ["compare", "compareView"]] as const) {
      const tab = element("button", { type: "button", role: "tab", id: `hs-tab-${view}`, "aria-controls": "hs-body" }, word(title));
      tab.addEventListener("click", () => listener.view(view));
      this.tabs.push({ view, tab });
      bar.append(tab);
    }
    bar.addEventListener("keydown", (event) => this.arrows(event));
    for (const [what, path, text, title] of [
      ["link", LINK, "copyLink", "copyLink"],
      ["picture", IMAGE, "picture", "pictureTitle"],
      ["page", PAGE, "page", "pageTitle"],
      ["table", GRID, "table", "tableTitle"],
      ["data", BRACES, "data", "dataTitle"],
    ] as const) {
      const made = element("button", { type: "button", title: word(title) }, icon(path), word(text));
      made.addEventListener("click", () => listener.save(what));
      made.dataset.save = what;
      this.actions.append(made);
    }
    this.root.append(
      element("header", { class: "hs-head" }, element("div", {}, this.title, this.subtitle), close),
      bar,
      this.body,
      this.actions,
      this.status,
    );
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.root.querySelector(".hs-back")) return;
      event.stopPropagation();
      listener.cell(null);
    });
  }

  private arrows(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const at = this.tabs.findIndex(({ tab }) => tab === document.activeElement);
    const next = this.tabs[(at + step + this.tabs.length) % this.tabs.length];
    next?.tab.focus();
    if (next) this.listener.view(next.view);
    event.preventDefault();
  }

  private say(sentence: string): void {
    this.status.textContent = sentence;
  }

  heading(title: string, subtitle: string, view: View): void {
    this.title.textContent = title;
    this.subtitle.textContent = subtitle;
    for (const entry of this.tabs) {
      const current = entry.view === view;
      entry.tab.setAttribute("aria-selected", String(current));
      entry.tab.tabIndex = current ? 0 : -1;
      if (current) this.body.setAttribute("aria-labelledby", entry.tab.id);
    }
    this.root.hidden = false;
  }

  private fill(actions: boolean, ...content: (Node | null)[]): void {
    clearTimeout(this.slow);
    this.actions.hidden = !actions;
    this.body.setAttribute("aria-busy", "false");
    this.body.replaceChildren(...content.filter((node): node is Node => node !== null));
  }

  busy(): void {
    const cancel = element("button", { type: "button", class: "hs-second" }, word("cancel"));
    cancel.addEventListener("click", () => this.listener.cancel());
    const text = element("span", {}, word("computing"));
    this.fill(false, element("div", { class: "hs-busy" }, element("i", { class: "hs-spinner", "aria-hidden": "true" }), text, cancel));
    this.body.setAttribute("aria-busy", "true");
    this.say(word("computing"));
    this.slow = window.setTimeout(() => {
      text.textContent = word("slow");
      this.say(word("slow"));
    }, 4_000);
  }

  failed(sentence: string): void {
    const again = element("button", { type: "button", class: "hs-second" }, word("retry"));
    again.addEventListener("click", () => this.listener.retry());
    this.fill(false, element("div", { class: "hs-failed", role: "alert" }, element("p", {}, sentence), again));
  }

  /** The answer in words. `extra` stands between the summary and the list. */
  list(summary: Title, evidence: Evidence, groups: Group[], empty: string, lookOf: (id: string) => Look, extra: Node | null): void {
    const sections = groups.filter((group) => group.rows.length).map((group) => this.section(group, lookOf));
    if (!evidence.enough) sections.length = 0;
    const nothing = sections.length || !evidence.enough || !empty ? null : element("p", { class: "hs-nothing" }, empty);
    this.fill(true, element("p", { class: evidence.enough ? "hs-summary" : "hs-summary hs-little" }, pick(summary)), extra, ...sections, nothing, evidenceOf(evidence));
    this.body.scrollTop = 0;
    this.say(pick(summary));
  }

  private section({ title, rows }: Group, lookOf: (id: string) => Look): HTMLElement {
    const list = element("ol", { class: "hs-list" });
    const made = element("section", {}, element("h3", {}, title, element("small", {}, count(rows.length))), list);
    const add = (from: number, to?: number): void => {
      list.append(...rows.slice(from, to).map((entry) => this.line(entry, lookOf(entry.cell))));
    };
    add(0, FIRST);
    if (rows.length > FIRST) {
      const all = element("button", { type: "button", class: "hs-link" }, word("showAll", { n: rows.length }));
      all.addEventListener("click", () => {
        all.remove();
        add(FIRST);
        list.querySelectorAll("button")[FIRST]?.focus();
      });
      made.append(all);
    }
    return made;
  }

  private line(entry: Ranked, look: Look): HTMLElement {
    const made = element("button", { type: "button", "data-cell": entry.cell }, face(look), ...sentenceParts(entry));
    made.addEventListener("click", () => this.listener.cell(entry.cell));
    return element("li", {}, made);
  }

  /** One cell: its figures, and below them what the map knows of its events. */
  cell(cell: CellDocument<CellProperties>, look: Look, name: string, facts: HTMLElement, events: HTMLElement): void {
    const back = element("button", { type: "button", class: "hs-back" }, icon(BACK), word("back"));
    back.addEventListener("click", () => this.listener.cell(null));
    const zoom = element("button", { type: "button", class: "hs-link" }, word("zoomCell"));
    zoom.addEventListener("click", () => this.listener.zoom(cell.id));
    this.fill(
      true,
      element("div", { class: "hs-bar" }, back, zoom),
      element("div", { class: "hs-cell" }, face(look), element("div", {}, element("h3", {}, name), element("small", {}, look.title))),
      facts,
      events,
    );
    this.body.scrollTop = 0;
    back.focus({ preventScroll: true });
    this.say(`${name}　${look.title}`);
  }

  /** Say that the events have changed since. */
  stale(again: () => void): void {
    if (this.body.querySelector(".hs-stale")) return;
    const run = element("button", { type: "button", class: "hs-link" }, word("rerun"));
    run.addEventListener("click", again);
    this.body.prepend(element("p", { class: "hs-stale" }, word("stale"), " ", run));
    this.say(word("stale"));
  }

  focusCell(id: string): void {
    const found = [...this.body.querySelectorAll<HTMLElement>("[data-cell]")].find((entry) => entry.dataset.cell === id);
    found?.focus({ preventScroll: true });
    found?.scrollIntoView({ block: "center" });
  }
}

function face(look: Look): HTMLElement {
  const made = element("i", { class: "hs-face", "aria-hidden": "true" }, look.mark);
  made.style.background = look.fill;
  made.style.borderColor = look === NONE ? "#c5ccd4" : look.line;
  made.style.color = look.ink;
  return made;
}

/** The sentence with its place in bold: the place is how it begins. */
function sentenceParts({ place, sentence }: Ranked): HTMLElement[] {
  // "p < 0.001" is one word: a line that ends in "p" would read badly.
  const [name, text] = [pick(place), pick(sentence).replace(/p ([<=]) /g, "p\u00a0$1\u00a0")];
  const rest = text.startsWith(name) ? text.slice(name.length).replace(/^[：:]\s*/, "") : text;
  return [element("span", {}, element("b", {}, name), element("span", { class: "unseen" }, language === "zh" ? "：" : ": "), element("span", { class: "hs-rest" }, rest))];
}

function decimals(value: number | null, digits = 1): string {
  return value === null ? "∞" : value.toFixed(digits);
}

/** The figures of a cell, as a small table. */
export function factsOf(view: View, properties: CellProperties, pattern: string): HTMLElement {
  const list = element("dl", { class: "hs-facts" });
  const add = (title: string, text: string): void => list.append(element("div", {}, element("dt", {}, title), element("dd", {}, text)));
  if (view === "hot") {
    const cell = properties as HotCell;
    add(word("count"), count(cell.count));
    add(word("expected"), expectedText(cell.expected));
    add(word("around"), `${count(cell.around)} / ${expectedText(cell.around_expected)}`);
    if (typeof cell.rate === "number") add(word("rate"), decimals(cell.rate));
    add(word("z"), decimals(cell.z, 2));
    add(word("p"), pText(cell.p).replace("p = ", "").replace("p < ", "< "));
  } else if (view === "change") {
    const cell = properties as EmergingCell;
    add(word("count"), count(cell.count));
    add(word("category"), pattern);
    list.append(element("div", { class: "wide-fact" }, element("dt", {}, word("perStep")), element("dd", {}, sparkline(cell.steps))));
  } else {
    const cell = properties as ComparedCell;
    add(word("before"), count(cell.before));
    add(word("after"), count(cell.after));
    add(word("ratio"), decimals(cell.ratio, 2));
    add(word("interval"), `${decimals(cell.low, 2)} – ${decimals(cell.high, 2)}`);
    add(word("p"), pText(cell.p).replace("p = ", "").replace("p < ", "< "));
  }
  return list;
}

function sparkline({ count: counts, kind }: EmergingCell["steps"]): HTMLElement {
  const most = Math.max(1, ...counts);
  const made = element("span", { class: "hs-spark", role: "img", "aria-label": counts.join(" ") });
  counts.forEach((events, at) => {
    const bar = element("i", { class: kind[at] ?? "", title: String(events) });
    bar.style.height = `${Math.max(6, (events / most) * 100)}%`;
    made.append(bar);
  });
  return made;
}

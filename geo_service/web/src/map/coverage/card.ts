// The card at the right: its tabs, what is shown in it, and what can be taken away from it.
import { button, element, icon } from "../../common/dom";
import { VIEWS, type View } from "./question";
import { words } from "./words";

const LINK = "m8.5 11.5 3-3m-2-2.5L11 4.5a3.2 3.2 0 0 1 4.5 4.5L14 10.5m-3.5 3.5L9 15.5A3.2 3.2 0 0 1 4.5 11L6 9.5";
const BRACES = "M7.5 3.5C5 3.5 6.5 9 3.5 10c3 1 1.5 6.5 4 6.5M12.5 3.5c2.5 0 1 5.5 4 6.5-3 1-1.5 6.5-4 6.5";
const GRID = "M3 4.5h14v11H3zM3 8.2h14M3 11.8h14M8 4.5v11";

export type Saving = "link" | "geojson" | "table";

interface Listener {
  close(): void;
  view(view: View): void;
  save(what: Saving): void;
}

export class Card {
  readonly root = element("section", { class: "cv-card", id: "coverage", role: "region", "aria-label": words("card"), hidden: true });
  private readonly status = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
  private readonly tabs: { view: View; tab: HTMLButtonElement }[] = [];
  private readonly body = element("div", { class: "cv-body", id: "cv-body", role: "tabpanel", tabindex: 0 });
  private readonly save: Record<Saving, HTMLButtonElement>;

  constructor(private readonly listener: Listener) {
    const close = button(words("close"), "details-close", "×");
    close.addEventListener("click", () => listener.close());
    const bar = element("div", { class: "hs-tabs cv-tabs", role: "tablist", "aria-label": words("views") });
    for (const view of VIEWS) {
      const tab = element("button", { type: "button", role: "tab", id: `cv-tab-${view}`, "aria-controls": "cv-body" }, words(view));
      tab.addEventListener("click", () => listener.view(view));
      this.tabs.push({ view, tab });
      bar.append(tab);
    }
    bar.addEventListener("keydown", (event) => this.arrows(event));
    const action = (what: Saving, path: string, text: string, title: string): HTMLButtonElement => {
      const made = element("button", { type: "button", title, "data-save": what }, icon(path), text);
      made.addEventListener("click", () => listener.save(what));
      return made;
    };
    this.save = {
      link: action("link", LINK, words("copyLink"), words("copyLink")),
      table: action("table", GRID, words("table"), words("tableTitle")),
      geojson: action("geojson", BRACES, words("geojson"), words("geojsonTitle")),
    };
    this.root.append(
      element("header", { class: "cv-head" }, bar, close),
      this.body,
      element("footer", { class: "hs-actions" }, this.save.link, this.save.table, this.save.geojson),
      this.status,
    );
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

  show(view: View, content: HTMLElement, savings: readonly Saving[]): void {
    for (const entry of this.tabs) {
      const current = entry.view === view;
      entry.tab.setAttribute("aria-selected", String(current));
      entry.tab.tabIndex = current ? 0 : -1;
      if (current) this.body.setAttribute("aria-labelledby", entry.tab.id);
    }
    if (this.body.firstElementChild !== content) {
      this.body.replaceChildren(content);
      this.body.scrollTop = 0;
    }
    for (const what of ["link", "table", "geojson"] as const) this.save[what].hidden = !savings.includes(what);
    this.root.hidden = false;
  }

  hide(): void {
    this.root.hidden = true;
  }

  /** Tell those who do not see it. */
  say(sentence: string): void {
    this.status.textContent = sentence;
  }
}

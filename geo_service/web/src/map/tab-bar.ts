// A bar of tabs: a click or an arrow key opens one, a tab key leaves (WAI-ARIA authoring practices).
import { element } from "../common/dom";

export interface Tab {
  /** Of the tab's own element. */
  id: string;
  title: string;
  /** The element that it shows. */
  controls: string;
  open: () => void;
}

export class TabBar {
  readonly root: HTMLElement;
  private readonly tabs: HTMLButtonElement[] = [];

  constructor(label: string, className: string, tabs: readonly Tab[]) {
    this.root = element("div", { class: className, role: "tablist", "aria-label": label });
    for (const { id, title, controls, open } of tabs) {
      const tab = element("button", { type: "button", role: "tab", id, "aria-controls": controls }, title);
      tab.addEventListener("click", open);
      this.tabs.push(tab);
      this.root.append(tab);
    }
    this.root.addEventListener("keydown", (event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      const at = this.tabs.findIndex((tab) => tab === document.activeElement);
      if (!step || at < 0) return;
      const next = (at + step + tabs.length) % tabs.length;
      this.tabs[next]?.focus();
      tabs[next]?.open();
      event.preventDefault();
    });
  }

  select(id: string): void {
    for (const tab of this.tabs) {
      tab.setAttribute("aria-selected", String(tab.id === id));
      tab.tabIndex = tab.id === id ? 0 : -1;
    }
  }
}

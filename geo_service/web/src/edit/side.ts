// The side panel: one face at a time under tabs, and the workflow below.
import { element } from "../common/dom";
import { tell, type Word } from "./words";

export type FaceId = "balance" | "table" | "suggest" | "history" | "comments";

export interface Face {
  id: FaceId;
  title: Word;
  root: HTMLElement;
  opened?(shown: boolean): void;
}

export class Side {
  readonly root: HTMLElement;
  private readonly tabs = new Map<FaceId, HTMLButtonElement>();

  constructor(
    private readonly faces: Face[],
    ...below: HTMLElement[]
  ) {
    const bar = element("div", { class: "tabs", role: "tablist", "aria-label": tell("panel") });
    for (const { id, title, root } of faces) {
      const tab = element("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `face-${id}` }, tell(title));
      tab.addEventListener("click", () => this.open(id));
      root.id = `face-${id}`;
      root.classList.add("face");
      root.setAttribute("role", "tabpanel");
      root.setAttribute("aria-labelledby", `tab-${id}`);
      this.tabs.set(id, tab);
      bar.append(tab);
    }
    bar.addEventListener("keydown", (event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (step === 0) return;
      const ids = faces.map(({ id }) => id);
      const at = ids.findIndex((id) => this.tabs.get(id) === document.activeElement);
      const next = ids[(at + step + ids.length) % ids.length];
      if (next) {
        this.open(next);
        this.tabs.get(next)?.focus();
      }
      event.preventDefault();
    });
    this.root = element("aside", { class: "side", "aria-label": tell("panel") }, bar, ...faces.map(({ root }) => root), ...below);
    this.open("balance");
  }

  open(id: FaceId): void {
    for (const face of this.faces) {
      const shown = face.id === id;
      const tab = this.tabs.get(face.id);
      tab?.setAttribute("aria-selected", String(shown));
      if (tab) tab.tabIndex = shown ? 0 : -1;
      face.root.hidden = !shown;
      face.opened?.(shown);
    }
  }
}

// Above the map: what the tool in use wants, and its switches.
import { element } from "../common/dom";
import type { Tool } from "./tools/tool";
import { tell, type Word } from "./words";

export class OptionsBar {
  private readonly hint = element("p", { id: "tool-hint", class: "hint-text" });
  private readonly acts = element("span", { class: "tool-acts" });
  private readonly state = element("span", { class: "saving", role: "status" });
  private readonly snap = this.toggle("snapping", "snappingTitle", true);
  private readonly trace = this.toggle("tracing", "tracingTitle", false);
  readonly root = element("div", { class: "options" }, this.hint, this.acts, this.snap.label, this.trace.label, this.state);

  constructor(changed: () => void) {
    this.snap.box.addEventListener("change", changed);
    this.trace.box.addEventListener("change", changed);
  }

  private toggle(word: Word, title: Word, on: boolean): { label: HTMLElement; box: HTMLInputElement } {
    const box = element("input", { type: "checkbox" });
    box.checked = on;
    return { label: element("label", { class: "switch", title: tell(title) }, box, tell(word)), box };
  }

  get snapping(): boolean {
    return this.snap.box.checked;
  }

  get tracing(): boolean {
    return this.trace.box.checked;
  }

  show(tool: Tool, sentence: string | null): void {
    this.hint.textContent = sentence ?? tool.hint();
    const held = this.acts.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.act : undefined;
    this.acts.replaceChildren(...(tool.buttons?.() ?? []));
    // The button that was pressed is a new one now, and keeps the focus.
    if (held) this.acts.querySelector<HTMLElement>(`[data-act="${held}"]`)?.focus();
    this.snap.label.hidden = tool.id === "select" || tool.id === "merge";
    this.trace.label.hidden = !["split", "reshape", "redraw"].includes(tool.id);
  }

  busy(busy: boolean): void {
    this.state.textContent = busy ? tell("saving") : tell("saved");
    this.state.classList.toggle("busy", busy);
  }
}

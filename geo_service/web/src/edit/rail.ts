// The rail of tools at the left, each with its key.
import { element, icon } from "../common/dom";
import type { ToolId } from "./tools/tool";
import { tell, type Word } from "./words";

export type RailAction = ToolId | "undo" | "redo";

const ICONS: Record<RailAction, string> = {
  select: "M5 3l10 6.2-4.4 1.2L8.3 15z",
  drag: "M3 14.5 8.5 6l4 3.5L17 4M8.5 4.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6zM8.5 11v6M6.5 15l2 2 2-2",
  reshape: "M3.5 3.5h13v13h-13zM10 3.5c-3 3 3 4 0 6.5s3 3.5 0 6.5",
  split: "M3.5 3.5h13v13h-13zM11.5 2 8.5 18",
  merge: "M3 4h6v12H3zM11 4h6v12h-6zM7 10h6M11.5 8l2 2-2 2",
  transfer: "M3 4.5c3-2 8-2 9.5 1.5S10 13 6.5 12 1.5 6 3 4.5M9 15.5h8M14.5 13l2.5 2.5-2.5 2.5",
  redraw: "M4 13.5 13 4.5l2.5 2.5-9 9H4zM11 6.5 13.5 9M3 18h14",
  insert: "M2.5 15 10 6l7.5 3M10 3.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4M14 14.5h4M16 12.5v4",
  remove: "M2.5 15 10 6l7.5 3M10 3.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4M14 14.5h4",
  undo: "M7 4 3.5 7.5 7 11M3.5 7.5H12a4.5 4.5 0 0 1 0 9H7",
  redo: "m13 4 3.5 3.5L13 11M16.5 7.5H8a4.5 4.5 0 0 0 0 9h5",
};

/** The keys that choose a tool; undo and redo have Ctrl+Z and Ctrl+Y. */
export const KEYS: Record<ToolId, string> = { select: "V", drag: "D", reshape: "E", split: "S", merge: "M", transfer: "T", redraw: "R", insert: "I", remove: "X" };

const ORDER: RailAction[] = ["select", "drag", "reshape", "split", "merge", "transfer", "redraw", "insert", "remove", "undo", "redo"];

export class Rail {
  readonly root = element("div", { class: "rail", role: "toolbar", "aria-label": tell("tools"), "aria-orientation": "vertical" });
  private readonly buttons = new Map<RailAction, HTMLButtonElement>();

  constructor(act: (action: RailAction) => void) {
    for (const action of ORDER) {
      const key = action === "undo" ? "Ctrl+Z" : action === "redo" ? "Ctrl+Y" : KEYS[action];
      const name = tell(action as Word);
      const made = element(
        "button",
        { type: "button", "data-tool": action, title: tell("toolKey", { tool: name, key }), "aria-keyshortcuts": key.replace("Ctrl", "Control") },
        icon(ICONS[action]),
        element("span", {}, name),
        element("kbd", { "aria-hidden": "true" }, key),
      );
      made.addEventListener("click", () => act(action));
      this.buttons.set(action, made);
      this.root.append(made);
    }
    this.root.addEventListener("keydown", (event) => this.walk(event));
  }

  /** One stop for the Tab key; arrows go from tool to tool. */
  private walk(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    const open = [...this.buttons.values()].filter((made) => !made.disabled);
    const at = open.indexOf(document.activeElement as HTMLButtonElement);
    open[(at + step + open.length) % open.length]?.focus();
    event.preventDefault();
  }

  show(tool: ToolId, editable: boolean, undoable: boolean, redoable: boolean): void {
    for (const [action, made] of this.buttons) {
      if (action === "undo" || action === "redo") {
        made.disabled = !editable || !(action === "undo" ? undoable : redoable);
        made.tabIndex = -1;
      } else {
        made.setAttribute("aria-pressed", String(action === tool));
        made.disabled = !editable && action !== "select";
        made.tabIndex = action === tool ? 0 : -1;
      }
    }
  }
}

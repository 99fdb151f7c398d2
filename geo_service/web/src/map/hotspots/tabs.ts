// The faces of the panel: layers, and the modes.
import { element } from "../../common/dom";
import type { State } from "../state";
import { word } from "./words";

export interface Face {
  id: string;
  title: string;
  face: HTMLElement;
  /** Whether the state says that this one is shown; where none is, the first. */
  shown: () => boolean;
  open: () => void;
}

/** The faces are shown by turns, as the state says. */
export function panelTabs(state: State, given: readonly Face[]): HTMLElement {
  const bar = element("div", { class: "hs-modes", role: "tablist", "aria-label": word("modes") });
  const faces = given.map((entry) => {
    const { face, id, title } = entry;
    face.id = `panel-${id}`;
    face.setAttribute("aria-labelledby", `mode-${id}`);
    const tab = element("button", { type: "button", role: "tab", id: `mode-${id}`, "aria-controls": face.id }, title);
    tab.addEventListener("click", () => entry.open());
    bar.append(tab);
    return { ...entry, tab };
  });
  bar.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const at = faces.findIndex(({ tab }) => tab === document.activeElement);
    const next = faces[(at + step + faces.length) % faces.length];
    next?.tab.focus();
    next?.open();
    event.preventDefault();
  });
  const follow = (): void => {
    const current = faces.find((entry) => entry.shown()) ?? faces[0];
    for (const entry of faces) {
      entry.tab.setAttribute("aria-selected", String(entry === current));
      entry.tab.tabIndex = entry === current ? 0 : -1;
      entry.face.hidden = entry !== current;
    }
  };
  state.on("analysis", follow);
  state.on("cover", follow);
  follow();
  return bar;
}

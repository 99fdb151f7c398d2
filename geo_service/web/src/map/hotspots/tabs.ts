// The two faces of the panel: layers, and hot spots.
import { element } from "../../common/dom";
import type { State } from "../state";
import { word } from "./words";

/** `layers` and `form` are shown by turns; `open` hears which was chosen. */
export function panelTabs(state: State, layers: HTMLElement, form: HTMLElement, open: (active: boolean) => void): HTMLElement {
  const bar = element("div", { class: "hs-modes", role: "tablist", "aria-label": word("modes") });
  const faces = [
    { active: false, face: layers, title: word("layersTab"), id: "layers" },
    { active: true, face: form, title: word("hotTab"), id: "hot" },
  ].map(({ active, face, title, id }) => {
    face.id = `panel-${id}`;
    face.setAttribute("aria-labelledby", `mode-${id}`);
    const tab = element("button", { type: "button", role: "tab", id: `mode-${id}`, "aria-controls": face.id }, title);
    tab.addEventListener("click", () => open(active));
    bar.append(tab);
    return { active, face, tab };
  });
  bar.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = faces.find(({ tab }) => tab !== document.activeElement);
    other?.tab.focus();
    if (other) open(other.active);
    event.preventDefault();
  });
  const follow = (): void => {
    const now = state.analysis !== null;
    for (const { active, face, tab } of faces) {
      tab.setAttribute("aria-selected", String(active === now));
      tab.tabIndex = active === now ? 0 : -1;
      face.hidden = active !== now;
    }
  };
  state.on("analysis", follow);
  follow();
  return bar;
}

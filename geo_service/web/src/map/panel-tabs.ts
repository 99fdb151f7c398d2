// The faces of the panel: layers, and the modes.
import { say } from "../common/language";
import type { State } from "./state";
import { TabBar } from "./tab-bar";

export interface PanelFace {
  id: string;
  title: string;
  face: HTMLElement;
  /** Whether the state says that this one is shown; where none is, the first. */
  shown: () => boolean;
  open: () => void;
}

/** The faces are shown by turns, as the state says. */
export function panelTabs(state: State, faces: readonly PanelFace[]): HTMLElement {
  for (const { face, id } of faces) {
    face.id = `panel-${id}`;
    face.setAttribute("aria-labelledby", `mode-${id}`);
  }
  const tabs = faces.map(({ id, title, open }) => ({ id: `mode-${id}`, title, controls: `panel-${id}`, open }));
  const bar = new TabBar(say("modes"), "tabs modes", tabs);
  const follow = (): void => {
    const current = faces.find((entry) => entry.shown()) ?? faces[0];
    bar.select(`mode-${current?.id}`);
    for (const entry of faces) entry.face.hidden = entry !== current;
  };
  state.on("analysis", follow);
  state.on("cover", follow);
  follow();
  return bar.root;
}

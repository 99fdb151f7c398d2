// The panel at the left: town, search, time window and layers.
import type { Catalogue } from "../common/contract";
import { button, byId, element, icon } from "../common/dom";
import { pick, say, switchLanguage } from "../common/language";
import { accountMenu } from "./account";

const FOLD = "m12.5 5-5 5 5 5";
const TRAY = "M10 12.5V3M6.5 6.2 10 2.8l3.5 3.4M3 11.5v4.2c0 .7.6 1.3 1.3 1.3h11.4c.7 0 1.3-.6 1.3-1.3v-4.2";

/** Fill the panel; `folded` hears when it collapses or expands. Return what collapses it. */
export function panel(catalogue: Catalogue, parts: HTMLElement[], search: HTMLElement, folded: () => void): () => void {
  const root = byId("panel");
  root.setAttribute("aria-label", say("panel"));
  const other = button(say("otherLanguageTitle"), "round language", say("otherLanguage"));
  other.addEventListener("click", switchLanguage);
  const fold = button(say("collapse"), "round fold", icon(FOLD));
  fold.setAttribute("aria-expanded", "true");
  fold.setAttribute("aria-controls", "panel-body");
  const town = pick(catalogue.town.name);
  const importing = catalogue.layers.some((layer) => layer.writable);
  const load = element("a", { class: "round", href: "/import", title: say("importLink"), "aria-label": say("importLink") }, icon(TRAY));
  const head = element(
    "header",
    { class: "panel-head" },
    element("div", { class: "panel-title" }, element("h1", {}, town), element("small", {}, say("service"))),
    importing ? load : null,
    other,
    accountMenu(catalogue.account, importing),
    fold,
  );
  const body = element("div", { class: "panel-body", id: "panel-body" }, ...parts);
  root.replaceChildren(head, search, body);
  const show = (collapsed: boolean): void => {
    root.classList.toggle("collapsed", collapsed);
    const title = say(collapsed ? "expand" : "collapse");
    fold.title = title;
    fold.setAttribute("aria-label", title);
    fold.setAttribute("aria-expanded", String(!collapsed));
    folded();
  };
  fold.addEventListener("click", () => show(!root.classList.contains("collapsed")));
  return () => show(true);
}

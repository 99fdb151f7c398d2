// What one camera sees, and what it changes for the town, as tables.
import { element } from "../../common/dom";
import { pick } from "../../common/language";
import { facts } from "../evidence";
import type { Collection, Edition, LevelView, Sees, TriedView } from "./contract";
import { decimal, ground, groundChange, length, percent, points, table, trend } from "./figures";
import { colourOf, levelOf } from "./ladder";
import type { Shown } from "./question";
import { words } from "./words";

/** The ground seen at each level; `sees` is what lies in the view, where that is known. */
export function viewFigures(views: Collection<LevelView>, edition: Edition, part: "reach" | "now" | null, sees: Sees | null): HTMLElement[] {
  const rows = views.features
    .map(({ properties }) => properties)
    .filter((found) => (part === null || found.extent === part) && found.area_m2 > 0)
    .map((found) => ({ ...found, ...levelOf(edition, found.level) }))
    .sort((a, b) => a.px_per_m - b.px_per_m);
  if (!rows.length) return [element("p", { class: "nothing" }, words(part === "now" ? "nowUnknown" : "seesNothing"))];
  const levels = table(
    [words("seesLevel"), words("seesDensity"), words("seesArea")],
    rows.map((found) => {
      const face = element("i", { class: "cv-swatch", "aria-hidden": "true" });
      face.style.background = colourOf(edition, found.level);
      return [element("span", { class: "cv-named" }, face, pick(found)), `≥ ${found.px_per_m}`, ground(found.area_m2)];
    }),
    "cv-levels",
  );
  const made: HTMLElement[] = [element("h3", {}, words("seesTitle")), levels];
  if (sees) {
    made.push(facts([
      [words("alone"), ground(sees.alone_m2)],
      [words("roads"), length(sees.road_m)],
      [words("households"), decimal(sees.households)],
      [words("events"), decimal(sees.events)],
    ]));
  }
  return made;
}

const SHARES = [
  ["areaShare", "area_share"],
  ["roadShare", "road_share"],
  ["householdsShare", "households_share"],
  ["eventsShare", "events_share"],
] as const;

/** What the town gains or loses at the level that is chosen; null is nothing tried yet. */
export function differenceFigures(answer: TriedView | null, shown: Shown): HTMLElement[] {
  const level = levelOf(shown.edition, shown.level);
  const head = element("h3", {}, words("difference", { level: pick(level), state: words(shown.state) }));
  if (!answer) return [head, element("p", { class: "note" }, words("unchanged"))];
  const { before, town: after, difference: change } = answer;
  const rows = SHARES.filter(([, name]) => typeof before[name] === "number" || typeof after[name] === "number").map(([title, name]) => {
    const by = change[name] ?? (after[name] ?? 0) - (before[name] ?? 0);
    return [words(title), percent(before[name], 2), percent(after[name], 2), element("b", { class: `cv-change ${trend(by)}` }, points(by))];
  });
  const seen = Math.abs(change.area_m2_seen) < 0.5 ? 0 : change.area_m2_seen;
  const area = element("strong", { class: `cv-change ${trend(seen)}`, "data-figure": "difference" }, groundChange(seen));
  return [head, element("p", { class: "cv-headline" }, area), table([words("ofTown"), words("before"), words("after"), words("change")], rows)];
}

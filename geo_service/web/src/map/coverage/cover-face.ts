// The cover of the town: by level on the map, by grid or community in a table, and what one loss costs.
import { element } from "../../common/dom";
import { pick } from "../../common/language";
import { Segments } from "../controls";
import { facts } from "../evidence";
import { type Field, saveCsv } from "../save";
import { toastProblem } from "../toast";
import type { CoverAnswer, Loss, UnitFigures } from "./contract";
import type { Desk, Face, Saving } from "./desk";
import { evidenceOf, ground, percent, points, table, trend } from "./figures";
import { Pane } from "./pane";
import { service } from "./service";
import { words } from "./words";

const FIRST_LOSSES = 3;
const MOST_LOSSES = 10;
const FIRST_UNITS = 40;

interface Both {
  designed: CoverAnswer;
  online: CoverAnswer;
}

interface Row {
  code: string;
  name: string;
  designed: UnitFigures;
  online: UnitFigures | undefined;
}

export class CoverFace implements Face {
  readonly savings = ["link", "table", "geojson"] as const;
  private readonly pane = new Pane<Both>((both) => this.draw(both));
  private readonly by: Segments<"grid" | "community">;
  readonly root: HTMLElement;

  constructor(private readonly desk: Desk) {
    this.by = new Segments("cv-by", words("byUnit"), [["grid", words("grid")], ["community", words("community")]], (by) => desk.change({ by }));
    this.root = element("div", {}, element("div", { class: "cv-by" }, this.by.root), this.pane.root);
  }

  open(): void {
    const { shown } = this.desk;
    const { edition, level, when, by } = shown;
    this.by.value = by;
    void this.pane.load([edition, level, when, by].join("|"), async (signal) => {
      const [designed, online] = await Promise.all((["designed", "online"] as const).map((state) => service.figures(shown, state, by, signal)));
      return { designed, online } as Both;
    });
    this.pane.redraw();
  }

  leave(): void {
    // The mode draws the cover itself.
  }

  stale(): void {
    this.pane.stale(() => this.open());
  }

  private rows({ designed, online }: Both): Row[] {
    const now = new Map(online.units.map((unit) => [unit.code, unit]));
    return designed.units
      .map((unit) => ({ code: unit.code, name: unit.name ?? unit.code, designed: unit, online: now.get(unit.code) }))
      .sort((a, b) => lost(b) - lost(a) || (a.designed.area_share ?? 2) - (b.designed.area_share ?? 2) || a.code.localeCompare(b.code));
  }

  private draw(both: Both): (Node | null)[] {
    const { shown } = this.desk;
    const answer = both[shown.state];
    const { town } = answer;
    this.desk.say(pick(answer.summary));
    const shares = facts([
      [words("ofArea"), percent(town.area_share)],
      [words("ofRoads"), percent(town.road_share)],
      [words("householdsShare"), percent(town.households_share)],
      [words("eventsShare"), percent(town.events_share)],
      [words("placesShare"), percent(town.places_share)],
    ]);
    return [element("p", { class: "summary" }, pick(answer.summary)), shares, this.losses(answer.losses), this.units(this.rows(both)), evidenceOf(answer.evidence)];
  }

  private units(rows: Row[]): HTMLElement {
    const head = [words(this.desk.shown.by), words("designedShort"), words("nowShort"), words("lostShort")];
    const of = (some: Row[]): HTMLElement => table(head, some.map((row) => this.unit(row)), "cv-units");
    const first = of(rows.slice(0, FIRST_UNITS));
    const box = element("section", {}, element("h3", {}, words("byUnit"), element("small", {}, words("lostNote"))), first);
    if (rows.length > FIRST_UNITS) {
      const all = element("button", { type: "button", class: "link" }, words("showAll", { n: rows.length }));
      all.addEventListener("click", () => {
        first.replaceWith(of(rows));
        all.remove();
      });
      box.append(all);
    }
    return box;
  }

  private unit(row: Row): (string | Node)[] {
    const go = element("button", { type: "button", class: "cv-go", "data-unit": row.code, title: row.code }, row.name);
    go.addEventListener("click", () => void this.zoom(row.code));
    const change = -lost(row);
    const bar = element("span", { class: "cv-bar", "aria-hidden": "true" }, element("i", {}), element("b", {}));
    const [now, designed] = bar.children as unknown as [HTMLElement, HTMLElement];
    now.style.width = percent(row.online?.area_share ?? 0);
    designed.style.left = percent(row.designed.area_share ?? 0);
    return [
      element("span", {}, go, bar),
      percent(row.designed.area_share),
      percent(row.online?.area_share),
      element("span", { class: `cv-change ${trend(change)}` }, change === 0 ? "—" : points(change)),
    ];
  }

  private async zoom(code: string): Promise<void> {
    try {
      const hit = (await service.find(code)).find((entry) => entry.code === code);
      if (hit) this.desk.around.zoomTo(hit.bounds, 17.5);
    } catch (error) {
      toastProblem(error);
    }
  }

  /** The cameras whose loss would hurt most: what each alone sees. */
  private losses(losses: Loss[]): HTMLElement {
    const list = element("ol", { class: "card-list" });
    const lines = losses.filter(({ lost_m2: area }) => area > 0.5).slice(0, MOST_LOSSES).map((loss) => this.loss(loss));
    list.append(...lines.slice(0, FIRST_LOSSES));
    const head = element("h3", {}, words("losses"));
    if (!lines.length) return element("section", {}, head, element("p", { class: "nothing" }, words("noLosses")));
    const box = element("section", {}, head, list);
    if (lines.length > FIRST_LOSSES) {
      const all = element("button", { type: "button", class: "link" }, words("allLosses", { n: lines.length - FIRST_LOSSES }));
      all.addEventListener("click", () => {
        all.remove();
        list.append(...lines.slice(FIRST_LOSSES));
      });
      box.append(all);
    }
    return box;
  }

  private loss({ code, name, lost_m2: area, sentence }: Loss): HTMLElement {
    const told = element("span", {}, element("b", {}, name ?? code), element("small", {}, `${words("lossesNote")} ${ground(area)}`));
    const choose = element("button", { type: "button", "data-camera": code, title: pick(sentence) }, told);
    choose.addEventListener("click", () => this.desk.take(code));
    return element("li", {}, choose);
  }

  save(what: Saving): void {
    const both = this.pane.answer;
    const { edition, level, when, state, by } = this.desk.shown;
    if (what === "geojson") {
      const link = element("a", { href: service.coverFile(this.desk.shown), download: `coverage_${edition}_${when}_${state}.geojson` });
      link.click();
    }
    if (what !== "table" || !both) return;
    const head = [words("code"), words("unit"), `${words("designedShort")} %`, `${words("nowShort")} %`, `${words("lostShort")} m²`, `${words("roadShare")} %`];
    const lines = this.rows(both).map(({ code, name, designed, online }): Field[] => [
      code,
      name,
      share(designed.area_share),
      share(online?.area_share),
      Math.round(designed.area_m2_seen - (online?.area_m2_seen ?? 0)),
      share(online?.road_share),
    ]);
    saveCsv(`coverage_${by}_${level}_${when}`, [head, ...lines]);
  }
}

function lost({ designed, online }: Row): number {
  return (designed.area_share ?? 0) - (online?.area_share ?? designed.area_share ?? 0);
}

function share(value: number | null | undefined): string {
  return typeof value === "number" ? (value * 100).toFixed(2) : "";
}

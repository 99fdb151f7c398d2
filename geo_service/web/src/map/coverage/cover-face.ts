// The cover of the town: by level on the map, by grid or community in a table, and what one loss costs.
import { element } from "../../common/dom";
import { pick } from "../../common/language";
import { Segments } from "../hotspots/choices";
import { save } from "../hotspots/files";
import { toastProblem } from "../toast";
import type { Saving } from "./card";
import type { CoverAnswer, Loss, UnitFigures } from "./contract";
import type { Desk, Face } from "./desk";
import { evidenceOf, ground, percent, points, table, trend } from "./figures";
import { Pane } from "./pane";
import { service } from "./service";
import { words } from "./words";

const FIRST_LOSSES = 10;
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
    const facts = element("dl", { class: "hs-facts" });
    const add = (title: string, share: number | null | undefined): void => {
      if (share !== undefined) facts.append(element("div", {}, element("dt", {}, title), element("dd", {}, percent(share))));
    };
    add(words("ofArea"), town.area_share);
    add(words("ofRoads"), town.road_share);
    add(words("householdsShare"), town.households_share);
    add(words("eventsShare"), town.events_share);
    add(words("placesShare"), town.places_share);
    this.desk.say(pick(answer.summary));
    return [element("p", { class: "cv-summary" }, pick(answer.summary)), facts, this.units(this.rows(both)), this.losses(answer.losses), evidenceOf(answer.evidence)];
  }

  private units(rows: Row[]): HTMLElement {
    const made = rows.slice(0, FIRST_UNITS).map((row) => this.unit(row));
    const grid = table([words(this.desk.shown.by), words("designedShort"), words("nowShort"), words("lostShort")], made, "cv-units");
    const box = element("section", {}, element("h3", {}, words("byUnit"), element("small", {}, words("lostNote"))), grid);
    if (rows.length > FIRST_UNITS) {
      const all = element("button", { type: "button", class: "hs-link" }, `${words("byUnit")} ${rows.length}`);
      all.addEventListener("click", () => box.replaceChildren(element("h3", {}, words("byUnit"), element("small", {}, words("lostNote"))), table([words(this.desk.shown.by), words("designedShort"), words("nowShort"), words("lostShort")], rows.map((row) => this.unit(row)), "cv-units")));
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

  private losses(losses: Loss[]): HTMLElement {
    const list = element("ol", { class: "cv-list" });
    for (const loss of losses.filter(({ lost_m2: area }) => area > 0.5).slice(0, FIRST_LOSSES)) {
      const choose = element("button", { type: "button", "data-camera": loss.code }, element("span", {}, element("b", {}, loss.name ?? loss.code), element("small", {}, `${words("lossesNote")} ${ground(loss.lost_m2)}`)));
      choose.title = pick(loss.sentence);
      choose.addEventListener("click", () => this.desk.take(loss.code));
      list.append(element("li", {}, choose));
    }
    const none = list.childElementCount ? null : element("p", { class: "hs-nothing" }, words("noLosses"));
    return element("section", {}, element("h3", {}, words("losses")), none ?? list);
  }

  save(what: Saving): void {
    const both = this.pane.answer;
    const { edition, level, when, state, by } = this.desk.shown;
    if (what === "geojson") {
      const link = element("a", { href: service.coverFile(this.desk.shown), download: `coverage_${edition}_${when}_${state}.geojson` });
      link.click();
    }
    if (what !== "table" || !both) return;
    const head = [words("unit"), words("unit"), `${words("designedShort")} %`, `${words("nowShort")} %`, `${words("lostShort")} m²`, `${words("roadShare")} %`];
    const lines = this.rows(both).map(({ code, name, designed, online }) => [code, name, share(designed.area_share), share(online?.area_share), Math.round(designed.area_m2_seen - (online?.area_m2_seen ?? 0)), share(online?.road_share)]);
    const text = [head, ...lines].map((line) => line.map((cell) => `"${String(cell).replace(/"/g, '""')}"`).join(",")).join("\r\n");
    save(`coverage_${by}_${level}_${when}.csv`, new Blob(["\ufeff", text], { type: "text/csv" }));
  }
}

function lost({ designed, online }: Row): number {
  return (designed.area_share ?? 0) - (online?.area_share ?? designed.area_share ?? 0);
}

function share(value: number | null | undefined): string {
  return typeof value === "number" ? (value * 100).toFixed(2) : "";
}

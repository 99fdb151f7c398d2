// Plans: what-if sets, kept by the service, listed, worked on and compared.
import { element } from "../../common/dom";
import { count } from "../../common/format";
import { pick } from "../../common/language";
import { toast, toastProblem } from "../toast";
import type { Compared, Difference, Figures, WhatIfAnswer, WhatIfSet } from "./contract";
import type { Desk, Face } from "./desk";
import { groundChange, percent, points, table, trend } from "./figures";
import { levelOf } from "./ladder";
import { Pane } from "./pane";
import { service } from "./service";
import { words } from "./words";

const FIRST_UNITS = 15;

interface Comparison {
  compared: Compared;
  names: string[];
  units: WhatIfAnswer[];
}

export class SetsFace implements Face {
  readonly savings = ["link"] as const;
  private readonly list = element("ul", { class: "card-list cv-sets" });
  private readonly parts = element("div", {});
  private readonly name = element("input", { type: "text", maxlength: 80, "aria-label": words("setName"), placeholder: words("setName") });
  private readonly compareButton = element("button", { type: "button", class: "second", disabled: true }, words("compare"));
  private readonly pane = new Pane<Comparison>((answer) => this.draw(answer));
  private readonly chosen = new Set<string>();
  readonly root: HTMLElement;

  constructor(private readonly desk: Desk) {
    const make = element("button", { type: "submit", class: "second" }, words("newSet"));
    const form = element("form", { class: "form cv-new" }, this.name, make);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.make().catch(toastProblem);
    });
    this.compareButton.addEventListener("click", () => this.compare());
    this.root = element("div", {}, element("p", { class: "note" }, words("setsIntro")));
    if (!desk.keeping) {
      this.root.append(element("p", { class: "nothing" }, words("notKeeping")));
      return;
    }
    this.root.append(
      form,
      this.list,
      this.parts,
      element("div", { class: "buttons" }, this.compareButton),
      element("p", { class: "note" }, words("compareHow")),
      this.pane.root,
    );
  }

  private async make(): Promise<void> {
    const set = await this.desk.plans.add(this.name.value.trim());
    this.name.value = "";
    this.desk.change({ set: set.id });
  }

  open(): void {
    if (!this.desk.keeping) return;
    void this.desk.plans.load();
    this.follow();
  }

  /** Show the sets as they are now. */
  follow(): void {
    const { all } = this.desk.plans;
    for (const id of [...this.chosen]) if (!all.some((set) => set.id === id)) this.chosen.delete(id);
    this.compareButton.disabled = this.chosen.size === 0;
    this.list.replaceChildren(...all.map((set) => this.line(set)));
    if (!all.length) this.list.append(element("li", { class: "nothing" }, words("noSets")));
    const inHand = this.desk.plans.byId(this.desk.shown.set);
    this.parts.replaceChildren(...(inHand ? [this.partsOf(inHand)] : []));
  }

  private line(set: WhatIfSet): HTMLElement {
    const current = set.id === this.desk.shown.set;
    const tick = element("input", { type: "checkbox", "aria-label": words("compareSets", { set: set.name }) });
    tick.checked = this.chosen.has(set.id);
    tick.addEventListener("change", () => {
      if (tick.checked) this.chosen.add(set.id);
      else this.chosen.delete(set.id);
      this.compareButton.disabled = this.chosen.size === 0;
    });
    const counts = words("setParts", { added: set.cameras.length, moved: Object.keys(set.moved).length, removed: set.removed.length });
    const use = element("button", { type: "button", "aria-pressed": String(current), title: words("useSet"), "data-set": set.id }, element("span", {}, element("b", {}, set.name), element("small", {}, current ? `${counts} · ${words("using")}` : counts)));
    use.addEventListener("click", () => this.desk.change({ set: current ? null : set.id }));
    const drop = element("button", { type: "button", class: "cv-drop", title: words("deleteSet"), "aria-label": `${words("deleteSet")} ${set.name}` }, "×");
    drop.addEventListener("click", () => void this.drop(set).catch(toastProblem));
    return element("li", {}, tick, use, drop);
  }

  private async drop(set: WhatIfSet): Promise<void> {
    if (!confirm(words("deleteSure", { set: set.name }))) return;
    await this.desk.plans.drop(set);
    toast(words("deleted", { set: set.name }));
    if (this.desk.shown.set === set.id) this.desk.change({ set: null });
    else this.follow();
  }

  /** The cameras of the set in hand, each of which can be taken out again. */
  private partsOf(set: WhatIfSet): HTMLElement {
    const list = element("ul", { class: "cv-parts" });
    const add = (kind: string, name: string, without: () => WhatIfSet, go: (() => void) | null): void => {
      const title = element("button", { type: "button", class: "cv-go" }, name);
      title.disabled = go === null;
      if (go) title.addEventListener("click", go);
      const out = element("button", { type: "button", class: "cv-drop", title: words("takeOut"), "aria-label": `${words("takeOut")} ${name}` }, "×");
      out.addEventListener("click", () => void this.desk.plans.put(without()).catch(toastProblem));
      list.append(element("li", {}, element("small", {}, kind), title, out));
    };
    set.cameras.forEach((camera, at) => {
      const { lon, lat } = camera;
      const go = lon === undefined || lat === undefined ? null : (): void => this.desk.near(lon, lat);
      add(words("added"), `${words("newCamera")} ${at + 1}`, () => ({ ...set, cameras: set.cameras.filter((_, other) => other !== at) }), go);
    });
    for (const code of Object.keys(set.moved)) {
      const { [code]: _, ...rest } = set.moved;
      add(words("moved"), code, () => ({ ...set, moved: rest }), () => this.desk.change({ view: "camera", camera: code, draft: null }));
    }
    for (const code of set.removed) {
      add(words("removed"), code, () => ({ ...set, removed: set.removed.filter((other) => other !== code) }), () => this.desk.change({ view: "camera", camera: code, draft: null }));
    }
    return list;
  }

  private compare(): void {
    const { shown } = this.desk;
    const ids = this.desk.plans.all.map((set) => set.id).filter((id) => this.chosen.has(id));
    const key = JSON.stringify([ids.map((id) => this.desk.plans.byId(id)), shown.edition, shown.level, shown.when, shown.state, shown.by]);
    void this.pane.load(key, async (signal) => {
      const compared = await service.compare(ids, shown, signal);
      const good = compared.sets.filter(({ town }) => town !== null);
      const units = await Promise.all(good.map(({ id }) => service.whatIf(id, shown, shown.by, signal)));
      return { compared, names: good.map(({ name }) => name), units };
    });
  }

  private draw({ compared, names, units }: Comparison): (Node | null)[] {
    const { edition, level, by, state } = this.desk.shown;
    const of = (name: string, town: Figures, difference: Difference | null): (string | Node)[] => [
      name,
      percent(town.area_share, 2),
      difference ? element("b", { class: `cv-change ${trend(difference.area_share)}`, title: groundChange(difference.area_m2_seen) }, points(difference.area_share)) : "—",
      percent(town.road_share),
      percent(town.households_share),
      percent(town.events_share),
    ];
    const rows = [of(words("asItIs"), compared.before, null)];
    const problems: HTMLElement[] = [];
    for (const set of compared.sets) {
      if (set.town) rows.push(of(set.name, set.town, set.difference));
      else if (set.problem) problems.push(element("p", { class: "problem", role: "alert" }, `${set.name}：${pick(set.problem)}`));
    }
    const made: (Node | null)[] = [
      element("h3", {}, `${words("townFigures")} · ${pick(levelOf(edition, level))}`, element("small", {}, words(state))),
      table([words("sets"), words("areaShare"), words("change"), words("roadShare"), words("householdsShare"), words("eventsShort")], rows, "cv-tight"),
      ...problems,
    ];
    const lines = this.units(units);
    if (lines.length) {
      made.push(element("h3", {}, words("byUnit"), element("small", {}, count(lines.length))), table([words(by), words("asItIs"), ...names], lines.slice(0, FIRST_UNITS)));
    }
    return made;
  }

  /** The units that some plan changes, those that change most first. */
  private units(answers: WhatIfAnswer[]): (string | Node)[][] {
    const before = answers[0]?.before ?? [];
    return before
      .map((unit, at) => ({ unit, shares: answers.map(({ after }) => after[at]?.area_share ?? 0) }))
      .map(({ unit, shares }) => ({ unit, shares, change: Math.max(...shares.map((share) => Math.abs(share - (unit.area_share ?? 0)))) }))
      .filter(({ change }) => change > 5e-6)
      .sort((a, b) => b.change - a.change)
      .map(({ unit, shares }) => [unit.name ?? unit.code, percent(unit.area_share), ...shares.map((share) => percent(share))]);
  }

  leave(): void {
    // The mode draws the set in hand whichever tab is shown.
  }

  stale(): void {
    this.pane.stale(() => this.compare());
  }

  save(): void {
    // Nothing but the link.
  }
}

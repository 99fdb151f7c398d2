// A few more cameras: where, what each adds, and how far from the best that may be.
import { element } from "../../common/dom";
import { pick } from "../../common/language";
import { options, row, Segments } from "../controls";
import { saveGeojson } from "../save";
import { toast, toastProblem } from "../toast";
import type { Optics, PlacementAnswer, Shape, Site } from "./contract";
import type { Desk, Face, Saving } from "./desk";
import { decimal, evidenceOf, percent } from "./figures";
import { Pane } from "./pane";
import type { Placing } from "./question";
import { service } from "./service";
import { words } from "./words";

const MOST = 50;

const NOTES = { add: "addNote", backup: "backupNote", "p-median": "medianNote", "set-cover": "setCoverNote" } as const;

type Proposed = Site & { camera: Partial<Optics> & { lon: number; lat: number } };

function coordinates(geometry: Shape | null): [number, number] {
  return (geometry?.coordinates as [number, number] | undefined) ?? [0, 0];
}

/** The places, each with the camera that a plan would have there. */
function sitesOf(answer: PlacementAnswer): Proposed[] {
  return answer.features
    .filter(({ properties }) => properties.kind === "site")
    .map(({ geometry, properties }) => {
      const [lon, lat] = coordinates(geometry);
      // A place without a heading is one for a camera that sees all around.
      const { azimuth, optics } = properties;
      return { ...properties, camera: { ...optics, lon, lat, form: azimuth === null ? "panoramic" : "bullet", azimuth: azimuth ?? 0 } };
    });
}

export class SitesFace implements Face {
  private readonly pane = new Pane<PlacementAnswer>((answer) => this.draw(answer));
  private readonly question: Segments<Placing["question"]>;
  private readonly budget = element("input", { type: "number", min: 1, max: MOST, step: 1, value: 10, inputmode: "numeric", "aria-label": words("budget") });
  private readonly demand = options(words("demand"), [["blind", words("demandBlind")], ["events", words("demandEvents")], ["households", words("demandHouseholds")], ["area", words("demandArea")]]);
  private readonly candidates = options(words("candidates"), [["both", words("both")], ["poles", words("poles")], ["walls", words("walls")]]);
  private readonly note = element("p", { class: "note" });
  private readonly problem = element("p", { class: "problem", role: "alert", hidden: true });
  private readonly adding = [row(words("budget"), this.budget), row(words("candidates"), this.candidates)];
  readonly root: HTMLElement;

  constructor(private readonly desk: Desk) {
    this.question = new Segments("cv-question", words("question"), [["add", words("askAdd")], ["backup", words("askBackup")], ["p-median", words("askMedian")], ["set-cover", words("askSetCover")]], (question) => this.ready(question));
    this.question.value = "add";
    this.ready("add");
    const run = element("button", { type: "submit", class: "primary" }, words("findSites"));
    const form = element(
      "form",
      { class: "form cv-ask" },
      row(words("question"), this.question.root, this.note),
      ...this.adding.slice(0, 1),
      row(words("demand"), this.demand),
      ...this.adding.slice(1),
      this.problem,
      run,
    );
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
    this.root = element("div", {}, form, this.pane.root);
  }

  get savings(): readonly Saving[] {
    return this.pane.answer ? ["link", "geojson"] : ["link"];
  }

  /** How many, and where, is no question where none is added. */
  private ready(question: Placing["question"]): void {
    for (const line of this.adding) line.hidden = question === "set-cover";
    this.note.textContent = words(NOTES[question]);
  }

  private ask(): void {
    const budget = Number(this.budget.value);
    const wrong = !Number.isInteger(budget) || budget < 1 || budget > MOST;
    this.problem.textContent = wrong ? words("wrongBudget") : "";
    this.problem.hidden = !wrong;
    if (wrong) {
      this.budget.focus();
      return;
    }
    this.desk.change({
      placing: {
        question: this.question.value ?? "add",
        budget,
        demand: this.demand.value as Placing["demand"],
        candidates: this.candidates.value as Placing["candidates"],
      },
    });
  }

  open(): void {
    const { placing, edition, level, when } = this.desk.shown;
    if (!placing) {
      this.pane.clear();
      return;
    }
    this.question.value = placing.question;
    this.ready(placing.question);
    this.budget.value = String(placing.budget);
    this.demand.value = placing.demand;
    this.candidates.value = placing.candidates;
    const key = [JSON.stringify(placing), edition, level, when].join("|");
    void this.pane.load(key, (signal) => service.placement(this.desk.shown, placing, signal)).then(() => this.desk.note({}));
    this.pane.redraw();
  }

  private draw(answer: PlacementAnswer): (Node | null)[] {
    const { desk } = this;
    const sites = sitesOf(answer);
    const spare = answer.features.filter(({ properties }) => properties.kind === "spare");
    desk.drawing.showMarks("site", sites.map(({ rank, camera }) => ({ lon: camera.lon, lat: camera.lat, text: String(rank), optics: camera })));
    desk.drawing.showMarks("spare", spare.map(({ geometry }) => ({ lon: coordinates(geometry)[0], lat: coordinates(geometry)[1] })));
    desk.drawing.showProposed({ ...answer, features: answer.features.filter(({ properties }) => properties.kind === "view") });
    desk.say(pick(answer.summary));
    const summary = element("p", { class: "summary" }, pick(answer.summary));
    if (!sites.length && !spare.length) return [summary, element("p", { class: "nothing" }, words("noSites")), evidenceOf(answer.evidence)];
    const certain = typeof answer.gap === "number";
    const proof = certain ? element("p", { class: `cv-proof ${answer.optimal ? "sure" : ""}` }, answer.optimal ? words("proven") : words("gap", { gap: percent(answer.gap, 2) })) : null;
    if (spare.length) return [summary, proof, element("h3", {}, words("spareList")), this.spare(spare.map(({ properties }) => properties)), evidenceOf(answer.evidence)];
    const adopt = element("button", { type: "button", class: "primary" }, words("adopt"));
    adopt.addEventListener("click", () => void this.adopt(answer).catch(toastProblem));
    const median = answer.question === "p-median";
    return [
      ...(median ? this.nearer(answer, sites.length) : this.gained(answer, sites)),
      proof,
      summary,
      this.list(sites, pick(answer.evidence.unit)),
      desk.keeping ? element("div", { class: "buttons" }, adopt) : null,
      element("p", { class: "note" }, median ? words("medianOptics") : pick(answer.evidence.optics)),
      evidenceOf(answer.evidence),
    ];
  }

  private gained({ evidence: { unit } }: PlacementAnswer, sites: Proposed[]): HTMLElement[] {
    const gain = sites.reduce((sum, { adds = 0 }) => sum + adds, 0);
    const figure = element("strong", { class: "cv-change up" }, `+${decimal(gain)} `, element("small", {}, pick(unit)));
    return [element("h3", {}, words("placingIntro", { n: sites.length })), element("p", { class: "cv-headline" }, figure)];
  }

  private nearer({ mean_m: now, mean_m_before: before }: PlacementAnswer, places: number): HTMLElement[] {
    const metres = (value: number | null | undefined): string => (typeof value === "number" ? words("metres", { n: value.toFixed(1) }) : "—");
    const figure = element("strong", { class: "cv-change up" }, metres(now), " ", element("small", {}, `← ${metres(before)}`));
    return [element("h3", {}, words("medianIntro", { n: places })), element("p", { class: "cv-headline" }, figure)];
  }

  private list(sites: Proposed[], unit: string): HTMLElement {
    const weight = ({ adds, serves }: Proposed): number => adds ?? serves ?? 0;
    const most = Math.max(...sites.map(weight), 1e-9);
    const list = element("ol", { class: "card-list" });
    for (const site of sites) {
      const bar = element("span", { class: "cv-adds", "aria-hidden": "true" }, element("i", {}));
      (bar.firstElementChild as HTMLElement).style.width = percent(weight(site) / most);
      const text = site.serves === undefined ? pick(site.sentence) : words("medianSite", { n: site.rank, weight: decimal(site.serves), unit });
      const go = element("button", { type: "button", "data-site": site.rank }, element("i", { class: "cv-rank cv-site" }, String(site.rank)), element("span", {}, text, bar));
      go.addEventListener("click", () => this.desk.near(site.camera.lon, site.camera.lat));
      list.append(element("li", {}, go));
    }
    return list;
  }

  private spare(cameras: Site[]): HTMLElement {
    const list = element("ol", { class: "card-list" });
    for (const { code, name } of cameras) {
      const go = element("button", { type: "button", "data-camera": code }, element("span", {}, element("b", {}, name ?? code), element("small", {}, code)));
      go.addEventListener("click", () => this.desk.take(code));
      list.append(element("li", {}, go));
    }
    return list;
  }

  private async adopt(answer: PlacementAnswer): Promise<void> {
    const { plans, shown } = this.desk;
    const set = await plans.inHand(shown.set);
    const kept = await plans.addCameras(set, sitesOf(answer).map(({ camera }) => camera));
    toast(words("kept", { set: kept.name }));
    this.desk.change({ set: kept.id, view: "sets" });
  }

  leave(): void {
    this.desk.drawing.showMarks("site", []);
    this.desk.drawing.showMarks("spare", []);
    this.desk.drawing.showProposed(null);
  }

  stale(): void {
    this.pane.stale(() => this.open());
  }

  save(what: Saving): void {
    if (what !== "geojson" || !this.pane.answer) return;
    saveGeojson("camera-sites", this.pane.answer);
  }
}

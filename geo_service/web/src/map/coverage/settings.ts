// The panel of the coverage mode: which standard and level, when, and which cameras count.
import { element } from "../../common/dom";
import { pick } from "../../common/language";
import { options, row, Segments } from "../controls";
import type { Edition, OnlineState, When } from "./contract";
import { colourOf, LADDERS, levelOf, nearestLevel } from "./ladder";
import type { Shown } from "./question";
import { words } from "./words";

export type Chosen = Pick<Shown, "edition" | "level" | "when" | "state">;

export class Settings {
  private readonly edition: Segments<Edition>;
  private readonly level = options(words("level"), []);
  private readonly when: Segments<When>;
  private readonly state: Segments<OnlineState>;
  private readonly editionNote = element("p", { class: "note" }, words("editionNote"));
  private readonly nightNote = element("p", { class: "note", hidden: true }, words("nightNote"));
  private readonly face = element("i", { class: "cv-swatch", "aria-hidden": "true" });
  readonly root: HTMLElement;
  private chosen: Chosen = { edition: "2015", level: "detect", when: "day", state: "online" };

  constructor(private readonly changed: (chosen: Chosen) => void) {
    this.edition = new Segments("cv-edition", words("edition"), [["2015", words("edition2015")], ["2025", words("edition2025")]], (edition) => {
      const { px_per_m } = levelOf(this.chosen.edition, this.chosen.level);
      this.tell({ edition, level: nearestLevel(edition, px_per_m) });
    });
    this.level.addEventListener("change", () => this.tell({ level: this.level.value }));
    this.when = new Segments("cv-when", words("when"), [["day", words("day")], ["night", words("night")]], (when) => this.tell({ when }));
    this.state = new Segments("cv-state", words("state"), [["online", words("online")], ["designed", words("designed")]], (state) => this.tell({ state }));
    const steps = (["howCamera", "howPoint", "howSites"] as const).map((key) => element("li", {}, words(key)));
    this.root = element(
      "div",
      {},
      element(
        "form",
        { class: "block form" },
        row(words("edition"), this.edition.root, this.editionNote),
        row(words("level"), element("div", { class: "cv-level" }, this.face, this.level)),
        row(words("when"), this.when.root, this.nightNote),
        row(words("state"), this.state.root),
      ),
      element("section", { class: "block cv-how" }, element("h2", {}, words("how")), element("ul", {}, ...steps), element("p", { class: "note" }, words("planning"))),
    );
    this.set(this.chosen);
  }

  private tell(part: Partial<Chosen>): void {
    this.set({ ...this.chosen, ...part });
    this.changed(this.chosen);
  }

  set({ edition, level, when, state }: Chosen): void {
    const other = edition !== this.chosen.edition || !this.level.options.length;
    this.chosen = { edition, level, when, state };
    this.edition.value = edition;
    this.when.value = when;
    this.state.value = state;
    this.nightNote.hidden = when !== "night";
    if (other) {
      this.level.replaceChildren(...LADDERS[edition].map((entry) => element("option", { value: entry.level }, `${pick(entry)}　≥ ${entry.px_per_m} px/m`)));
    }
    this.level.value = level;
    this.face.style.background = colourOf(edition, level);
  }
}

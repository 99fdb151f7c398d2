// Cameras that see into places nobody may film: why not, and what mends it.
import { element } from "../../common/dom";
import { language, pick } from "../../common/language";
import { saveGeojson } from "../save";
import type { Intrusion, IntrusionsAnswer, Mask } from "./contract";
import type { Desk, Face, Saving } from "./desk";
import { evidenceOf, ground, percent } from "./figures";
import { Pane } from "./pane";
import { service } from "./service";
import { words } from "./words";

/** A turning camera may have one for every heading. */
const MOST_MASKS = 3;

function maskText({ left, top, right, bottom }: Mask): string {
  return words("maskText", { left: percent(left, 0), right: percent(right, 0), top: percent(top, 0), bottom: percent(bottom, 0) });
}

/** The image as a small frame with the part to mask in it. */
function frame(mask: Mask): HTMLElement {
  const { left, top, right, bottom } = mask;
  const part = element("i", {});
  Object.assign(part.style, { left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top) });
  return element("span", { class: "cv-frame", role: "img", "aria-label": words("maskPicture") }, part);
}

export class PrivacyFace implements Face {
  readonly savings = ["link", "geojson"] as const;
  private readonly pane = new Pane<IntrusionsAnswer>((answer) => this.draw(answer));
  readonly root = element("div", {}, this.pane.root);

  /** `mend` takes a camera in hand and turns it to another tilt. */
  constructor(
    private readonly desk: Desk,
    private readonly mend: (code: string, tilt: number) => void,
  ) {}

  open(): void {
    void this.pane.load("privacy", (signal) => service.intrusions(signal));
    this.pane.redraw();
  }

  private draw(answer: IntrusionsAnswer): (Node | null)[] {
    const { desk } = this;
    desk.say(pick(answer.summary));
    const places = answer.features.map(({ geometry }) => geometry?.coordinates as [number, number] | undefined);
    desk.drawing.showMarks("intrusion", places.flatMap((place) => (place ? [{ lon: place[0], lat: place[1] }] : [])));
    const list = element("ol", { class: "card-list cv-cards" });
    for (const { properties } of answer.features) list.append(element("li", {}, this.line(properties)));
    const none = answer.features.length ? null : element("p", { class: "nothing" }, words("noIntrusions"));
    return [element("p", { class: "summary" }, pick(answer.summary)), element("p", { class: "cv-reason" }, pick(answer.reason)), none ?? list, evidenceOf(answer.evidence)];
  }

  private line(found: Intrusion): HTMLElement {
    const zones = found.zones.map(({ code, name }) => name ?? code).join(language === "zh" ? "、" : ", ");
    const go = element("button", { type: "button", "data-camera": found.code, title: pick(found.sentence) }, element("span", {}, element("b", {}, found.name ?? found.code), element("small", {}, words("zonesSeen", { zones, area: ground(found.area_m2) }))));
    go.addEventListener("click", () => this.desk.take(found.code));
    const mends: HTMLElement[] = [];
    if (found.tilt !== null) {
      const { tilt } = found;
      const text = words("mendTilt", { tilt: String(Number(tilt.toFixed(1))), kept: percent(found.kept, 0) });
      const attempt = element("button", { type: "button", class: "link" }, words("tryMend"));
      attempt.addEventListener("click", () => this.mend(found.code, tilt));
      mends.push(element("p", { class: "cv-mend" }, text, " ", attempt));
    }
    for (const mask of found.masks.slice(0, MOST_MASKS)) {
      const heading = found.masks.length > 1 ? words("heading", { azimuth: Math.round(mask.azimuth) }) : "";
      mends.push(element("div", { class: "cv-mend cv-mask" }, frame(mask), element("span", {}, heading, words("mendMask", { mask: maskText(mask) }))));
    }
    return element("div", {}, go, ...mends);
  }

  leave(): void {
    this.desk.drawing.showMarks("intrusion", []);
  }

  stale(): void {
    this.pane.stale(() => this.open());
  }

  save(what: Saving): void {
    if (what !== "geojson" || !this.pane.answer) return;
    saveGeojson("privacy-intrusions", this.pane.answer);
  }
}

// The figures of one camera as fields. An empty one is not known: what is assumed stands in it, pale.
import { element } from "../../common/dom";
import type { Assumed } from "./contract";
import type { Tried } from "./question";
import { words } from "./words";

const FIELDS = [
  { name: "azimuth", unit: "°", min: 0, max: 360, step: 1 },
  { name: "tilt", unit: "°", min: 0, max: 90, step: 0.5 },
  { name: "mount_height", unit: "m", min: 0.5, max: 200, step: 0.1 },
  { name: "focal_length", unit: "mm", min: 0.5, max: 500, step: 0.1 },
] as const;
type Name = (typeof FIELDS)[number]["name"];

export class OpticsForm {
  readonly root = element("form", { class: "cv-optics", "aria-label": words("fields") });
  private readonly fields = new Map<Name, { input: HTMLInputElement; badge: HTMLElement }>();

  constructor(changed: (part: Partial<Tried>) => void) {
    for (const { name, unit, min, max, step } of FIELDS) {
      const input = element("input", { type: "number", min, max, step, inputmode: "decimal", "aria-label": words(name), id: `cv-${name}` });
      const badge = element("small", { class: "cv-assumed", title: words("assumedTitle"), hidden: true }, words("assumed"));
      input.addEventListener("input", () => {
        // What is not (yet) a number is no answer; the service judges the rest.
        if (input.value === "" && input.validity.badInput) return;
        changed({ [name]: input.value === "" ? null : Number(input.value) });
      });
      this.fields.set(name, { input, badge });
      this.root.append(element("label", { for: `cv-${name}` }, element("span", {}, words(name), badge), element("span", { class: "cv-unit" }, input, element("i", {}, unit))));
    }
    this.root.addEventListener("submit", (event) => event.preventDefault());
  }

  set(tried: Tried, assumed: Assumed): void {
    for (const [name, { input, badge }] of this.fields) {
      const value = tried[name];
      const shown = value === null ? "" : String(Number(value.toFixed(2)));
      const taken = assumed[name];
      input.placeholder = taken === undefined ? "—" : String(Number(taken.toFixed(2)));
      badge.hidden = value !== null || name === "azimuth";
      if (document.activeElement !== input || Number(input.value) !== value) input.value = shown;
    }
  }
}

// Coordinates as rows that can be typed, picked on the map, and shown there.
import type { Coordinate } from "ol/coordinate";

import { button, element } from "../common/dom";
import type { Place } from "./contract";
import { degrees, lineOf, onMap } from "./places";
import { tell } from "./words";

export class Rows {
  readonly root: HTMLElement;
  private readonly list = element("ol", { class: "rows" });

  constructor(
    private readonly changed: (corners: Coordinate[]) => void,
    private readonly pick: (corners: Coordinate[]) => void,
  ) {
    const add = element("button", { type: "button" }, tell("addRow"));
    add.addEventListener("click", () => {
      this.row("", "").querySelector("input")?.focus();
    });
    const onTheMap = element("button", { type: "button" }, tell("pickRow"));
    onTheMap.addEventListener("click", () => this.pick(this.corners()));
    const clear = element("button", { type: "button" }, tell("clearRows"));
    clear.addEventListener("click", () => this.set([]));
    this.root = element(
      "fieldset",
      { class: "coordinates" },
      element("legend", {}, tell("coordinates")),
      this.list,
      element("div", { class: "row" }, add, onTheMap, clear),
    );
    this.list.addEventListener("input", () => this.changed(this.corners()));
    this.list.addEventListener("paste", (event) => this.paste(event));
  }

  private row(lon: string, lat: string): HTMLElement {
    const number = this.list.children.length + 1;
    const field = (value: string): HTMLInputElement => element("input", { type: "text", inputmode: "decimal", autocomplete: "off", value });
    const away = button(tell("rowRemove", { row: number }), "plain away", "×");
    const item = element("li", {}, field(lon), field(lat), away);
    away.addEventListener("click", () => {
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      this.number();
      (next ?? this.root).querySelector<HTMLElement>("input, button")?.focus();
      this.changed(this.corners());
    });
    this.list.append(item);
    this.number();
    return item;
  }

  private number(): void {
    [...this.list.children].forEach((item, i) => {
      const [lon, lat] = item.querySelectorAll("input");
      lon?.setAttribute("aria-label", tell("rowLon", { row: i + 1 }));
      lat?.setAttribute("aria-label", tell("rowLat", { row: i + 1 }));
      const away = item.querySelector("button");
      away?.setAttribute("aria-label", tell("rowRemove", { row: i + 1 }));
      away?.setAttribute("title", tell("rowRemove", { row: i + 1 }));
    });
  }

  /** Lines of two numbers, as from a spreadsheet, fill as many rows. */
  private paste(event: ClipboardEvent): void {
    const pairs = (event.clipboardData?.getData("text") ?? "")
      .split(/[\r\n;]+/)
      .map((line) => line.trim().split(/[\s,，\t]+/))
      .filter((parts) => parts.length === 2 && parts.every((part) => Number.isFinite(Number(part))));
    if (pairs.length === 0) return;
    event.preventDefault();
    const item = (event.target as HTMLElement).closest("li");
    const before = this.texts();
    const at = item ? [...this.list.children].indexOf(item) : before.length;
    before.splice(at, before[at]?.every((text) => !text) ? 1 : 0, ...(pairs as [string, string][]));
    this.list.replaceChildren();
    for (const [lon, lat] of before) this.row(lon, lat);
    this.changed(this.corners());
  }

  private texts(): [string, string][] {
    return [...this.list.children].map((item) => {
      const [lon, lat] = item.querySelectorAll("input");
      return [lon?.value ?? "", lat?.value ?? ""];
    });
  }

  set(corners: Coordinate[]): void {
    this.list.replaceChildren();
    for (const [lon, lat] of lineOf(corners)) this.row(lon.toFixed(8), lat.toFixed(8));
    this.changed(corners);
  }

  /** The rows that hold a place, on the map. */
  corners(): Coordinate[] {
    const read = this.texts().map(([lon, lat]): Place | null => place(lon, lat));
    return read.filter((found): found is Place => found !== null).map(onMap);
  }

  /** All rows as places, or the number of the first that is none. */
  places(): Place[] | number {
    const found: Place[] = [];
    const texts = this.texts().filter(([lon, lat]) => lon || lat);
    for (const [i, [lon, lat]] of texts.entries()) {
      const read = place(lon, lat);
      if (!read) return i + 1;
      found.push(read);
    }
    return found;
  }
}

function place(lon: string, lat: string): Place | null {
  const [x, y] = [degrees(lon, 180), degrees(lat, 90)];
  return x === null || y === null ? null : [x, y];
}

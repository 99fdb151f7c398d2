// The two handles of a camera on the map: one moves it, the other turns it. Both work by keyboard.
import type ChartMap from "ol/Map";
import Overlay from "ol/Overlay";
import { fromLonLat, toLonLat } from "ol/proj";

import { element } from "../../common/dom";
import type { Tried } from "./question";
import { words } from "./words";

/** Pixels from the camera to the handle that turns it, however near the map is. */
const RAY = 92;
const EARTH = 6_378_137;

interface Listener {
  moved(lon: number, lat: number): void;
  turned(azimuth: number): void;
  /** Draw the ray between two places of the map. */
  ray(from: number[] | null, to: number[] | null): void;
}

export class Handles {
  private readonly pole = element("button", { type: "button", class: "cv-pole", "aria-label": words("moveHandle"), title: words("moveHandle") });
  private readonly turn = element("div", {
    class: "cv-turn",
    role: "slider",
    tabindex: 0,
    "aria-label": words("turnHandle"),
    title: words("turnHandle"),
    "aria-valuemin": 0,
    "aria-valuemax": 359,
  });
  private readonly poleAt: Overlay;
  private readonly turnAt: Overlay;
  private tried: Tried | null = null;

  constructor(
    private readonly map: ChartMap,
    private readonly listener: Listener,
  ) {
    const overlay = (target: HTMLElement): Overlay => new Overlay({ element: target, positioning: "center-center", stopEvent: true });
    this.poleAt = overlay(this.pole);
    this.turnAt = overlay(this.turn);
    map.addOverlay(this.turnAt);
    map.addOverlay(this.poleAt);
    this.drag(this.pole, (coordinate) => {
      const [lon = 0, lat = 0] = toLonLat(coordinate);
      this.listener.moved(lon, lat);
    });
    this.drag(this.turn, ([x = 0, y = 0]) => {
      const [x0 = 0, y0 = 0] = this.place();
      this.listener.turned(wrapped(Math.round((Math.atan2(x - x0, y - y0) * 180) / Math.PI)));
    });
    this.pole.addEventListener("keydown", (event) => this.step(event));
    this.turn.addEventListener("keydown", (event) => this.rotate(event));
    map.getView().on("change:resolution", () => this.follow());
  }

  private place(): number[] {
    return this.tried ? fromLonLat([this.tried.lon, this.tried.lat]) : [0, 0];
  }

  private drag(target: HTMLElement, to: (coordinate: number[]) => void): void {
    target.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      target.setPointerCapture(event.pointerId);
      target.classList.add("dragging");
      event.preventDefault();
      target.focus({ preventScroll: true });
    });
    target.addEventListener("pointermove", (event) => {
      if (target.hasPointerCapture(event.pointerId)) to(this.map.getEventCoordinate(event));
    });
    const end = (): void => target.classList.remove("dragging");
    target.addEventListener("pointerup", end);
    target.addEventListener("pointercancel", end);
  }

  private step(event: KeyboardEvent): void {
    const by: Record<string, [number, number]> = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    const way = by[event.key];
    if (!way || !this.tried) return;
    event.preventDefault();
    event.stopPropagation();
    const metres = event.shiftKey ? 10 : 1;
    const degrees = (metres / EARTH) * (180 / Math.PI);
    const { lon, lat } = this.tried;
    this.listener.moved(lon + (way[0] * degrees) / Math.cos((lat * Math.PI) / 180), lat + way[1] * degrees);
  }

  private rotate(event: KeyboardEvent): void {
    const by: Record<string, number> = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
    const way = by[event.key];
    if (!way || !this.tried) return;
    event.preventDefault();
    event.stopPropagation();
    this.listener.turned(wrapped(Math.round(this.tried.azimuth ?? 0) + way * (event.shiftKey ? 10 : 1)));
  }

  show(tried: Tried): void {
    this.tried = tried;
    this.follow();
  }

  hide(): void {
    this.tried = null;
    this.poleAt.setPosition(undefined);
    this.turnAt.setPosition(undefined);
    this.listener.ray(null, null);
  }

  private follow(): void {
    if (!this.tried) return;
    const place = this.place();
    const [x = 0, y = 0] = place;
    // A camera that turns all round, or whose azimuth nobody knows, is turned from north.
    const azimuth = this.tried.azimuth ?? 0;
    const reach = RAY * (this.map.getView().getResolution() ?? 1);
    const radians = (azimuth * Math.PI) / 180;
    const end = [x + reach * Math.sin(radians), y + reach * Math.cos(radians)];
    this.poleAt.setPosition(place);
    this.turnAt.setPosition(end);
    this.turn.setAttribute("aria-valuenow", String(Math.round(azimuth)));
    this.turn.setAttribute("aria-valuetext", `${Math.round(azimuth)}°`);
    this.listener.ray(place, end);
  }
}

function wrapped(azimuth: number): number {
  return ((azimuth % 360) + 360) % 360;
}

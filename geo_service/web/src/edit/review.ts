// 审阅: what is gained and lost, before and after under a curtain, and what changes hands.
import type Feature from "ol/Feature";
import type { FeatureLike } from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import type Geometry from "ol/geom/Geometry";
import VectorLayer from "ol/layer/Vector";
import { getRenderPixel } from "ol/render";
import type RenderEvent from "ol/render/Event";
import VectorSource from "ol/source/Vector";
import type { StyleFunction } from "ol/style/Style";

import { element } from "../common/dom";
import { count } from "../common/format";
import { Swipe } from "../map/hotspots/swipe";
import { areaText } from "./balance-panel";
import type { BalanceRow, Collection, Moved, Review as Answer } from "./contract";
import { movedLook, sideLook } from "./looks";
import * as service from "./service";
import type { Session } from "./session";
import type { Stage } from "./stage";
import { tell, type Word } from "./words";

const FORMAT = new GeoJSON({ featureProjection: "EPSG:3857" });
const MOVED: { word: Word; of: (moved: Moved) => string }[] = [
  { word: "hh", of: (moved) => count(moved.households) },
  { word: "population", of: (moved) => count(moved.population) },
  { word: "buildings", of: (moved) => count(moved.buildings) },
  { word: "events", of: (moved) => count(moved.events) },
  { word: "cameras", of: (moved) => count(moved.cameras) },
  { word: "area", of: (moved) => areaText(moved.area_m2) },
];

type Source = VectorSource<Feature<Geometry>>;

export class ReviewView {
  readonly root = element("div", { class: "review-panel", hidden: true });
  private readonly swipe: Swipe;
  private readonly sides: Record<"before" | "after", Source> = { before: new VectorSource(), after: new VectorSource() };
  private readonly pieces: Record<"before" | "after", Source> = { before: new VectorSource(), after: new VectorSource() };
  private readonly layers: VectorLayer[];
  private on = false;

  constructor(
    private readonly session: Session,
    private readonly stage: Stage,
    private readonly titled: (code: string) => string,
  ) {
    this.swipe = new Swipe(() => stage.map.render(), stage.root);
    const titleOf = (feature: FeatureLike): string => titled(String(feature.get("code") ?? ""));
    const half = (name: "before" | "after", source: Source, zIndex: number, style: StyleFunction): VectorLayer => {
      const layer = new VectorLayer({ source, zIndex, visible: false, style });
      layer.on("prerender", (event) => this.clip(event, name));
      layer.on("postrender", (event) => (event.context as CanvasRenderingContext2D | null)?.restore());
      return layer;
    };
    // What goes is red where it goes from, and green where it comes to.
    this.layers = (["before", "after"] as const).flatMap((name) => [
      half(name, this.pieces[name], 535, (piece) => movedLook(name === "after", this.pieceText(piece, name))),
      half(name, this.sides[name], 540, (grid) => sideLook(name, titleOf(grid))),
    ]);
    for (const layer of this.layers) stage.map.addLayer(layer);
  }

  private pieceText(piece: FeatureLike, side: "before" | "after"): string {
    const households = Number(piece.get("households"));
    if (households === 0) return "";
    const other = String(piece.get(side === "before" ? "to" : "from") ?? "");
    return tell(side === "before" ? "goesTo" : "comesFrom", { n: count(households), grid: other ? this.titled(other) : "—" });
  }

  private fromTo(from: string | null, to: string | null): string {
    const name = (code: string | null): string => (code ? this.titled(code) : "—");
    return tell("fromTo", { from: name(from), to: name(to) });
  }

  /** Before at the left of the curtain, after at its right. */
  private clip(event: RenderEvent, side: "before" | "after"): void {
    const context = event.context as CanvasRenderingContext2D | null;
    const [width = 0, height = 0] = this.stage.map.getSize() ?? [];
    if (!context) return;
    const at = width * this.swipe.share;
    const [left, right] = side === "before" ? [0, at] : [at, width];
    const corners = [[left, 0], [right, 0], [right, height], [left, height]].map((corner) => getRenderPixel(event, corner));
    context.save();
    context.beginPath();
    corners.forEach(([x = 0, y = 0], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.clip();
  }

  async open(): Promise<void> {
    const answer = await service.review(this.session.draft.id);
    this.on = true;
    const read = (collection: Collection<object>): Feature<Geometry>[] => {
      const features = FORMAT.readFeatures(collection) as Feature<Geometry>[];
      for (const feature of features) feature.setId(undefined);
      return features;
    };
    const codes = new Set([...answer.gains.features, ...answer.losses.features].flatMap(({ properties }) => [properties.from, properties.to]));
    const put = (source: Source, features: Feature<Geometry>[]): void => {
      source.clear(true);
      source.addFeatures(features);
    };
    put(this.pieces.before, read(answer.losses));
    put(this.pieces.after, read(answer.gains));
    // Grids that only got a vertex where a new line meets them are as they were.
    for (const side of ["before", "after"] as const) {
      put(this.sides[side], read(answer[side]).filter((feature) => codes.has(String(feature.get("code")))));
    }
    this.stage.shown.setVisible(false);
    for (const layer of this.layers) layer.setVisible(true);
    this.swipe.show(tell("before"), tell("after"), 0.5);
    this.show(answer);
    this.root.hidden = false;
    this.stage.show([...codes].filter((code): code is string => code !== null), true);
  }

  get isOpen(): boolean {
    return this.on;
  }

  close(): void {
    this.on = false;
    this.root.hidden = true;
    this.swipe.hide();
    for (const layer of this.layers) layer.setVisible(false);
    this.stage.shown.setVisible(true);
  }

  private show({ gains, losses, balance_before, balance_after }: Answer): void {
    const heading = element("h2", { tabindex: "-1" }, tell("reviewTitle"));
    const pieces = new Map([...gains.features, ...losses.features].map(({ properties }) => [`${properties.from} ${properties.to}`, properties]));
    const table = [...pieces.values()].sort((a, b) => b.households - a.households || b.area_m2 - a.area_m2);
    if (table.length === 0) {
      this.root.replaceChildren(heading, element("p", { class: "note" }, tell("reviewEmpty")));
      return;
    }
    const body = element("tbody");
    for (const moved of table) {
      body.append(
        element("tr", {}, element("th", { scope: "row", class: "pinned" }, this.fromTo(moved.from, moved.to)), ...MOVED.map(({ of }) => element("td", {}, of(moved)))),
      );
    }
    const heads = MOVED.map(({ word }) => element("th", { scope: "col" }, tell(word)));
    const movedTable = element(
      "table",
      { class: "balance" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col", class: "pinned" }, tell("fromTo", { from: tell("losses"), to: tell("gains") })), ...heads)),
      body,
    );
    this.root.replaceChildren(
      heading,
      element("h3", {}, tell("movedTable")),
      element("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": tell("movedTable") }, movedTable),
      element("h3", {}, tell("beforeAfter")),
      this.households(new Set(table.flatMap(({ from, to }) => [from, to])), balance_before.grids, balance_after.grids),
    );
    heading.focus();
  }

  private households(codes: Set<string | null>, before: BalanceRow[], after: BalanceRow[]): HTMLElement {
    const old = new Map(before.map((row) => [row.code, row]));
    const now = new Map(after.map((row) => [row.code, row]));
    const body = element("tbody");
    for (const code of [...new Set([...old.keys(), ...now.keys()])].sort()) {
      if (!codes.has(code)) continue;
      const [was, is] = [old.get(code), now.get(code)];
      body.append(
        element(
          "tr",
          { "data-state": is?.state ?? null },
          element("th", { scope: "row" }, this.titled(code)),
          element("td", {}, was ? count(was.households) : "—"),
          element("td", {}, element("b", {}, is ? count(is.households) : "—")),
          element("td", {}, is ? tell(is.state) : ""),
        ),
      );
    }
    const head = element("tr", {}, element("th", { scope: "col" }, tell("grid")), element("th", { scope: "col" }, tell("before")), element("th", { scope: "col" }, tell("after")), element("td"));
    return element("table", { class: "spread" }, element("thead", {}, head), body);
  }
}

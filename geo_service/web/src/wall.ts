// The command-centre wall: puts its parts together and keeps them current.
import "ol/ol.css";
import "./wall.css";

import { toLonLat } from "ol/proj";

import { Problem, read } from "./common/api";
import type { Catalogue, Change, Code, EventLayer, LayerEntry, WallState } from "./common/contract";
import { byId, element } from "./common/dom";
import { Live } from "./common/live";
import { Alerts } from "./wall/alerts";
import { Busiest, Categories } from "./wall/bars";
import { CoverBand } from "./wall/cover";
import { CoverFeed } from "./wall/cover-feed";
import { Feed } from "./wall/feed";
import { Figures } from "./wall/figures";
import { Header } from "./wall/header";
import { isEventLayer } from "./wall/open";
import { Ticker } from "./wall/ticker";
import { Trend } from "./wall/trend";
import { reloadForSession, reloadNightly } from "./wall/upkeep";
import { WallMap } from "./wall/wall-map";

const RETRY = 3_000;
/** Tiles follow a change at most this often; ripples and figures do not wait for them. */
const CALM = 1_000;
/** Older than this, data count as lost even if the connection seems to stand. */
const STALE = 150_000;
/** Layers that what cameras see depends on. */
const COVERING = ["cameras", "buildings", "grids", "privacy_zones"];

const header = new Header();
const page = byId("wall");
page.append(header.root);

async function catalogue(): Promise<Catalogue> {
  for (;;) {
    try {
      return await read<Catalogue>("/api/catalogue");
    } catch (error) {
      if (error instanceof Problem && error.status === 401) reloadForSession();
      header.lost(null);
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
}

function start(town: Catalogue, map: WallMap): Promise<void> {
  const layer = (id: EventLayer): LayerEntry | undefined => town.layers.find((entry) => entry.id === id);
  const codes = (id: EventLayer): Code[] => layer(id)?.fields.find((field) => field.name === "category")?.codes ?? [];
  const figures = new Figures();
  const trend = new Trend();
  const categories = new Categories({ disputes: codes("disputes"), hazards: codes("hazards") });
  const busiest = new Busiest();
  const ticker = new Ticker({ disputes: layer("disputes"), hazards: layer("hazards") });
  const resize = (): void => {
    map.resize();
    trend.resize();
  };
  const alerts = new Alerts(resize);
  const cover = new CoverBand(resize);
  header.town(town);
  page.append(
    figures.root,
    element("div", { class: "column centre" }, alerts.root, map.root, cover.root, ticker.root),
    element("div", { class: "column right" }, trend.root, categories.root, busiest.root),
  );
  if (town.layers.some(({ id, count }) => id === "cameras" && count > 0)) cover.await();
  map.open(town);
  trend.resize();
  addEventListener("resize", resize);

  // Connection: data are live while events arrive and the state can be read.
  let isUp = false;
  let last: { at: string; read: number } | null = null;
  const judge = (failed = false): void => {
    const old = last !== null && Date.now() - last.read > STALE;
    if (last && isUp && !failed && !old) header.fresh(last.at);
    else header.lost(last?.at ?? null);
  };
  setInterval(() => {
    if (last && Date.now() - last.read > STALE) judge();
  }, RETRY);

  let shown: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (shown = resolve));
  const rippled = new Set<string>();
  const ripple = (id: EventLayer, feature: number, center: [number, number]): void => {
    const key = `${id}/${feature}`;
    if (rippled.has(key)) return;
    rippled.add(key);
    if (rippled.size > 200) rippled.delete(rippled.values().next().value ?? "");
    map.ripple(id, center);
  };

  const feed = new Feed({
    state(state: WallState) {
      last = { at: state.at, read: Date.now() };
      figures.show(state);
      trend.show(state);
      categories.show(state);
      busiest.show(state);
      alerts.show(state.alerts);
      for (const event of ticker.show(state.latest)) ripple(event.layer, event.id, event.center);
      map.show(state);
      judge();
      shown();
    },
    failed: () => judge(true),
    refused: reloadForSession,
  });

  const coverFeed = new CoverFeed((found) => cover.show(found));
  const pending = new Set<string>();
  let timer = 0;
  const refresh = (): void => {
    timer = 0;
    map.refresh(pending);
    if (pending.has("areas") || pending.has("grids")) void followTown();
    if (COVERING.some((id) => pending.has(id))) coverFeed.poke();
    pending.clear();
  };
  const followTown = async (): Promise<void> => map.setBounds((await catalogue()).town.bounds);
  const pulse = ({ layer: id, op, id: feature, bounds }: Change): void => {
    if (op !== "I" || !isEventLayer(id) || !bounds) return;
    const [lon = 0, lat = 0] = toLonLat([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2]);
    ripple(id, feature, [lon, lat]);
  };
  const reset = (): void => {
    map.refresh();
    void followTown();
    feed.poke();
    coverFeed.poke();
  };
  new Live(`/api/live?layers=${town.layers.map((entry) => entry.id).join(",")}`, {
    changed({ changes, more }) {
      feed.poke();
      const changed = more ? town.layers.map((entry) => entry.id) : changes.map((change) => change.layer);
      for (const id of changed) pending.add(id);
      // A loaded file is no news of the minute: too many at once are not pulsed one by one.
      if (changes.length + more <= 20) changes.forEach(pulse);
      timer ||= window.setTimeout(refresh, CALM);
    },
    reset,
    connected(up) {
      isUp = up;
      judge();
    },
    refused: reloadForSession,
  });
  return first;
}

const map = new WallMap();
window.geo = { map: map.map, ready: catalogue().then((town) => start(town, map)) };
reloadNightly();

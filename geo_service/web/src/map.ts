// The officer's map: puts its parts together.
import "ol/ol.css";
import "./map.css";
import "./map/modes.css";

import { transformExtent } from "ol/proj";

import { Problem, read } from "./common/api";
import type { Bounds, Catalogue, Changes, Hit } from "./common/contract";
import { byId, element } from "./common/dom";
import { pick, say } from "./common/language";
import { Live } from "./common/live";
import { interval } from "./common/times";
import { signInAddress } from "./map/account";
import { Chart } from "./map/chart";
import { Connection } from "./map/connection";
import { LayerCounts } from "./map/counts";
import { Coverage } from "./map/coverage/mode";
import { words as coverWords } from "./map/coverage/words";
import { Details } from "./map/details";
import { exportForm } from "./map/export-form";
import { HotSpots } from "./map/hotspots/mode";
import { word } from "./map/hotspots/words";
import { LayerSwitch } from "./map/layer-switch";
import { panel } from "./map/panel";
import { panelTabs } from "./map/panel-tabs";
import { Search } from "./map/search";
import { State } from "./map/state";
import { toast, toastProblem } from "./map/toast";
import { windowPicker } from "./map/window-picker";
import { fitButton } from "./map/fit-button";

/** Changes come in bursts when a file is loaded: the map follows at most this often. */
const CALM = 1_500;
const MINUTE = 60_000;
const NARROW = 720;

function padding(): [number, number, number, number] {
  if (innerWidth < NARROW) return [80, 20, document.querySelector(".card:not([hidden])") ? innerHeight * 0.46 + 30 : 40, 20];
  const left = byId("panel").classList.contains("collapsed") ? 24 : 356;
  const card = document.querySelector(".card:not([hidden])") ? 404 : byId("details").hidden ? 60 : 392;
  return [52, card, document.querySelector(".hs-time:not([hidden])") ? 120 : 36, left];
}

function start(catalogue: Catalogue): Chart {
  const { layers, town } = catalogue;
  document.title = `${pick(town.name)} · ${say("service")}`;
  byId("map").setAttribute("aria-label", say("map"));
  const state = new State(layers);
  const chart = new Chart(byId("map"), layers, town.bounds);
  const zoomTo = (bounds: Bounds, maxZoom?: number): void => {
    chart.padding = padding();
    chart.fit(bounds, maxZoom);
  };

  // Panel
  const layerSwitch = new LayerSwitch(layers, state);
  const counts = new LayerCounts(layers, () => layerSwitch.showCounts(counts));
  const details = new Details(layers, state, (extent) => {
    zoomTo(transformExtent(extent, "EPSG:3857", "EPSG:4326") as Bounds);
  });
  chart.map.addLayer(details.layer);
  const search = new Search(layers, (hit: Hit) => {
    const layer = layers.find((entry) => entry.id === hit.layer);
    if (!layer) return;
    if (!state.visible.has(layer.id)) state.setVisible(layer.id, true);
    details.open([{ layer, id: hit.id, code: hit.code, label: hit.label }]);
    zoomTo(hit.bounds);
  });
  const exporting = exportForm(layers, town.bounds, state, () => chart.extent());
  const showLayers = (): void => chart.setVisible(coverage.visible(hotSpots.visible(state.visible)));
  let fold = (): void => undefined;
  const makeRoom = (): void => {
    if (innerWidth < NARROW) fold();
  };
  const around = { catalogue, state, chart, details, zoomTo, makeRoom, showLayers };
  const hotSpots = new HotSpots(around);
  const coverage = new Coverage(around);
  const layersFace = element("div", { role: "tabpanel" }, windowPicker(state), layerSwitch.root, exporting);
  const hotFace = element("div", { role: "tabpanel" }, hotSpots.form.root);
  const coverFace = element("div", { role: "tabpanel" }, coverage.settings.root);
  const plain = (): void => {
    hotSpots.open(false);
    coverage.open(false);
  };
  const tabs = panelTabs(state, [
    { id: "layers", title: say("layersTab"), face: layersFace, shown: () => state.analysis === null && state.cover === null, open: plain },
    { id: "hot", title: word("hotTab"), face: hotFace, shown: () => state.analysis !== null, open: () => hotSpots.open(true) },
    { id: "cover", title: coverWords("tab"), face: coverFace, shown: () => state.cover !== null, open: () => coverage.open(true) },
  ]);
  fold = panel(catalogue, [tabs, layersFace, hotFace, coverFace], search.root, () => (chart.padding = padding()));

  // Corner and badge
  const connection = new Connection();
  const corner = byId("corner");
  corner.append(connection.root);
  if (town.demo) {
    corner.prepend(element("div", { class: "demo" }, say("demo")));
    document.body.append(element("div", { class: "demo-print" }, say("demoPrint")));
  }
  chart.map.addControl(fitButton(() => {
    chart.padding = padding();
    chart.fit();
  }));

  // Map
  chart.map.on("singleclick", (event) => {
    if (hotSpots.click(event) || coverage.click(event)) return;
    const found = chart.at(event.pixel);
    if (found[0] && found[0].count > 0) chart.zoomAt(event.coordinate);
    else details.open(found.filter((item) => item.count === 0));
  });
  chart.map.on("pointermove", (event) => {
    if (event.dragging) return;
    byId("map").style.cursor = chart.touches(event.pixel) ? "pointer" : "";
  });
  chart.map.on("moveend", () => {
    state.setView(chart.view());
    layerSwitch.showZoom(chart.view().zoom - 1);
  });

  // State
  const followWindow = (): void => {
    const datetime = interval(state.window);
    chart.setTime(datetime);
    void counts.setTime(datetime);
  };
  const followView = (): void => {
    const now = chart.view();
    const { view } = state;
    if (view && Math.abs(view.zoom - now.zoom) + Math.abs(view.lon - now.lon) + Math.abs(view.lat - now.lat) > 1e-4) {
      chart.go(view.zoom, view.lon, view.lat);
    }
  };
  state.on("layers", showLayers);
  state.on("window", followWindow);
  state.on("view", followView);
  addEventListener("hashchange", () => state.follow());
  makeRoom(); // the map comes first
  coverage.follow();
  hotSpots.follow(); // before the view is fitted: its card takes room
  showLayers();
  chart.setTime(interval(state.window));
  if (state.view) followView();
  else if (!town.bounds) toast(say("noTown"));
  else {
    chart.padding = padding();
    chart.fit(town.bounds, 18, 0);
  }
  void details.follow();
  void counts.setTime(interval(state.window)).then(() => counts.refresh());
  setInterval(() => {
    if ("preset" in state.window) chart.setTime(interval(state.window)); // days move on at midnight
  }, MINUTE);

  // Live
  const pending = new Set<string>();
  let timer = 0;
  let hasBounds = town.bounds !== null;
  const seekTown = async (): Promise<void> => {
    const { bounds } = (await read<Catalogue>("/api/catalogue")).town;
    if (!bounds) return;
    hasBounds = true;
    chart.setBounds(bounds);
  };
  const catchUp = (): void => {
    timer = 0;
    if (!hasBounds) seekTown().catch(toastProblem);
    for (const id of pending) chart.refresh(id);
    void counts.refresh([...pending]);
    hotSpots.changed([...pending]);
    coverage.changed([...pending]);
    pending.clear();
  };
  const schedule = (ids: string[]): void => {
    for (const id of ids) pending.add(id);
    timer ||= window.setTimeout(catchUp, CALM);
  };
  new Live(`/api/live?layers=${layers.map((layer) => layer.id).join(",")}`, {
    changed({ changes, more }: Changes) {
      connection.changed();
      schedule(more ? layers.map((layer) => layer.id) : changes.map((change) => change.layer));
      for (const change of changes) details.refresh(change);
    },
    reset: () => schedule(layers.map((layer) => layer.id)),
    connected: (up) => connection.connected(up),
    refused: () => location.assign(signInAddress()),
  });
  return chart;
}

async function open(): Promise<void> {
  try {
    const chart = start(await read<Catalogue>("/api/catalogue"));
    window.geo.map = chart.map;
    await new Promise<void>((resolve) => chart.map.once("rendercomplete", () => resolve()));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) location.assign(signInAddress());
    else {
      toastProblem(error);
      throw error;
    }
  }
}

window.geo = { map: null, ready: Promise.resolve() };
window.geo.ready = open();

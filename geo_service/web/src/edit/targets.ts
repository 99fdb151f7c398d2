// What a drawing snaps to and may be traced along: outlines of grids, roads and buildings near by.
import { containsExtent, buffer } from "ol/extent";
import type Feature from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import type Geometry from "ol/geom/Geometry";
import type Map from "ol/Map";
import { transformExtent } from "ol/proj";
import VectorSource from "ol/source/Vector";

import type { Grid, Grids } from "./grids";
import { features } from "./service";

const FORMAT = new GeoJSON({ featureProjection: "EPSG:3857" });
/** Metres of the map a pixel, from which on roads and buildings are too small to snap to. */
const NEAR = 3.2;
const MOST = 3000;
const PIXELS = 24;

export class Targets {
  /** Roads, buildings and, where they are wanted, grids. */
  readonly source = new VectorSource<Feature<Geometry>>({ wrapX: false });
  readonly buildings = new VectorSource<Feature<Geometry>>({ wrapX: false });
  private loaded: number[] | null = null;
  private loading: AbortController | null = null;
  private near: Grid[] = [];
  private withGrids = false;

  constructor(
    private readonly map: Map,
    private readonly grids: Grids,
  ) {
    map.on("moveend", () => void this.follow());
  }

  /** Load what is in view, unless it is there already. */
  private async follow(): Promise<void> {
    const view = this.map.getView();
    const size = this.map.getSize();
    if (!size || (view.getResolution() ?? NEAR) >= NEAR) return;
    const seen = view.calculateExtent(size);
    if (this.loaded && containsExtent(this.loaded, seen)) return;
    const wide = buffer(seen, Math.max(300, (seen[2] ?? 0) - (seen[0] ?? 0)) * 0.3);
    const bbox = transformExtent(wide, "EPSG:3857", "EPSG:4326");
    this.loading?.abort();
    const loading = new AbortController();
    this.loading = loading;
    try {
      const [roads, buildings] = await Promise.all(
        ["roads", "buildings"].map(async (layer) => {
          const found = await features(layer, bbox, MOST, loading.signal);
          const read = FORMAT.readFeatures({ type: "FeatureCollection", features: found.features });
          for (const feature of read) feature.setId(undefined); // roads and buildings count from 1 both
          return read;
        }),
      );
      if (loading.signal.aborted) return;
      this.loaded = wide;
      this.source.clear(true);
      this.buildings.clear(true);
      this.near = [];
      this.buildings.addFeatures(buildings ?? []);
      this.source.addFeatures([...(roads ?? []), ...(buildings ?? [])]);
    } catch {
      // Without them one draws freely; the next move of the map tries again.
    }
  }

  /** Whether outlines of grids are targets too; not while one of them is dragged. */
  useGrids(wanted: boolean): void {
    this.withGrids = wanted;
    if (!wanted) this.swap([]);
  }

  /** Follow the pointer: only grids close to it need to be looked through. */
  around([x = 0, y = 0]: number[]): void {
    if (!this.withGrids) return;
    const reach = PIXELS * (this.map.getView().getResolution() ?? 1);
    this.swap(this.grids.near([x - reach, y - reach, x + reach, y + reach]));
  }

  private swap(now: Grid[]): void {
    const left = this.near.filter((grid) => !now.includes(grid));
    const came = now.filter((grid) => !this.near.includes(grid));
    for (const grid of left) if (this.source.hasFeature(grid)) this.source.removeFeature(grid);
    // The same feature is in two sources: both hear when it changes.
    for (const grid of came) this.source.addFeature(grid as Feature<Geometry>);
    this.near = now;
  }
}

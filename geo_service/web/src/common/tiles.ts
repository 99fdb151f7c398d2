// The vector tiles of one layer of the service, filtered by time and refreshed without a flicker.
import MVT from "ol/format/MVT";
import type RenderFeature from "ol/render/Feature";
import VectorTileSource from "ol/source/VectorTile";
import { createXYZ } from "ol/tilegrid";
import type { TileCoord } from "ol/tilecoord";
import type Tile from "ol/Tile";
import VectorTile from "ol/VectorTile";

import { Problem, request } from "./api";

type Loaded = (coord: TileCoord, features: RenderFeature[]) => void;
type Failed = (problem: Problem) => void;

const MAX_ZOOM = 20;

export type TileSize = 128 | 256 | 512;

/** The largest tiles, so the fewest, that carry single features at this zoom of the view. */
export function tileSize(viewZoom: number, aggregateBelow: number | null): TileSize {
  const needed = aggregateBelow ?? 0;
  if (viewZoom - 1 >= needed) return 512;
  return viewZoom >= needed ? 256 : 128;
}

/**
 * `cacheSize` of the layers that draw these tiles: room for the tiles of a screen twice over. By
 * default OpenLayers keeps none that it does not need, and a refresh would blank the layer.
 */
export const CACHE_SIZE = 192;

export class LayerTiles {
  readonly source: VectorTileSource<RenderFeature>;
  private revision = 0;
  private datetime: string | null = null;

  /** `size` is the edge of a tile in pixels: the larger, the fewer requests, and the more features are grouped. */
  constructor(
    private readonly layer: string,
    private readonly size: TileSize,
    private readonly loaded: Loaded,
    private readonly failed: Failed,
  ) {
    this.source = new VectorTileSource<RenderFeature>({
      format: new MVT({ layers: [layer] }),
      tileGrid: createXYZ({ maxZoom: MAX_ZOOM, tileSize: this.size }),
      tileLoadFunction: (tile) => this.load(tile),
      transition: 0,
      wrapX: false,
    });
    // Before the first drawing: OpenLayers takes an empty key for none, and would drop its tiles.
    this.refresh();
  }

  /** The datetime interval to show, null for all time. */
  setTime(datetime: string | null): void {
    if (datetime === this.datetime) return;
    this.datetime = datetime;
    this.refresh();
  }

  /** Load every tile anew; OpenLayers shows the old ones until the new ones have come. */
  refresh(): void {
    this.revision += 1;
    this.source.setTileUrlFunction((coord) => this.url(coord), `${this.revision}`);
  }

  /**
   * The revision is in the fragment: OpenLayers takes the address for a new tile, while the wire and
   * the browser's cache see the same address, so an unchanged tile costs a 304.
   */
  private url([z, x, y]: TileCoord): string {
    const query = this.datetime ? `?datetime=${encodeURIComponent(this.datetime)}` : "";
    const path = `/ogc/collections/${this.layer}/tiles/WebMercatorQuad/${z}/${y}/${x}`;
    return `${path}${query}#${this.revision}`;
  }

  private load(tile: Tile): void {
    if (!(tile instanceof VectorTile)) return;
    tile.setLoader((extent, _resolution, projection) => {
      void request(tile.getTileUrl())
        .then((response) => response.arrayBuffer())
        .then((data) => {
          const format = tile.getFormat() as MVT;
          const features = format.readFeatures(data, { extent, featureProjection: projection }) as RenderFeature[];
          tile.onLoad(features, projection);
          this.loaded(tile.tileCoord, features);
        })
        .catch((error: unknown) => {
          tile.onError();
          this.failed(error instanceof Problem ? error : new Problem(0, String(error)));
        });
    });
  }
}

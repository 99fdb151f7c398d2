// Asking the service about coverage.
import { address, read, request } from "../../common/api";
import type { FeatureDocument, Hit } from "../../common/contract";
import type {
  CameraView,
  Collection,
  Compared,
  CoverAnswer,
  CoverLevel,
  IntrusionsAnswer,
  PlacementAnswer,
  PointAnswer,
  Sees,
  SpotsAnswer,
  TriedView,
  WhatIfAnswer,
  Optics,
  WhatIfSet,
} from "./contract";
import type { Placing, Shown, Tried } from "./question";

const JSON_BODY = { "Content-Type": "application/json", Accept: "application/json" };
/** Seconds that a placement may search before it tells how far it got. */
const SEARCH = 10;

async function send<T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await request(path, { method, signal, headers: JSON_BODY, body: JSON.stringify(body) });
  return (await response.json()) as T;
}

function execute<T>(process: string, inputs: Record<string, unknown>, signal: AbortSignal): Promise<T> {
  return send<T>("POST", `/ogc/processes/${process}/execution`, { inputs }, signal);
}

type Asked = Pick<Shown, "edition" | "level" | "when" | "state">;

export const service = {
  view(code: string, { edition, when }: Asked, signal?: AbortSignal, preset: number | null = null): Promise<CameraView> {
    return read(address(`/api/coverage/cameras/${encodeURIComponent(code)}/view`, { edition, when, preset }), signal);
  },

  sees(code: string, { edition, level, when, state }: Asked, signal?: AbortSignal): Promise<Sees> {
    return read(address(`/api/coverage/cameras/${encodeURIComponent(code)}/sees`, { edition, level, when, state }), signal);
  },

  tried(camera: Partial<Optics>, replaces: string | null, { edition, level, when, state }: Asked, signal?: AbortSignal): Promise<TriedView> {
    return send("POST", "/api/coverage/view", { camera, ...(replaces ? { replaces } : {}), edition, level, when, state }, signal);
  },

  point([lon, lat]: [number, number], { edition, when }: Asked, signal?: AbortSignal): Promise<PointAnswer> {
    return read(address("/api/coverage/point", { lon, lat, edition, when }), signal);
  },

  cover({ edition, when, state }: Asked, signal?: AbortSignal): Promise<Collection<CoverLevel>> {
    return read(address("/api/coverage/cover", { edition, when, state }), signal);
  },

  figures({ edition, level, when }: Asked, state: Shown["state"], by: Shown["by"], signal: AbortSignal): Promise<CoverAnswer> {
    return execute("coverage", { edition, level, when, state, by }, signal);
  },

  spots({ edition, level, when, state }: Asked, least: number, signal: AbortSignal): Promise<SpotsAnswer> {
    return execute("blind-spots", { edition, level, when, state, min_area: least, limit: 60 }, signal);
  },

  intrusions(signal: AbortSignal): Promise<IntrusionsAnswer> {
    return execute("privacy-intrusions", {}, signal);
  },

  placement({ edition, level, when, state }: Asked, { question, budget, candidates, demand }: Placing, signal: AbortSignal): Promise<PlacementAnswer> {
    return execute("placement", { edition, level, when, state, question, budget, candidates, demand, seconds: SEARCH }, signal);
  },

  async sets(): Promise<WhatIfSet[]> {
    return (await read<{ sets: WhatIfSet[] }>("/api/coverage/sets")).sets;
  },

  addSet(set: Omit<WhatIfSet, "id">): Promise<WhatIfSet> {
    return send("POST", "/api/coverage/sets", set);
  },

  putSet({ id, name, cameras, moved, removed }: WhatIfSet): Promise<WhatIfSet> {
    return send("PUT", `/api/coverage/sets/${id}`, { name, cameras, moved, removed });
  },

  async dropSet(id: string): Promise<void> {
    await request(`/api/coverage/sets/${id}`, { method: "DELETE" });
  },

  compare(ids: readonly string[], { edition, level, when, state }: Asked, signal: AbortSignal): Promise<Compared> {
    return read(address("/api/coverage/sets/compare", { ids: ids.join(","), edition, level, when, state }), signal);
  },

  whatIf(set: string, { edition, level, when, state }: Asked, by: Shown["by"], signal: AbortSignal): Promise<WhatIfAnswer> {
    return execute("what-if", { set, edition, level, when, state, by }, signal);
  },

  /** Everything on the map that has this code or name. */
  async find(code: string): Promise<Hit[]> {
    return (await read<{ results: Hit[] }>(address("/api/search", { q: code, limit: 5 }))).results;
  },

  /** Where the cover is to be had as a file. */
  coverFile({ edition, when, state }: Asked): string {
    return address("/api/coverage/cover.geojson", { edition, when, state });
  },

  /** The camera's own record, and the state it is in. */
  async record(code: string): Promise<{ id: number; etag: string } | null> {
    const filter = `code = '${code.replace(/'/g, "''")}'`;
    const found = await read<{ features: FeatureDocument[] }>(address("/ogc/collections/cameras/items", { filter, limit: 1 }));
    const id = found.features[0]?.id;
    if (id === undefined) return null;
    const response = await request(`/ogc/collections/cameras/items/${id}`, { headers: { Accept: "application/geo+json" } });
    return { id, etag: response.headers.get("ETag") ?? "" };
  },

  /** Save what differs from the record. A Problem of 412 tells that somebody else was quicker. */
  async save(id: number, etag: string, { lon, lat, ...optics }: Partial<Tried>, tried: Tried): Promise<void> {
    const moved = lon !== undefined || lat !== undefined;
    const geometry = { type: "Point", coordinates: [tried.lon, tried.lat] };
    await request(`/ogc/collections/cameras/items/${id}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/merge-patch+json", "If-Match": etag },
      body: JSON.stringify({ type: "Feature", ...(moved ? { geometry } : {}), properties: optics }),
    });
  },
};

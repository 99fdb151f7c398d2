// Requests of the boundary editor.
import { address, Problem, problemOf } from "../common/api";
import type { LayerEntry } from "../common/contract";
import { say } from "../common/language";
import type { Answer, Balance, Collection, Comment, Done, DraftRecord, DrawnLine, Grids, Operation, Piece, Place, Review, Suggestion } from "./contract";

/** What a problem document of a draft tells beyond its sentence. */
export interface Particulars {
  place?: Place | null;
  codes?: string[];
  revision?: number;
  changed?: Grids;
  removed?: string[];
  draft?: string;
  /** The shapes that the draft has and those that were published meanwhile. */
  yours?: Grids;
  theirs?: Grids;
  /** The step that cannot be replayed. */
  operation?: { seq: number };
}

export class Refusal extends Problem {
  constructor(
    status: number,
    sentence: string,
    readonly particulars: Particulars,
  ) {
    super(status, sentence);
  }
}

async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, say("unreachable"));
  }
  if (!response.ok) {
    const particulars = (await response.clone().json().catch(() => ({}))) as Particulars;
    const problem = await problemOf(response);
    throw new Refusal(problem.status, problem.message, particulars);
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

function of(id: string, part = ""): string {
  return `/api/drafts/${encodeURIComponent(id)}${part}`;
}

export async function drafts(): Promise<DraftRecord[]> {
  return (await ask<{ drafts: DraftRecord[] }>("GET", "/api/drafts")).drafts;
}

export function create(name: string, reason: string, area: string): Promise<DraftRecord> {
  return ask("POST", "/api/drafts", { name, reason, area });
}

export function draft(id: string): Promise<DraftRecord> {
  return ask("GET", of(id));
}

export function amend(id: string, values: Partial<Pick<DraftRecord, "name" | "reason" | "valid_from">>): Promise<DraftRecord> {
  return ask("PATCH", of(id), values);
}

export function abandon(id: string): Promise<unknown> {
  return ask("DELETE", of(id));
}

export function grids(id: string): Promise<Grids & { revision: number }> {
  return ask("GET", of(id, "/grids"));
}

export function operate(id: string, revision: number, operation: Operation): Promise<Answer> {
  return ask("POST", of(id, "/operations"), { revision, operation });
}

export function preview(id: string, revision: number, operation: Operation, signal: AbortSignal): Promise<Answer> {
  return ask("POST", of(id, "/preview"), { revision, operation }, signal);
}

export function wind(id: string, revision: number, way: "undo" | "redo"): Promise<Answer> {
  return ask("POST", of(id, `/${way}`), { revision });
}

export async function history(id: string): Promise<Done[]> {
  const answer = await ask<Done[] | { operations: Done[] }>("GET", of(id, "/operations"));
  return Array.isArray(answer) ? answer : answer.operations;
}

export function balance(id: string): Promise<Balance> {
  return ask("GET", of(id, "/balance"));
}

export function review(id: string): Promise<Review> {
  return ask("GET", of(id, "/review"));
}

export async function comments(id: string): Promise<Comment[]> {
  const answer = await ask<Comment[] | { comments: Comment[] }>("GET", of(id, "/comments"));
  return Array.isArray(answer) ? answer : answer.comments;
}

export function comment(id: string, text: string, place: Place): Promise<Comment> {
  return ask("POST", of(id, "/comments"), { text, place });
}

export type Step = "submit" | "withdraw" | "approve" | "return" | "publish" | "rebase" | "rollback";

export function step(id: string, step: Step, values: Record<string, unknown> = {}): Promise<DraftRecord> {
  return ask("POST", of(id, `/${step}`), values);
}

/** How a line is put: as it is, along roads and other natural borders, or around the buildings it runs through. */
export type Put = "as_drawn" | "natural" | "off_buildings";

export function putLine(id: string, line: Place[], put: Put, tolerance: number, signal: AbortSignal): Promise<DrawnLine> {
  return ask("POST", of(id, "/lines"), { line, put, ...(put === "natural" ? { tolerance } : {}) }, signal);
}

export type PieceKind = "block" | "building";

export function pieces(id: string, codes: string[], by: PieceKind, signal: AbortSignal): Promise<Collection<Piece>> {
  const query = new URLSearchParams([...codes.map((code) => ["code", code]), ["by", by]]);
  return ask("GET", of(id, `/blocks?${query.toString()}`), undefined, signal);
}

export function setLimits(area: string, low: number, high: number): Promise<unknown> {
  return ask("PUT", `/api/household-limits/${encodeURIComponent(area)}`, { low, high });
}

export type Question = { kind: "split"; code: string; parts: number } | { kind: "rebalance"; codes: string[] };

export async function suggestions(id: string, question: Question): Promise<Suggestion[]> {
  return (await ask<{ suggestions: Suggestion[] }>("POST", of(id, "/suggestions"), question)).suggestions;
}

export function noticeFile(id: string, kind: "pdf" | "docx"): string {
  return of(id, `/notice.${kind}`);
}

export interface Area {
  code: string;
  name: string;
  level: string;
}

/** The areas whose grids may be re-divided, towns first. */
export async function areas(): Promise<Area[]> {
  const found = await ask<{ features: { properties: Area }[] }>(
    "GET",
    address("/ogc/collections/areas/items", { limit: 2000 }),
  );
  return found.features
    .map(({ properties: { code, name, level } }) => ({ code, name, level }))
    .filter(({ level }) => level !== "county")
    .sort((a, b) => a.code.length - b.code.length || (a.code < b.code ? -1 : 1));
}

/** The features of a layer within west, south, east, north. */
export function features(layer: LayerEntry["id"], bbox: number[], most: number, signal: AbortSignal): Promise<{ features: object[] }> {
  const path = address(`/ogc/collections/${layer}/items`, { bbox: bbox.map((edge) => edge.toFixed(6)).join(","), limit: most });
  return ask("GET", path, undefined, signal);
}

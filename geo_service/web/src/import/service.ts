// Requests of the import page.
import { address, Problem, problemOf, read, request } from "../common/api";
import { element } from "../common/dom";
import { say } from "../common/language";
import type { ImportRecord, Options, Preview } from "./contract";
import { tell } from "./words";

/** The service's own limit (layers.intake.load.MAX_BYTES): a larger file need not travel first. */
const MAX_BYTES = 200_000_000;

async function send<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  return (await response.json()) as T;
}

function of(id: string, part = ""): string {
  return `/api/imports/${encodeURIComponent(id)}${part}`;
}

export function history(limit: number): Promise<{ imports: ImportRecord[] }> {
  return read(address("/api/imports", { limit }));
}

export function record(id: string): Promise<ImportRecord> {
  return read(of(id));
}

export function preview(id: string, options: Options, signal: AbortSignal): Promise<Preview> {
  return send(of(id, "/preview"), options, signal);
}

export function check(id: string, options: Options): Promise<ImportRecord> {
  return send(of(id, "/check"), options);
}

export function load(id: string, options: Options): Promise<ImportRecord> {
  return send(of(id, "/load"), options);
}

export function undo(id: string): Promise<ImportRecord> {
  return send(of(id, "/undo"), {});
}

export async function forget(id: string): Promise<void> {
  await request(of(id), { method: "DELETE" });
}

export function problemSheet(id: string, lang: string): string {
  return address(of(id, "/problems.xlsx"), { lang });
}

/**
 * Save the bad rows as a spreadsheet. Fetched here, not left to the browser: a refusal is told in a
 * sentence then, instead of a download that fails without a word.
 */
export async function saveProblems(address: string): Promise<void> {
  const response = await request(address);
  const named = /filename\*=utf-8''([^;]+)/i.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  const place = URL.createObjectURL(await response.blob());
  element("a", { href: place, download: named ? decodeURIComponent(named) : "problems.xlsx" }).click();
  // The browser reads it in its own time.
  setTimeout(() => URL.revokeObjectURL(place), 60_000);
}

/** Why a file need not be sent at all, or null. */
export function refusal(file: File): string | null {
  if (file.size === 0) return tell("fileEmpty", { file: file.name });
  if (file.size > MAX_BYTES) return tell("fileTooLarge", { file: file.name });
  if (/\.(shp|shx|dbf|prj|cpg)$/i.test(file.name)) return tell("shapefileParts", { file: file.name });
  return null;
}

/** Send a file. `fetch` cannot tell how much has gone, so the older way is taken. */
export function upload(
  file: File,
  layer: string,
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<ImportRecord> {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest();
    asked.open("POST", address("/api/imports", { filename: file.name, layer: layer || null }));
    asked.setRequestHeader("Content-Type", "application/octet-stream");
    asked.setRequestHeader("Accept", "application/json");
    asked.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    asked.onerror = () => reject(new Problem(0, say("unreachable")));
    asked.onabort = () => reject(new DOMException("aborted", "AbortError"));
    asked.onload = () => {
      if (asked.status >= 200 && asked.status < 300) {
        resolve(JSON.parse(asked.responseText) as ImportRecord);
        return;
      }
      const type = asked.getResponseHeader("Content-Type") ?? "";
      const answer = new Response(asked.responseText, { status: asked.status, headers: { "Content-Type": type } });
      problemOf(answer).then(reject, reject);
    };
    signal.addEventListener("abort", () => asked.abort());
    asked.send(file);
  });
}

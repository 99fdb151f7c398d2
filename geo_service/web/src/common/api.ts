// Requests to the service. A failure is a Problem whose message can be shown as it is.
import { language, say } from "./language";

interface ProblemDocument {
  title?: string;
  detail?: string;
  detail_zh?: string;
}

export class Problem extends Error {
  /** `status` is 0 where no answer came. */
  constructor(
    readonly status: number,
    sentence: string,
  ) {
    super(sentence);
  }
}

async function sentence(response: Response): Promise<string> {
  let document: ProblemDocument = {};
  if (response.headers.get("Content-Type")?.includes("json")) {
    document = await response.json().catch(() => ({}));
  }
  const detail = language === "zh" ? document.detail_zh : document.detail;
  return typeof detail === "string" && detail ? detail : say("unexpected", { status: response.status });
}

/** The problem that a bad answer tells of. */
export async function problemOf(response: Response): Promise<Problem> {
  return new Problem(response.status, await sentence(response));
}

/** Fetch; throw a Problem unless the answer is a good one. An abort stays an AbortError. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, say("unreachable"));
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, { signal, headers: { Accept: "application/json" } });
  return (await response.json()) as T;
}

/** The path with those parameters that have a value. */
export function address(path: string, parameters: Record<string, string | number | null>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null) query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

// The language in use: ?lang=, then what the person chose before, then what the page was served in.
import { TEXT, type Key } from "../text";
import type { Title } from "./contract";

export type Language = "zh" | "en";

const STORED = "geo-service.language";

function known(value: string | null): Language | null {
  return value === "zh" || value === "en" ? value : null;
}

function stored(): Language | null {
  try {
    return known(localStorage.getItem(STORED));
  } catch {
    return null; // storage may be forbidden by policy
  }
}

function keep(language: Language): void {
  try {
    localStorage.setItem(STORED, language);
  } catch {
    // The choice then lasts as long as ?lang= does.
  }
}

const asked = known(new URLSearchParams(location.search).get("lang"));
if (asked) keep(asked);

export const language: Language =
  asked ?? stored() ?? (document.documentElement.lang.startsWith("en") ? "en" : "zh");
document.documentElement.lang = language === "zh" ? "zh-CN" : "en";

/** Reload in the other language: the address keeps everything else that the page shows. */
export function switchLanguage(): void {
  const other = language === "zh" ? "en" : "zh";
  keep(other);
  const url = new URL(location.href);
  url.searchParams.set("lang", other);
  history.replaceState(null, "", url);
  location.reload();
}

/** The title in the language in use. */
export function pick(title: Title): string {
  return title[language];
}

/** The title in the language in use, with `{name}` replaced by its value. */
export function fill(title: Title, values: Record<string, string | number>): string {
  return pick(title).replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

/** The page's own words, with `{name}` replaced by its value. */
export function say(key: Key, values: Record<string, string | number> = {}): string {
  return fill(TEXT[key], values);
}

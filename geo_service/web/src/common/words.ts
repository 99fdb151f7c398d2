// How a part of the pages says its words in the language in use.
import type { Title } from "./contract";
import { fill } from "./language";

type Values = Record<string, string | number>;

/** The words of a part: `say("key", { name: value })`, with `{name}` replaced by its value. */
export function sayer<K extends string>(words: Readonly<Record<K, Title>>): (key: K, values?: Values) => string {
  return (key, values = {}) => fill(words[key], values);
}

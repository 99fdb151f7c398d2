// Values of fields as people read them.
import type { Code, Field, LayerEntry } from "./contract";
import { language, pick, say } from "./language";
import { minuteText } from "./times";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const decimal = new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 });

const UNITS: Record<string, { zh: string; en: string }> = {
  m: { zh: " 米", en: " m" },
  mm: { zh: " 毫米", en: " mm" },
  deg: { zh: "°", en: "°" },
  d: { zh: " 天", en: " d" },
};

export function count(value: number | null | undefined): string {
  return typeof value === "number" ? whole.format(value) : say("none");
}

export function codeOf(field: Field | undefined, value: unknown): Code | undefined {
  return field?.codes?.find((item) => item.code === value);
}

export function fieldValue(field: Field, value: unknown): string {
  if (value === null || value === undefined || value === "") return say("none");
  const code = codeOf(field, value);
  if (code) return pick(code);
  if (field.kind === "datetime") return minuteText(String(value));
  if (typeof value === "number") {
    const unit = field.unit ? (UNITS[field.unit]?.[language] ?? ` ${field.unit}`) : "";
    return decimal.format(value) + unit;
  }
  return String(value);
}

/** The coded field that colours a layer. */
export function colouringField(layer: LayerEntry): Field | undefined {
  return layer.style.by ? layer.fields.find((field) => field.name === layer.style.by) : undefined;
}

export function coordinateText(lon: number, lat: number): string {
  return `${lon.toFixed(5)}, ${lat.toFixed(5)}`;
}

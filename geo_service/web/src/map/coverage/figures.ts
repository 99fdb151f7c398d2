// Figures of coverage as people read them.
import { element } from "../../common/dom";
import { count } from "../../common/format";
import { language, pick, say } from "../../common/language";
import { minuteText } from "../../common/times";
import type { Title } from "../../common/contract";
import { evidence } from "../evidence";
import type { Evidence } from "./contract";
import { words } from "./words";

/** `41.3%`; what is not known is a dash. */
export function percent(share: number | null | undefined, digits = 1): string {
  return typeof share === "number" ? `${(share * 100).toFixed(digits)}%` : say("none");
}

/** `820 m²`, `1.32 km²` or, in Chinese, `1.32 万m²`. */
export function ground(area: number): string {
  const size = Math.abs(area);
  if (size >= 1e6) return `${(area / 1e6).toFixed(2)} km²`;
  if (size >= 1e4 && language === "zh") return `${(area / 1e4).toFixed(2)} 万m²`;
  return `${count(Math.round(area))} m²`;
}

export function length(metres: number): string {
  return Math.abs(metres) >= 1e4 ? `${(metres / 1e3).toFixed(1)} km` : `${count(Math.round(metres))} m`;
}

const oneDecimal = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** A weight of demand: whole square metres, tenths of events. */
export function decimal(value: number): string {
  return value >= 1000 ? count(Math.round(value)) : oneDecimal.format(value);
}

function signed(text: string, value: number): string {
  return value > 0 ? `+${text}` : text.replace("-", "−");
}

export function groundChange(area: number): string {
  return Math.abs(area) < 0.5 ? "±0 m²" : signed(ground(area), area);
}

/** A difference of shares, in percentage points. */
export function points(share: number | null | undefined): string {
  if (typeof share !== "number") return say("none");
  const size = Math.abs(share * 100);
  if (size < 5e-4) return "±0";
  const digits = size < 0.1 ? 3 : 2;
  return signed((share * 100).toFixed(digits), share);
}

/** Up, down or neither, for the colour of a difference. */
export function trend(value: number | null | undefined): string {
  return typeof value !== "number" || Math.abs(value) < 5e-6 ? "" : value > 0 ? "up" : "down";
}

export function table(head: readonly string[], rows: readonly (readonly (string | Node)[])[], className = ""): HTMLTableElement {
  const made = element("table", { class: `cv-table ${className}` });
  made.append(element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))));
  const body = element("tbody", {});
  for (const [first = "", ...rest] of rows) {
    body.append(element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell))));
  }
  made.append(body);
  return made;
}

const TITLES: Record<string, Title> = {
  edition: { zh: "标准", en: "Standard" },
  cameras: { zh: "摄像机", en: "Cameras" },
  refused: { zh: "未计入", en: "Left out" },
  assumed: { zh: "假定", en: "Assumed" },
  method: { zh: "方法", en: "Method" },
  ranking: { zh: "排序", en: "Ranking" },
  points: { zh: "户与事件", en: "Households, events" },
  terrain: { zh: "地形", en: "Terrain" },
  edge: { zh: "范围", en: "Scope" },
  buildings: { zh: "建筑物", en: "Buildings" },
  mended: { zh: "修正", en: "Mended" },
  privacy_zones: { zh: "隐私区域", en: "Privacy zones" },
  candidates: { zh: "候选位置", en: "Candidates" },
  demand_points: { zh: "需求点", en: "Demand points" },
  source_of_model: { zh: "模型", en: "Model" },
  crs: { zh: "计量坐标系", en: "Measured in" },
  source: { zh: "出处", en: "Source" },
  data_at: { zh: "数据截至", en: "Data as of" },
};

const MOST_LINES = 5;

function isTitle(value: unknown): value is Title {
  return typeof value === "object" && value !== null && "zh" in value && "en" in value;
}

/** What the service says under a name, as lines; nothing for what has no words. */
function told(name: string, value: unknown): string[] {
  if (value === null || value === undefined || value === "") return [];
  if (Array.isArray(value)) {
    const lines = value.flatMap((entry: unknown) => told(name, entry));
    return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), words("more", { n: lines.length - MOST_LINES })] : lines;
  }
  if (isTitle(value)) {
    const { code, cameras } = value as { code?: string; cameras?: number };
    const many = typeof cameras === "number" ? words("ofCameras", { n: cameras }) : "";
    return [`${code ? `${code} ` : ""}${pick(value)}${many}`];
  }
  if (name === "cameras" && typeof value === "object") {
    const { all, online, refused } = value as Record<string, number>;
    return [words("cameraCounts", { all: count(all), online: count(online), refused: count(refused) })];
  }
  if (typeof value === "object") return [];
  if (name === "data_at") return [minuteText(String(value))];
  return [typeof value === "number" ? count(value) : String(value)];
}

/** What stands behind the figures. */
export function evidenceOf(found: Evidence | undefined): HTMLElement | null {
  if (!found) return null;
  return evidence(Object.entries(TITLES).flatMap(([name, title]) => {
    const lines = told(name, found[name]);
    return lines.length ? [[pick(title), lines] as const] : [];
  }));
}

// "How do you know?": what stands behind the figures, as the service tells it.
import { count } from "../../common/format";
import { language, pick } from "../../common/language";
import { minuteText } from "../../common/times";
import { evidence } from "../evidence";
import type { Evidence } from "./contract";
import { daysText } from "./words";

const TITLES: Record<string, { zh: string; en: string }> = {
  n: { zh: "事件数", en: "Events" },
  window: { zh: "时段", en: "Period" },
  before: { zh: "对比时段", en: "Compared with" },
  area: { zh: "范围", en: "Area" },
  filter: { zh: "条件", en: "Condition" },
  method: { zh: "方法", en: "Method" },
  cells: { zh: "格子", en: "Cells" },
  neighbours: { zh: "相邻", en: "Neighbours" },
  size: { zh: "边长", en: "Size" },
  across: { zh: "对边距", en: "Width" },
  test: { zh: "检验", en: "Test" },
  correction: { zh: "多重检验", en: "Many tests" },
  weeks: { zh: "连续周数", en: "Weeks in a row" },
  overall: { zh: "总体发生率", en: "Overall rate" },
  steps: { zh: "时间步", en: "Steps" },
  outside: { zh: "未计入", en: "Left out" },
  crs: { zh: "计量坐标系", en: "Measured in" },
  source: { zh: "出处", en: "Source" },
  at: { zh: "数据截至", en: "Data as of" },
};

type Row = [title: string, text: string | null | undefined];

function rows(found: Evidence): Row[] {
  const zh = language === "zh";
  const inference = found.inference === "exact" ? (zh ? "精确" : "exact") : found.inference;
  const sided = found.alternative === "two-sided" ? (zh ? "双侧" : "two-sided") : found.alternative;
  const both = found.n_before === undefined ? "" : zh ? `（本时段 ${found.n_now}，对比时段 ${found.n_before}）` : ` (${found.n_now} now, ${found.n_before} before)`;
  const rate = found.overall_rate_per_100_households;
  return [
    ["n", count(found.n) + both],
    ["window", `${daysText(found.window)} ${zh ? `（${found.window.days} 天）` : `(${found.window.days} days)`}`],
    ["before", found.before && daysText(found.before)],
    ["area", found.area && `${found.area.name} ${found.area.code}`],
    ["filter", found.filter === null ? null : typeof found.filter === "string" ? found.filter : JSON.stringify(found.filter)],
    ["method", pick(found.method)],
    ["cells", zh ? `${count(found.cell_count)} 个，${pick(found.cells)}` : `${count(found.cell_count)}, ${pick(found.cells)}`],
    [found.cells.id === "hexagons" ? "across" : "size", found.size === null ? null : [`${found.size} m`, found.size_reason && pick(found.size_reason)].filter(Boolean).join(zh ? "；" : ". ")],
    ["neighbours", pick(found.neighbours)],
    ["test", `${inference}${zh ? "，" : ", "}${sided}`],
    ["correction", zh ? `${count(found.tests)} 次检验一并控制错误发现率 ≤ ${found.alpha}（${found.correction}）` : `${count(found.tests)} tests together, rate of false finds ≤ ${found.alpha} (${found.correction})`],
    ["weeks", found.weeks && pick(found.weeks)],
    ["overall", rate === undefined ? null : zh ? `每百户 ${rate.toFixed(2)} 起` : `${rate.toFixed(2)} per 100 households`],
    ["steps", found.step_count === undefined ? null : zh ? `${found.step_count} 步，自 ${found.counted_from} 起` : `${found.step_count}, from ${found.counted_from}`],
    ["outside", found.outside ? (zh ? `${found.outside} 起不在任何格子内` : `${found.outside} events in no cell`) : null],
    ["crs", found.crs],
    ["source", found.source],
    ["at", minuteText(found.data_at)],
  ];
}

/** The same as plain lines, for files that are handed on. */
export function evidenceLines(found: Evidence): [string, string][] {
  return rows(found).flatMap(([name, text]) => (text ? [[TITLES[name]?.[language] ?? name, text] as [string, string]] : []));
}

export function evidenceOf(found: Evidence): HTMLElement {
  return evidence(evidenceLines(found).map(([title, text]) => [title, [text]]));
}

// Every word of the hot-spot mode, in both languages.
import type { Title } from "../../common/contract";
import { fill } from "../../common/language";

export const WORDS = {
  // Panel
  modes: { zh: "面板内容", en: "What the panel shows" },
  layersTab: { zh: "图层与时间", en: "Layers" },
  hotTab: { zh: "热点分析", en: "Hot spots" },

  // The question
  form: { zh: "热点分析", en: "Hot spots" },
  what: { zh: "事件", en: "Events" },
  categories: { zh: "类别", en: "Category" },
  allCategories: { zh: "全部", en: "All" },
  area: { zh: "范围", en: "Area" },
  wholeTown: { zh: "全部可见范围", en: "All in sight" },
  when: { zh: "时段", en: "Period" },
  asLayers: { zh: "同图层", en: "Layers'" },
  quarter: { zh: "近3个月", en: "3 mo." },
  half: { zh: "近半年", en: "6 mo." },
  year: { zh: "近一年", en: "1 year" },
  firstDay: { zh: "起始日", en: "First day" },
  lastDay: { zh: "截止日", en: "Last day" },
  asLayersAll: {
    zh: "图层的时间为“全部”，没有起始日：此处取近一年。",
    en: "The layers show all time, which has no first day: the last year is taken.",
  },
  cells: { zh: "格子", en: "Cells" },
  grids: { zh: "网格", en: "Grids" },
  squares: { zh: "方格", en: "Squares" },
  hexagons: { zh: "六边形", en: "Hexagons" },
  size: { zh: "边长(米)", en: "Side (m)" },
  hexSize: { zh: "宽度(米)", en: "Width (m)" },
  proposed: { zh: "自动建议", en: "proposed" },
  sizeNote: { zh: "留空则由系统按事件数和面积建议边长，并说明理由。", en: "Left empty, the size is proposed from the events and the area, with the reason." },
  sizeWrong: { zh: "边长应在 20 至 5000 米之间。", en: "Cells have 20 to 5000 m." },
  base: { zh: "比较基准", en: "Against" },
  byCount: { zh: "事件数", en: "Counts" },
  byHouseholds: { zh: "每百户", en: "Households" },
  more: { zh: "更多选项", en: "More options" },
  alpha: { zh: "错误发现率", en: "False discovery rate" },
  each: { zh: "时间步长", en: "Time step" },
  week: { zh: "周", en: "Week" },
  month: { zh: "月", en: "Month" },
  beforeChoice: { zh: "对比时段", en: "Compare with" },
  beforeRight: { zh: "紧接之前、同样长", en: "Just before" },
  beforeYear: { zh: "去年同期", en: "A year earlier" },
  showPoints: { zh: "同时显示点位图层", en: "Show point layers too" },
  run: { zh: "开始分析", en: "Analyse" },
  rerun: { zh: "重新分析", en: "Analyse again" },
  badDays: { zh: "请选择起始日和截止日，起始日不晚于截止日。", en: "Choose a first and a last day, the first not after the last." },

  // The answer
  result: { zh: "热点分析结果", en: "Hot spot results" },
  close: { zh: "关闭结果", en: "Close the results" },
  views: { zh: "看法", en: "Views" },
  hotView: { zh: "热点", en: "Now" },
  changeView: { zh: "变化", en: "Change" },
  compareView: { zh: "对比", en: "Compare" },
  computing: { zh: "正在计算…", en: "Computing…" },
  slow: { zh: "数据较多，仍在计算；可以取消。", en: "There is much data; still computing. You can cancel." },
  cancel: { zh: "取消", en: "Cancel" },
  cancelled: { zh: "已取消。", en: "Cancelled." },
  retry: { zh: "重试", en: "Try again" },
  stale: { zh: "事件有变更。", en: "Events have changed." },
  hotList: { zh: "热点", en: "Hot spots" },
  coldList: { zh: "冷点", en: "Cold spots" },
  showAll: { zh: "显示全部 {n} 个", en: "Show all {n}" },
  copyLink: { zh: "复制链接", en: "Copy link" },
  picture: { zh: "地图", en: "Map" },
  pictureTitle: { zh: "下载地图（PNG，含图例）", en: "Download the map with its legend (PNG)" },
  page: { zh: "网页", en: "Page" },
  pageTitle: { zh: "下载网页（HTML，离线可看，含依据）", en: "Download a page that opens offline, with the evidence (HTML)" },
  table: { zh: "表格", en: "Table" },
  tableTitle: { zh: "下载表格（CSV）", en: "Download the table (CSV)" },
  data: { zh: "数据", en: "Data" },
  dataTitle: { zh: "下载完整结果（GeoJSON）", en: "Download the whole result (GeoJSON)" },

  // Evidence
  evidence: { zh: "怎么得出的？", en: "How do you know?" },
  yes: { zh: "是", en: "yes" },
  no: { zh: "否", en: "no" },

  // Cells and their events
  back: { zh: "返回列表", en: "Back to the list" },
  zoomCell: { zh: "缩放至此", en: "Zoom to it" },
  events: { zh: "事件", en: "Events" },
  eventsOf: { zh: "事件 {n} 起", en: "{n} events" },
  noEvents: { zh: "该时段内没有事件。", en: "No events in this period." },
  moreEvents: { zh: "再看 {n} 起", en: "{n} more" },
  count: { zh: "实际", en: "Observed" },
  expected: { zh: "预期", en: "Expected" },
  around: { zh: "连同相邻", en: "With neighbours" },
  rate: { zh: "每百户（平滑）", en: "Per 100 households (smoothed)" },
  p: { zh: "p 值", en: "p" },
  z: { zh: "z 值", en: "z" },
  category: { zh: "变化类型", en: "Pattern" },
  perStep: { zh: "各步事件数", en: "Events by step" },
  before: { zh: "对比时段", en: "Before" },
  after: { zh: "本时段", en: "Now" },
  ratio: { zh: "倍数", en: "Ratio" },
  interval: { zh: "95% 区间", en: "95% interval" },
  low: { zh: "95% 区间下限", en: "95% interval, low" },
  high: { zh: "95% 区间上限", en: "95% interval, high" },
  cell: { zh: "格子", en: "Cell" },
  name: { zh: "名称", en: "Name" },
  kind: { zh: "判定", en: "Verdict" },
  hot: { zh: "热点", en: "Hot spot" },
  cold: { zh: "冷点", en: "Cold spot" },
  insignificant: { zh: "不显著", en: "Not significant" },
  up: { zh: "增多", en: "More" },
  down: { zh: "减少", en: "Fewer" },

  // Legend
  legend: { zh: "图例", en: "Legend" },
  legendHot: { zh: "热点与冷点（格数）", en: "Hot and cold spots (cells)" },
  legendStep: { zh: "该步的热点与冷点（格数）", en: "Hot and cold in this step (cells)" },
  legendChange: { zh: "变化类型（格数）", en: "Patterns (cells)" },
  legendCompare: { zh: "与对比时段相比（格数）", en: "Against the period before (cells)" },
  legendCounts: { zh: "每格事件数", en: "Events a cell" },
  hotClass: { zh: "热 {p}", en: "Hot {p}" },
  coldClass: { zh: "冷 {p}", en: "Cold {p}" },
  upClass: { zh: "增多 {p}", en: "More {p}" },
  downClass: { zh: "减少 {p}", en: "Fewer {p}" },

  // Time bar
  timeBar: { zh: "时间条", en: "Time bar" },
  play: { zh: "播放", en: "Play" },
  pause: { zh: "暂停", en: "Pause" },
  overall: { zh: "总评", en: "Verdict" },
  overallTitle: { zh: "全部时段的变化类型", en: "The pattern over all steps" },
  stepText: { zh: "{from} 至 {to}，{n} 起，热点 {hot} 格，冷点 {cold} 格", en: "{from} to {to}: {n} events, {hot} hot cells, {cold} cold" },
  overallText: { zh: "{n} 步总评：拖动时间条看每一步", en: "Verdict over {n} steps; drag to see each" },
  step: { zh: "时间", en: "Time" },

  // Compare
  changeLook: { zh: "增减", en: "Change" },
  swipeLook: { zh: "卷帘对照", en: "Swipe" },
  swipe: { zh: "卷帘位置", en: "Position of the swipe" },
  times: { zh: "{n} 倍", en: "× {n}" },
  fromNone: { zh: "此前没有", en: "none before" },
  moreList: { zh: "显著增多", en: "Significantly more" },
  fewerList: { zh: "显著减少", en: "Significantly fewer" },
  nothingChanged: { zh: "没有显著增减的格子：差别都在偶然范围内。", en: "No cell has changed significantly: what differs is within chance." },
  comparedWith: { zh: "{before} → {after} 起，{ratio}（95% 区间 {low}–{high}），{p}", en: "{before} → {after}, {ratio} (95% interval {low}–{high}), {p}" },
  seen: { zh: "{count} 起，预期 {expected}，{p}", en: "{count} events, {expected} expected, {p}" },
  untilNow: { zh: "{from} 至 {to}", en: "{from} to {to}" },
  events1: { zh: "{n} 起", en: "{n} events" },
} as const satisfies Record<string, Title>;

export type Word = keyof typeof WORDS;

export function word(key: Word, values: Record<string, string | number> = {}): string {
  return fill(WORDS[key], values);
}

/** From a day to a day. */
export function daysText({ from, to }: { from: string; to: string }): string {
  return word("untilNow", { from, to });
}

// Every word that the pages say, in both languages.
import type { Title } from "./common/contract";

export const TEXT = {
  // The service
  service: { zh: "网格化治理地图", en: "Grid governance map" },
  demo: { zh: "演示数据（虚构）", en: "Demo data (made up)" },
  demoPrint: {
    zh: "本图为演示数据，地点与事件均为虚构",
    en: "Demonstration data: every place and event on this map is made up",
  },

  // Problems
  unreachable: { zh: "连接不上服务，请检查网络后再试。", en: "The service cannot be reached. Check the network and try again." },
  unexpected: { zh: "服务没能完成这项请求（{status}），请稍后再试。", en: "The service could not do this ({status}). Try again later." },
  tilesFailed: { zh: "“{layer}”有部分地图没有取到，稍后自动重试。", en: "Part of “{layer}” did not load; it will be tried again shortly." },
  dismiss: { zh: "关闭", en: "Dismiss" },

  // Panel
  panel: { zh: "图层与查询", en: "Layers and search" },
  collapse: { zh: "收起面板", en: "Collapse the panel" },
  expand: { zh: "展开面板", en: "Expand the panel" },
  otherLanguage: { zh: "EN", en: "中" },
  otherLanguageTitle: { zh: "Switch to English", en: "切换到中文" },

  // Search
  search: { zh: "按编码或名称查找", en: "Find by code or name" },
  searchResults: { zh: "找到 {n} 项", en: "{n} found" },
  searchNone: { zh: "没有找到“{q}”", en: "Nothing found for “{q}”" },
  clear: { zh: "清除", en: "Clear" },

  // Time window
  window: { zh: "时间范围", en: "Time window" },
  windowNote: { zh: "只作用于带时间的图层", en: "Applies to layers with times" },
  today: { zh: "今天", en: "Today" },
  week: { zh: "近7天", en: "7 days" },
  month: { zh: "近30天", en: "30 days" },
  year: { zh: "近一年", en: "1 year" },
  all: { zh: "全部", en: "All" },
  from: { zh: "从", en: "From" },
  to: { zh: "到", en: "To" },
  windowWrong: { zh: "开始日期晚于结束日期", en: "The first day is after the last" },

  // Layers
  layers: { zh: "图层", en: "Layers" },
  showLayer: { zh: "显示{layer}", en: "Show {layer}" },
  legend: { zh: "{layer}的图例", en: "Legend of {layer}" },
  legendOpen: { zh: "展开图例", en: "Show the legend" },
  zoomIn: { zh: "放大后显示", en: "Zoom in to see" },
  grouped: { zh: "圆内数字为合并显示的数量，放大后逐个显示", en: "Numbers are counts of grouped features; zoom in to see each" },

  // Export
  exportOpen: { zh: "导出", en: "Export" },
  exportLayer: { zh: "图层", en: "Layer" },
  exportFormat: { zh: "格式", en: "Format" },
  exportCrs: { zh: "坐标系", en: "Coordinates" },
  exportColumns: { zh: "列名", en: "Columns" },
  exportExtent: { zh: "范围", en: "Extent" },
  exportSave: { zh: "下载", en: "Download" },
  exportWindowed: { zh: "按上方的时间范围导出。", en: "Within the time window above." },
  exportWhole: { zh: "导出全部时间。", en: "Of all time." },
  extentAll: { zh: "全部", en: "Everything" },
  extentView: { zh: "当前地图范围", en: "What the map shows" },
  columnsZh: { zh: "中文列名", en: "Chinese titles" },
  columnsEn: { zh: "英文列名", en: "English titles" },
  columnsCodes: { zh: "代码（可再次导入）", en: "Codes (to load again)" },
  formatXlsx: { zh: "Excel 表格", en: "Excel" },
  formatCsv: { zh: "CSV 表格", en: "CSV" },
  formatGeojson: { zh: "GeoJSON", en: "GeoJSON" },
  formatGeojsonl: { zh: "GeoJSON（逐行）", en: "GeoJSON, by lines" },
  formatZip: { zh: "Shapefile（ZIP）", en: "Shapefile (ZIP)" },
  formatGpkg: { zh: "GeoPackage", en: "GeoPackage" },
  formatKml: { zh: "KML", en: "KML" },
  formatFgb: { zh: "FlatGeobuf", en: "FlatGeobuf" },
  formatParquet: { zh: "GeoParquet", en: "GeoParquet" },
  crsWgs84: { zh: "WGS 84 / CGCS2000 经纬度", en: "WGS 84 / CGCS2000 degrees" },
  crsGcj02: { zh: "GCJ-02（高德、腾讯地图）", en: "GCJ-02 (Amap, Tencent)" },
  crsBd09: { zh: "BD-09（百度地图）", en: "BD-09 (Baidu)" },
  crsZone: { zh: "CGCS2000 三度带 {meridian}°E", en: "CGCS2000 3-degree, {meridian}°E" },
  crsZoneNumbered: { zh: "CGCS2000 三度带 {meridian}°E，带号 {zone}", en: "CGCS2000 3-degree zone {zone}" },
  crsMercator: { zh: "Web 墨卡托（EPSG:3857）", en: "Web Mercator (EPSG:3857)" },

  // Details
  details: { zh: "详情", en: "Details" },
  closeDetails: { zh: "关闭详情", en: "Close the details" },
  hits: { zh: "此处共 {n} 项", en: "{n} features here" },
  zoomTo: { zh: "缩放至此", en: "Zoom to it" },
  copyLink: { zh: "复制链接", en: "Copy link" },
  linkCopied: { zh: "链接已复制", en: "Link copied" },
  gone: { zh: "这条记录已不存在", en: "This record no longer exists" },
  none: { zh: "—", en: "—" },
  coordinates: { zh: "经纬度", en: "Longitude, latitude" },

  // Map
  map: { zh: "地图", en: "Map" },
  zoomInButton: { zh: "放大", en: "Zoom in" },
  zoomOutButton: { zh: "缩小", en: "Zoom out" },
  fit: { zh: "全镇范围", en: "Whole town" },
  noTown: { zh: "还没有区域数据，导入后自动显示", en: "No areas yet; they appear here once they are loaded" },

  // Connection
  live: { zh: "数据实时", en: "Live" },
  reconnecting: { zh: "正在重连", en: "Reconnecting" },
  lastChange: { zh: "最近变更 {at}", en: "Last change {at}" },

  // Account
  account: { zh: "账户", en: "Account" },
  signIn: { zh: "登录", en: "Sign in" },
  signOut: { zh: "退出登录", en: "Sign out" },
  openAccount: { zh: "未登录，使用演示账户", en: "Not signed in; using the demo account" },
  wallLink: { zh: "大屏", en: "Wall" },
  importLink: { zh: "导入数据", en: "Import data" },
  docsLink: { zh: "接口文档", en: "API documentation" },
  areaAll: { zh: "全部区域", en: "All areas" },
  areaScope: { zh: "区域 {area}", en: "Area {area}" },
  viewer: { zh: "查看", en: "Viewer" },
  officer: { zh: "业务人员", en: "Officer" },
  editor: { zh: "数据编辑", en: "Editor" },
  admin: { zh: "管理员", en: "Administrator" },
  wall: { zh: "大屏", en: "Wall" },

  // Sign-in page
  username: { zh: "用户名", en: "User name" },
  password: { zh: "密码", en: "Password" },
  signInTitle: { zh: "登录", en: "Sign in" },
  signingIn: { zh: "正在登录…", en: "Signing in…" },
  signInEmpty: { zh: "请输入用户名和密码。", en: "Enter a user name and a password." },

  // Wall
  wallTitle: { zh: "网格化治理态势", en: "Grid governance at a glance" },
  connecting: { zh: "正在连接", en: "Connecting" },
  connectionLost: { zh: "连接中断，数据截至 {at}", en: "Connection lost; data as of {at}" },
  connectionLostEmpty: { zh: "连接中断，正在重连", en: "Connection lost; reconnecting" },
  disputes: { zh: "矛盾纠纷", en: "Disputes" },
  hazards: { zh: "隐患", en: "Hazards" },
  cameras: { zh: "摄像机", en: "Cameras" },
  openCount: { zh: "未办结", en: "Open" },
  todayCount: { zh: "今日新增", en: "Today" },
  weekCount: { zh: "近7天", en: "7 days" },
  overdueCount: { zh: "超期", en: "Overdue" },
  closedCount: { zh: "累计办结", en: "Closed" },
  onlineRate: { zh: "在线率", en: "Share online" },
  cameraTotal: { zh: "总数", en: "In all" },
  online: { zh: "在线", en: "Online" },
  offline: { zh: "离线", en: "Offline" },
  fault: { zh: "故障", en: "Fault" },
  trend: { zh: "近30天趋势", en: "Last 30 days" },
  categories: { zh: "近30天纠纷类别", en: "Disputes by category, 30 days" },
  hazardCategories: { zh: "近30天隐患类别", en: "Hazards by category, 30 days" },
  busiest: { zh: "事件较多的网格（近30天）", en: "Busiest grids (30 days)" },
  latest: { zh: "最新事件", en: "Latest" },
  noEvents: { zh: "近期没有事件", en: "No recent events" },
  noData: { zh: "近30天没有数据", en: "Nothing in the last 30 days" },
  alertBanner: { zh: "预警", en: "Alert" },
  alertText: {
    zh: "{kind}　{from} 至 {to}　实际 {observed}　预期 {expected}",
    en: "{kind}, {from} to {to}: {observed} observed, {expected} expected",
  },
  gridFigures: { zh: "网格 {total}", en: "{total} grids" },
  householdFigures: { zh: "户数 {n}", en: "{n} households" },
  staffFigures: { zh: "网格员 {n}", en: "{n} grid staff" },
  unknownGrid: { zh: "未落入网格", en: "Outside all grids" },
  busiestLegend: { zh: "事件较多的网格", en: "Busiest grids" },
  openDispute: { zh: "未结纠纷", en: "Open dispute" },
  openHazard: { zh: "未结隐患", en: "Open hazard" },
  faultyCamera: { zh: "异常摄像机", en: "Camera down" },
} as const satisfies Record<string, Title>;

export type Key = keyof typeof TEXT;

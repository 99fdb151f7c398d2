// Coordinate systems to choose from, with the names that surveyors give them.
import type { Title } from "../common/contract";

interface System {
  crs: string;
  title: Title;
}

export interface SystemGroup {
  title: Title;
  systems: System[];
}

/** Gauss-Krüger zones in EPSG's numbering: consecutive codes, by central meridian and with the zone number in front. */
function zones(central: number, numbered: number, first: number, count: number, width: 3 | 6): System[] {
  const systems: System[] = [];
  for (let at = 0; at < count; at += 1) {
    const zone = first + at;
    const meridian = width === 3 ? zone * 3 : zone * 6 - 3;
    systems.push({
      crs: `EPSG:${central + at}`,
      title: { zh: `中央经线 ${meridian}°（EPSG:${central + at}）`, en: `meridian ${meridian}° (EPSG:${central + at})` },
    });
  }
  for (let at = 0; at < count; at += 1) {
    const zone = first + at;
    systems.push({
      crs: `EPSG:${numbered + at}`,
      title: {
        zh: `带号 ${zone}，东坐标前有带号（EPSG:${numbered + at}）`,
        en: `zone ${zone}, its number in front of the easting (EPSG:${numbered + at})`,
      },
    });
  }
  return systems;
}

export const GROUPS: SystemGroup[] = [
  {
    title: { zh: "经纬度", en: "Degrees" },
    systems: [
      { crs: "EPSG:4326", title: { zh: "WGS-84 经纬度（EPSG:4326）", en: "WGS 84 (EPSG:4326)" } },
      { crs: "EPSG:4490", title: { zh: "CGCS2000 经纬度（EPSG:4490）", en: "CGCS2000 (EPSG:4490)" } },
      { crs: "GCJ-02", title: { zh: "GCJ-02（高德、腾讯等地图）", en: "GCJ-02 (web maps of China)" } },
      { crs: "BD-09", title: { zh: "BD-09（百度地图）", en: "BD-09 (Baidu's map)" } },
    ],
  },
  {
    title: { zh: "CGCS2000 三度带（米）", en: "CGCS2000, 3-degree zones (metres)" },
    systems: zones(4534, 4513, 25, 21, 3),
  },
  {
    title: { zh: "CGCS2000 六度带（米）", en: "CGCS2000, 6-degree zones (metres)" },
    systems: zones(4502, 4491, 13, 11, 6),
  },
  {
    title: { zh: "1980 西安 三度带（米）", en: "Xi'an 1980, 3-degree zones (metres)" },
    systems: zones(2370, 2349, 25, 21, 3),
  },
  {
    title: { zh: "1954 北京 三度带（米）", en: "Beijing 1954, 3-degree zones (metres)" },
    systems: zones(2422, 2401, 25, 21, 3),
  },
  {
    title: { zh: "其他", en: "Other" },
    systems: [{ crs: "EPSG:3857", title: { zh: "Web 墨卡托（EPSG:3857）", en: "Web Mercator (EPSG:3857)" } }],
  },
];

/** The title of a system in the list, null where it is not there. */
export function titleOf(crs: string): Title | null {
  for (const { systems } of GROUPS) {
    const found = systems.find((system) => system.crs === crs);
    if (found) return found.title;
  }
  return null;
}

/** Times that name no zone are of one of these, or of UTC. */
export const ZONES: { zone: string; title: Title }[] = [
  { zone: "Asia/Shanghai", title: { zh: "北京时间（UTC+8）", en: "China time (UTC+8)" } },
  { zone: "Asia/Urumqi", title: { zh: "新疆时间（UTC+6）", en: "Xinjiang time (UTC+6)" } },
  { zone: "UTC", title: { zh: "世界时（UTC）", en: "UTC" } },
];

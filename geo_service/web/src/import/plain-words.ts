// The intake's sentences name options of the command line. On the page the same things have other names.
import type { Title } from "../common/contract";
import { language, pick } from "../common/language";

type Replacement = [pattern: RegExp, words: string];

const REPLACEMENTS: Record<"zh" | "en", Replacement[]> = {
  zh: [
    [/请用 --map \S+=列名 指定，或用 --make-codes 生成/, "请在表头选择对应的列，或勾选“自动生成编码”"],
    [/请用 --map \S+=列名 指定，或用 --set \S+=… 设定/, "请在表头选择对应的列，或填一个固定值"],
    [/请用 --crs 说明坐标系（[^）]*）/, "请选择坐标系"],
    [/用 --crs (\S+) 重新导入/, "把坐标系改为 $1"],
    [/按 --crs（默认 ([^）]*)）解读/, "按所选坐标系（默认 $1）解读"],
    [/可用 --repair 修复/, "勾选“修复图形”可以修复"],
  ],
  en: [
    [/name it with --map \S+=HEADER, or use --make-codes/, "choose it in the table's head, or tick \"Make codes\""],
    [/name it with --map \S+=HEADER, or use --set \S+=…/, "choose it in the table's head, or give one value for all rows"],
    [/state the CRS with --crs(?: \([^)]*\)| [^.]*)?/, "choose the coordinate system"],
    [/import again with --crs (\S+?)\.(?=\s|$)/i, "choose the coordinate system $1."],
    [/as --crs says/, "as the chosen system says"],
    [/--repair mends it/, "\"Repair shapes\" mends it"],
  ],
};

/** The sentence in the language in use, with the page's names for what can be done. */
export function plainly(title: Title): string {
  return REPLACEMENTS[language].reduce((text, [pattern, words]) => text.replace(pattern, words), pick(title));
}

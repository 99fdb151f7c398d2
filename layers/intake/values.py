"""Cells become values: text, numbers, dates, codes of a code list."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, TypeAlias

from layers.catalogue import Field
from layers.codes import CodeList
from layers.intake.headers import key
from layers.intake.report import Words

Value: TypeAlias = str | int | float | date | datetime | None

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_RUINED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_SERIAL = re.compile(r"[1-7][0-9]{4}(\.[0-9]+)?")
_NUMBER = re.compile(r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)?(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_HALF = "凌晨|清晨|早上|早晨|上午|中午|午间|下午|傍晚|晚上|夜间|晚|[AP]\\.?M\\.?"
_MOMENT = re.compile(
    rf"""(?P<year>\d{{4}})(?:
            \s*[-/.年]\s*(?P<month>\d{{1,2}})\s*[-/.月]\s*(?P<day>\d{{1,2}})\s*[日号]?
          | (?P<month_>\d{{2}})(?P<day_>\d{{2}}))
        (?:\s*\(?(?:星期|周)[一二三四五六日天]\)?)?
        (?:[T\s]*(?P<half>{_HALF})?\s*
            (?P<hour>\d{{1,2}})\s*(?:[:时点]\s*(?:(?P<minute>\d{{1,2}})|(?P<part>半|整))?
            (?:\s*[:分]\s*(?P<second>\d{{1,2}})(?:[.](?P<fraction>\d{{1,9}}))?\s*秒?)?\s*分?)
            \s*(?P<half_>[AP]\.?M\.?)?
            \s*(?P<zone>Z|[+-]\d{{2}}:?(?:\d{{2}})?)?)?""",
    re.VERBOSE | re.IGNORECASE,
)
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_MARKS = str.maketrans(
    {"º": "°", "˚": "°", "度": "°", "′": "'", "’": "'", "‘": "'", "＇": "'", "分": "'", "`": "'",
     "″": '"', "”": '"', "“": '"', "＂": '"', "秒": '"'}
)  # fmt: skip
_SIDE = "[NSEW]|东经|西经|北纬|南纬"
_ANGLE = re.compile(
    rf"""(?P<before>{_SIDE})?[\s:]*(?P<sign>[+-])?\s*(?:
          (?P<d>\d{{1,3}})(?:\s*[°:]\s*|\s+)(?P<m>\d{{1,2}})(?:\s*[':]\s*|\s+)
            (?P<s>\d{{1,2}}(?:\.\d*)?)\s*"?
        | (?P<d2>\d{{1,3}})\s*°\s*(?P<m2>\d{{1,2}}(?:\.\d*)?)\s*'
        | (?P<d1>\d{{1,3}}(?:\.\d*)?)\s*°?
        )\s*(?P<after>{_SIDE})?""",
    re.VERBOSE | re.IGNORECASE,
)
_USUAL = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_INTEGERS = 2**31
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet knows no zones
"""The day 0 of spreadsheets."""
SERIALS = range(20_000, 73_415)
"""Numbers that are days where a date is expected: 1954 to 2100."""
_YEARS = range(1900, 2101)


class Bad(ValueError):  # noqa: N818 - not an error of the program
    """A cell that is no value of its column, with the reason in ``words``."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.words = Words(zh, en)


def plain(cell: Any) -> str | None:
    """Return a cell as text without surrounding space; None where it is blank.

    >>> plain(110114104000.0)
    '110114104000'
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        cell = int(cell)
    if isinstance(cell, bool):
        cell = str(cell).lower()
    if not isinstance(cell, str | int | float):
        raise Bad(
            "应为单个值，而不是列表或对象。", "A single value is needed, not a list or an object."
        )
    text = str(cell).strip()
    if _UNPRINTABLE.search(text):
        raise Bad("含有不可显示的控制字符。", "The text holds control characters.")
    return text or None


def code_text(text: str) -> str:
    """Return a code as it is; a code that a spreadsheet turned into a number is refused."""
    if _RUINED.fullmatch(text):
        raise Bad(
            "编码已被电子表格变成科学计数法，请把该列设为文本格式后重新导出。",
            "A spreadsheet turned the code into a number: format the column as text.",
        )
    return text


def number(text: str) -> float:
    """Return a finite number; thousands may be parted by commas."""
    if _USUAL.fullmatch(text):  # most are, and the long way takes five times as long
        return float(text)
    text = unicodedata.normalize("NFKC", text)
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        raise Bad("应为有限的数。", "A finite number is needed.")
    if not _NUMBER.fullmatch(text) or not any(c.isdigit() for c in text):
        raise Bad("应为数字。", "A number is needed.")
    value = float(text.replace(",", ""))
    if not math.isfinite(value):
        raise Bad("应为有限的数。", "A finite number is needed.")
    return value


def longitude(text: str) -> float:
    """Return a longitude or an easting: a number, or degrees, minutes and seconds.

    >>> [longitude(text) for text in ("117.5", "117°30'E", "117度30分0秒", "117 30 0")]
    [117.5, 117.5, 117.5, 117.5]
    """
    return _angle(text, {"E": 1, "东经": 1, "W": -1, "西经": -1})


def latitude(text: str) -> float:
    """Return a latitude or a northing: a number, or degrees, minutes and seconds.

    >>> latitude("南纬31°15′")
    -31.25
    """
    return _angle(text, {"N": 1, "北纬": 1, "S": -1, "南纬": -1})


def _angle(text: str, sides: Mapping[str, int]) -> float:
    try:
        return number(text)
    except Bad as error:
        if not any(c.isdigit() for c in text):
            raise
        refused = error
    marked = text.translate(_MARKS).replace("''", '"')
    found = _ANGLE.fullmatch(unicodedata.normalize("NFKC", marked).strip())
    if found is None:
        if refused.words.en != "A number is needed.":
            raise refused
        raise Bad(
            "应为数字，或度分秒（如 117°12'30.5\"E）。",
            "A number is needed, or degrees, minutes and seconds (such as 117°12'30.5\"E).",
        )
    part = found.groupdict()
    named = [part[name].upper() for name in ("before", "after") if part[name]]
    if any(name not in sides for name in named):
        raise Bad(
            "方向不符：经度为 E、W，纬度为 N、S。",
            "The direction does not fit: longitudes have E or W, latitudes N or S.",
        )
    if len(named) + bool(part["sign"]) > 1:
        raise Bad("方向写了不止一次。", "The direction is written more than once.")
    minutes, seconds = float(part["m"] or part["m2"] or 0), float(part["s"] or 0)
    if minutes >= 60 or seconds >= 60:
        raise Bad("分、秒应小于 60。", "Minutes and seconds must be less than 60.")
    turned = part["sign"] == "-" or any(sides[name] < 0 for name in named)
    value = float(part["d"] or part["d2"] or part["d1"]) + (minutes * 60 + seconds) / 3600
    return -value if turned else value


def integer(text: str) -> int:
    """Return a whole number that fits the database."""
    value = number(text)
    if not value.is_integer():
        raise Bad("应为整数。", "A whole number is needed.")
    if not -_INTEGERS <= value < _INTEGERS:
        raise Bad("数值过大。", "The number is too large.")
    return int(value)


def moment(text: str, zone: tzinfo) -> datetime:
    """Return a time; one that names no zone is of ``zone``, a bare date is its first moment.

    A number of five digits is the day that spreadsheets count from 1899-12-30.

    >>> moment("2024年3月5日 8时30分", timezone.utc).isoformat()
    '2024-03-05T08:30:00+00:00'
    >>> moment("45356.5", timezone.utc).isoformat()
    '2024-03-05T12:00:00+00:00'
    """
    if _ISO.fullmatch(text):  # most are, and the long way takes ten times as long
        try:
            usual = datetime.fromisoformat(text)
        except ValueError:
            pass  # no such day: the long way says so
        else:
            if usual.year in _YEARS:
                return usual if usual.tzinfo else usual.replace(tzinfo=zone)
    text = unicodedata.normalize("NFKC", text)
    found = _MOMENT.fullmatch(text)
    if found is None:
        if _SERIAL.fullmatch(text) and int(float(text)) in SERIALS:
            return (EPOCH + timedelta(seconds=round(float(text) * 86_400))).replace(tzinfo=zone)
        raise Bad(
            "不是能识别的日期时间，请写成 2024-03-05 08:30。",
            "This is no date or time that is understood; write it as 2024-03-05 08:30.",
        )
    part = found.groupdict()
    year, month = int(part["year"]), int(part["month"] or part["month_"])
    if year not in _YEARS:
        raise Bad("年份应在 1900 至 2100 之间。", "The year must lie between 1900 and 2100.")
    if not 1 <= month <= 12:
        raise Bad(f"没有 {month} 月。", f"There is no month {month}.")
    try:
        return datetime(
            year, month, int(part["day"] or part["day_"]),
            _hour(int(part["hour"] or 0), part["half"] or part["half_"]),
            30 if part["part"] == "半" else int(part["minute"] or 0), int(part["second"] or 0),
            int((part["fraction"] or "").ljust(6, "0")[:6]),
            tzinfo=_zone(part["zone"]) if part["zone"] else zone,
        )  # fmt: skip
    except ValueError:
        raise Bad("没有这一天或这一时刻。", "There is no such day or time of day.") from None


def _hour(hour: int, half: str | None) -> int:
    """Return the hour of the day of one that says which half of the day it is in.

    Twelve at night and in the morning is the first hour of that day; 下午 14时 is meant as written.
    Raises ValueError where the two speak against each other.
    """
    if half is None:
        return hour
    word = half.upper().replace(".", "")
    if word == "AM" or half in ("凌晨", "清晨", "早上", "早晨", "上午"):
        if hour > 12:
            raise ValueError(hour)
        # 上午12时 is noon to those who write it, 凌晨12时 and 12 AM are midnight.
        return 0 if hour == 12 and word in ("AM", "凌晨") else hour
    if half in ("中午", "午间"):
        return hour + 12 if hour < 3 else hour
    if hour == 12 and half in ("晚上", "夜间", "晚"):
        raise ValueError(hour)  # of this day or of the next?
    return hour + 12 if hour < 12 else hour


def _zone(text: str) -> tzinfo:
    if text.upper() == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def coded(text: str, codes: CodeList) -> str:
    """Return the code that a cell means: the code itself, or its Chinese or English name."""
    try:
        return _words(codes)[key(text)]
    except KeyError:
        choice = "、".join(f"{item.code}（{item.zh}）" for item in codes)
        raise Bad(
            f"不在代码表内，可用：{choice}。", f"Not one of: {', '.join(codes.values)}."
        ) from None


def _words(codes: CodeList) -> dict[str, str]:
    """Every way to write each code; the first meaning of a word wins."""
    words: dict[str, str] = {}
    exact = {key(item.code): item.code for item in codes}
    for item in codes:
        zh = unicodedata.normalize("NFKC", item.zh)
        parts = (
            item.code.lstrip("0"),
            zh,
            zh.split("(")[0],
            *zh.split("/"),
            item.en,
            item.en.split("(")[0],
        )
        for word in map(key, parts):
            words.setdefault(word, item.code)
    return words | exact


def parser(field: Field, zone: tzinfo) -> Callable[[str], Value]:
    """Return what turns the text of a cell into a value of ``field``. It raises ``Bad``."""
    codes = field.codes
    if codes is not None:
        return lambda text: coded(text, codes)
    if field.name in ("code", "parent"):
        return code_text
    if field.kind == "date":
        return lambda text: moment(text, zone).date()
    if field.kind == "datetime":
        return lambda text: moment(text, zone)
    # Free text is left to ``str`` itself: so it is known, and looked through for personal numbers.
    return {"integer": integer, "number": number}.get(field.kind, str)


def parsed(
    cells: Iterable[Any], parse: Callable[[str], Value]
) -> tuple[list[Value], list[tuple[int, Words]]]:
    """Parse a column: the values, None where blank or bad, and the bad positions with reasons.

    Equal cells are parsed once: columns of events repeat themselves.
    """
    cells = list(cells)
    if {*map(type, cells)} == {str}:
        return _parsed_texts(cells, parse)
    done: dict[tuple[type, Any], Value | Words] = {}
    values: list[Value] = []
    bad: list[tuple[int, Words]] = []
    for position, cell in enumerate(cells):
        known = (type(cell), cell if isinstance(cell, str | int | float) else id(cell))
        if known not in done:
            try:
                text = plain(cell)
                done[known] = None if text is None else parse(text)
            except Bad as error:
                done[known] = error.words
        value = done[known]
        if isinstance(value, Words):
            bad.append((position, value))
            value = None
        values.append(value)
    return values, bad


def _parsed_texts(
    cells: list[str], parse: Callable[[str], Value]
) -> tuple[list[Value], list[tuple[int, Words]]]:
    """Parse a column that holds nothing but text, as those of text files do: the same, faster."""
    done: dict[str, Value] = {}
    wrong: dict[str, Words] = {}
    distinct = {*cells}
    # One look at all of them: "plain" looks at each.
    clean = plain if _UNPRINTABLE.search("\n".join(distinct)) else str.strip
    for cell in distinct:
        try:
            text = clean(cell) or None
            done[cell] = None if text is None else parse(text)
        except Bad as error:
            done[cell], wrong[cell] = None, error.words
    bad = [(at, wrong[cell]) for at, cell in enumerate(cells) if cell in wrong] if wrong else []
    return [done[cell] for cell in cells], bad


def attributes(record: dict[str, Any], dump: Callable[[Any], str]) -> str:
    """Return attributes as JSON that PostgreSQL takes; raise ``Bad`` where it would not."""
    try:
        text = dump(record)
    except ValueError:
        raise Bad(
            "附加属性中有非有限的数。", "An attribute holds a number that is not finite."
        ) from None
    if _NO_JSON.search(text):
        raise Bad(
            "附加属性中含有不可用的字符。", "An attribute holds characters that cannot be stored."
        )
    return text


_NO_JSON = re.compile(r"(?<!\\)\\u0000|[\ud800-\udfff]")

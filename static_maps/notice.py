"""The printed notice of a change of grid boundaries: what it says, in Chinese and English.

:func:`write` makes a PDF or a DOCX of a :class:`Notice`: reason, maps before and after, a table of
the grids that change, what moves between them, and fields to sign by role and date. It names no
person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
from geopandas import GeoDataFrame
from shapely.geometry import shape

FORMATS = (".pdf", ".docx")

MEASURES: tuple[tuple[str, str, str], ...] = (
    ("households", "户数", "Households"),
    ("population", "人口", "Population"),
    ("buildings", "建筑", "Buildings"),
    ("staff", "网格员", "Staff"),
    ("events", "近一年事件", "Events, last year"),
    ("cameras", "摄像机", "Cameras"),
    ("area_m2", "面积（公顷）", "Area (ha)"),
)
"""Columns of the table of grids: key, Chinese, English. Areas come in m² and are shown in ha."""

MOVED = tuple(row for row in MEASURES if row[0] != "staff")

SIGNED = (("编制", "Prepared by"), ("审核", "Reviewed by"), ("批准", "Approved by"))

WORDS: dict[str, tuple[str, str]] = {
    "notice": ("网格边界调整通知书", "Notice of grid boundary change"),
    "subject": ("调整事项", "Subject"),
    "reason": ("调整理由", "Reason"),
    "number": ("文号", "Number"),
    "valid": ("生效日期", "In force from"),
    "made": ("制表日期", "Date"),
    "extent": ("涉及网格", "Grids"),
    "maps": ("一、调整前后边界", "1. Boundaries before and after"),
    "before": ("调整前", "Before"),
    "after": ("调整后", "After"),
    "grids": ("二、涉及网格情况（调整前 → 调整后）", "2. Grids that change (before → after)"),
    "moved": ("三、划转情况", "3. What changes hands"),
    "sign": ("四、审批", "4. Approval"),
    "grid": ("网格", "Grid"),
    "from": ("划出", "From"),
    "to": ("划入", "To"),
    "post": ("职务", "Post"),
    "seal": ("签章", "Signature, seal"),
    "date": ("日期", "Date"),
    "day": ("年    月    日", "(year, month, day)"),
    "old": ("原边界", "Before"),
    "new": ("新边界", "After"),
    "hands": ("划转范围", "Changes hands"),
    "draft": ("草案，未经批准不得执行", "Draft: not in force until approved"),
    "fresh": ("新设", "new"),
    "gone": ("撤销", "dissolved"),
    "nothing": ("没有建筑、事件和摄像机随边界划转。", "Nothing that is counted changes hands."),
    "total": ("合计", "Total"),
}


def both(key: str) -> str:
    """Return a word in both languages.

    >>> both("before")
    '调整前 Before'
    """
    return " ".join(WORDS[key])


@dataclass(frozen=True, slots=True)
class Notice:
    """A change of grid boundaries to be printed.

    ``before`` and ``after`` are the grids that change, with ``code`` and ``name``; ``moved`` the
    pieces that change hands, with ``from``, ``to`` (codes) and the counts of :data:`MOVED`;
    ``around`` (neighbours), ``roads`` and ``buildings`` are drawn beneath. All in EPSG:4326.
    ``table`` has a row for each grid: ``code``, ``name``, and ``before`` and ``after``, each the
    counts of :data:`MEASURES` or None where the grid does not exist. ``limits`` are those of
    households. ``footer`` is a note at the foot of every page.

    Raises ValueError where there is no grid or a column is missing.
    """

    title: str
    reason: str
    area: str
    before: GeoDataFrame
    after: GeoDataFrame
    moved: GeoDataFrame
    table: Sequence[Mapping[str, Any]]
    made: date
    limits: tuple[int, int] = (300, 500)
    valid_from: date | None = None
    number: str | None = None
    approved: bool = False
    around: GeoDataFrame | None = None
    roads: GeoDataFrame | None = None
    buildings: GeoDataFrame | None = None
    footer: str = ""

    def __post_init__(self) -> None:
        if not len(self.table) or not len(self.before) or not len(self.after):
            raise ValueError("A notice needs at least one grid before and one after.")
        wanted = {"before": {"code", "name"}, "after": {"code", "name"},
                  "moved": {"from", "to", *(key for key, _, _ in MOVED)}}  # fmt: skip
        for name, columns in wanted.items():
            frame: GeoDataFrame = getattr(self, name)
            missing = sorted(columns - set(frame.columns)) if len(frame) else []
            if missing:
                raise ValueError(f"The frame {name!r} of a notice has no column {missing[0]!r}.")
            if frame.crs is None or frame.crs.to_epsg() not in (4326, 4490):
                raise ValueError(f"The frame {name!r} of a notice must be in EPSG:4326.")

    @property
    def codes(self) -> list[str]:
        """The codes of the grids that change, before or after, in order."""
        return sorted({*self.before["code"], *self.after["code"]})

    @property
    def names(self) -> dict[str, str]:
        """The name of each grid by code; its code where it has none."""
        return {str(row["code"]): str(row.get("name") or row["code"]) for row in self.table}

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The lines at the head of the notice: title in both languages, words."""
        valid = day(self.valid_from) if self.valid_from else "批准发布之日 (on publication)"
        return [
            (both("subject"), self.title),
            (both("reason"), self.reason or "—"),
            (both("extent"), f"{len(self.codes)} 个 ({len(self.codes)})：{'、'.join(self.codes)}"),
            (both("valid"), valid),
            *([(both("number"), self.number)] if self.number else []),
            (both("made"), day(self.made)),
        ]


def numbers(notice: Notice) -> dict[str, int]:
    """Return the number of each grid, by which the maps name it, in the order of the table."""
    listed = [str(row["code"]) for row in notice.table]
    rest = [code for code in notice.codes if code not in listed]
    return {code: number for number, code in enumerate([*listed, *rest], start=1)}


def _named(notice: Notice) -> dict[str, str]:
    """Return number and name of each grid."""
    names = notice.names
    return {code: f"{number}  {names.get(code, code)}" for code, number in numbers(notice).items()}


def day(when: date) -> str:
    """Return a day in both languages.

    >>> day(date(2026, 9, 3))
    '2026年9月3日 (2026-09-03)'
    """
    return f"{when.year}年{when.month}月{when.day}日 ({when.isoformat()})"


def of_review(review: Mapping[str, Any], **words: Any) -> Notice:
    """Return the notice of a review: its ``before``, ``after`` and ``gains`` FeatureCollections.

    ``words`` are the other arguments of :class:`Notice`: title, reason, area, made, ….
    """
    columns = ["code", "name"]
    limits = review.get("balance_after", {}).get("limits", {}).get("households", (300, 500))
    told: dict[str, Any] = {
        "before": frame(review["before"], columns),
        "after": frame(review["after"], columns),
        "moved": frame(review["gains"], ["from", "to", *(key for key, _, _ in MOVED)]),
        "table": review["table"],
        "limits": (int(limits[0]), int(limits[1])),
    }
    return Notice(**{**told, **words})


def frame(collection: Mapping[str, Any], columns: Sequence[str]) -> GeoDataFrame:
    """Return the features of a GeoJSON FeatureCollection with these columns, also where empty."""
    features = collection["features"]
    rows = [{key: each["properties"].get(key) for key in columns} for each in features]
    return GeoDataFrame(
        pd.DataFrame(rows, columns=list(columns)),
        geometry=[shape(each["geometry"]) for each in features],
        crs=4326,
    )


def grid_rows(notice: Notice) -> list[list[str]]:
    """Return the table of grids: code with name, and each measure as before → after."""
    rows, names = [], _named(notice)
    for row in notice.table:
        before, after = row.get("before"), row.get("after")
        mark = "" if before and after else f"（{' '.join(WORDS['gone' if before else 'fresh'])}）"
        cells = [f"{names[str(row['code'])]}{mark}", str(row["code"])]
        for key, _, _ in MEASURES:
            cells.append(f"{_number(before, key)} → {_number(after, key)}")
        rows.append(cells)
    return rows


def moved_rows(notice: Notice) -> list[list[str]]:
    """Return the table of what changes hands, with its sum."""
    rows, sums = [], dict.fromkeys((key for key, _, _ in MOVED), 0.0)
    names = _named(notice)
    for row in notice.moved.drop(columns="geometry").to_dict("records"):
        counts = {key: float(row[key] or 0) for key in sums}
        ends = (str(row["from"]), str(row["to"]))
        rows.append([*(names.get(end, end) for end in ends), *(_number(counts, k) for k in sums)])
        sums = {key: value + counts[key] for key, value in sums.items()}
    if len(rows) > 1:
        rows.append([" ".join(WORDS["total"]), "", *(_number(sums, key) for key in sums)])
    return rows


def state(notice: Notice, row: Mapping[str, Any]) -> str:
    """Return ``below``, ``within`` or ``above`` for a row of the table, as it is afterwards."""
    after = row.get("after")
    if not after:
        return "within"
    if "state" in after:
        return str(after["state"])
    low, high = notice.limits
    count = after.get("households") or 0
    return "below" if count < low else "above" if count > high else "within"


def limits_note(notice: Notice) -> str:
    """Return the sentence on the limits of households."""
    after = [row["after"] for row in notice.table if row.get("after")]
    own = {tuple(row["limits"]) for row in after if "limits" in row} or {notice.limits}
    zh = "、".join(f"{low}—{high}" for low, high in sorted(own))
    en = " or ".join(f"{low} to {high}" for low, high in sorted(own))
    en += "" if len(own) == 1 else ", by their town"
    return (
        f"图上数字为表中序号。户数标准 {zh} 户，调整后不在标准内的以底色标明；"
        "人口按户分摊估算。"
        f"Numbers on the maps are those of the table. Households should be {en}: shaded "
        "where they are not. Population is estimated from households."
    )


def _number(counts: Mapping[str, Any] | None, key: str) -> str:
    if counts is None or counts.get(key) is None:
        return "—"
    value = float(counts[key])
    return f"{value / 1e4:,.2f}" if key == "area_m2" else f"{round(value):,}"


def write(notice: Notice, target: Path | str | BinaryIO, kind: str | None = None) -> None:
    """Write a notice as PDF or DOCX (A4).

    ``target`` is a path whose suffix chooses, or a file open for bytes with ``kind`` ``pdf`` or
    ``docx``. Raises ValueError for another kind, and FileNotFoundError where the Chinese font that
    maps need is not installed.
    """
    suffix = f".{kind}" if kind else Path(str(getattr(target, "name", target))).suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"A notice is written as {', '.join(FORMATS)}, not as {suffix or target}.")
    if suffix == ".pdf":
        from static_maps.notice_pdf import write_pdf  # noqa: PLC0415 - they read this module

        write_pdf(notice, target)
    else:
        from static_maps.notice_docx import write_docx  # noqa: PLC0415

        write_docx(notice, target)

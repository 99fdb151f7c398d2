"""Where more happens than chance puts there: Gi* of each cell, and the list in words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo_service.analyses.work import Work
from geo_service.analysis.emerging import emerging_hot_spots
from geo_service.analysis.local_g import LocalG, local_g
from geo_service.analysis.local_rate import local_rate
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.significance import benjamini_hochberg
from geo_service.analysis.smoothing import empirical_bayes
from geo_service.hotspots.cells import Cells, Named, cells_of, households_of, steps_of
from geo_service.hotspots.events import events_of
from geo_service.hotspots.evidence import (
    BENJAMINI_HOCHBERG,
    both,
    counted,
    evidence,
    expected_text,
    of_cells,
    p_text,
    too_little,
)
from geo_service.hotspots.question import HotSpots
from geo_service.problems import Problem

Floats = NDArray[np.float64]

MOST_BINS = 200_000
"""Weeks in a row are told where the cells times the weeks are no more: each is a test."""

GI_STAR = Sentence(
    "Getis-Ord Gi*：每个格子连同相邻格子的事件数，与各格数值随机重排的精确分布比较（不用模拟）",
    "Getis-Ord Gi*: the events of a cell and its neighbours, against the exact distribution of that"
    " sum when the cells' counts are shuffled (no simulation)",
)
GI_STAR_SOURCE = "Getis & Ord (1992), Geogr. Anal. 24:189; Ord & Getis (1995), Geogr. Anal. 27:286"
RATE = Sentence(
    "局部发生率：每个格子连同相邻格子的事件数，与“每起事件等可能落在任一户”的二项分布比较（精确）；"
    "所列发生率经经验贝叶斯平滑",
    "Local rate: the events of a cell and its neighbours, against the exact binomial distribution"
    " when every event is as likely at any household; rates shown are smoothed by empirical Bayes",
)
RATE_SOURCE = (
    "Getis & Ord (1992) for the sums; Marshall (1991), Appl. Stat. 40:283 for the smoothing"
)


def answer(work: Work, asked: HotSpots) -> dict[str, Any]:
    """Return the hot and cold spots of a window, with the evidence."""
    window = asked.window()
    events = events_of(asked)
    weeks = steps_of(window, "week")
    edges = [window.start, *weeks] if weeks[0] > window.start else weeks
    cells = cells_of(work, asked, events, edges)
    n = cells.events
    rated = asked.base == "households"
    about = evidence(
        work, asked, events, window, n=n, method=RATE if rated else GI_STAR,
        source=RATE_SOURCE if rated else GI_STAR_SOURCE,
        more=of_cells(cells) | {
            "alternative": "two-sided", "inference": "exact", "alpha": asked.alpha,
            "base": asked.base, "correction": f"FDR, {BENJAMINI_HOCHBERG}", "tests": len(cells),
            "seed": None,
        },
    )  # fmt: skip
    if little := too_little(n, len(cells)):
        return _nothing(about, little)
    work.step(50, "正在检验各格", "testing the cells")
    base = households_of(work, cells) if rated else None
    found, around, around_expected, expected = (
        _against_households(cells, base) if base is not None else _against_counts(cells)
    )
    significant = benjamini_hochberg(found.p, asked.alpha)
    kind = np.where(significant & (found.z > 0), "hot", np.where(significant & (found.z < 0),
                                                                 "cold", "none"))  # fmt: skip
    rate = None
    if base is not None:
        rate = empirical_bayes(cells.total, base)
        about["overall_rate_per_100_households"] = rate.overall * 100
    runs = _runs(cells, len(weeks) - 1, asked.alpha) if base is None else None
    if runs is not None:
        about["weeks"] = both(
            "“连续 n 周”：到窗口末尾为止，该格连续多少周为显著热点"
            f"（当周与前一周的时空 Gi*，全部格×周一并控制错误发现率 {asked.alpha:g}）",
            "Weeks in a row: how many weeks to the window's end the cell was a significant hot spot"
            f" (space-time Gi* of that week and the one before, FDR {asked.alpha:g} over all cells"
            " and weeks)",
        )
    work.step(80, "正在整理结果", "writing the answer")
    names = cells.names()
    features: list[dict[str, Any]] = []
    for cell, geometry in enumerate(cells.geometries()):
        properties: dict[str, Any] = {
            "name": names[cell].zh,
            "name_en": names[cell].en,
            "count": int(cells.total[cell]),
            "expected": float(expected[cell]),
            "around": int(around[cell]),
            "around_expected": float(around_expected[cell]),
            "z": float(found.z[cell]),
            "p": float(found.p[cell]),
            "kind": str(kind[cell]),
        }
        if rate is not None and base is not None:
            known = bool(rate.known[cell])
            properties["households"] = int(base[cell])
            properties["rate"] = float(rate.smoothed[cell] * 100) if known else None
            properties["raw_rate"] = float(rate.raw[cell] * 100) if known else None
        features.append(
            {"type": "Feature", "id": cells.id(cell), "geometry": geometry,
             "properties": properties}
        )  # fmt: skip
    ranked = [
        _line(cells, cell, names[cell], features[cell]["properties"], runs)
        for cell in _order(kind, found)
    ]
    hot, cold = int((kind == "hot").sum()), int((kind == "cold").sum())
    return {
        "cells": {"type": "FeatureCollection", "features": features},
        "ranked": ranked,
        "summary": _summary(about, cells, hot, cold, int(cells.total[kind == "hot"].sum())),
        "evidence": about,
        "steps": [],
    }


def _nothing(about: dict[str, Any], little: Sentence) -> dict[str, Any]:
    return {
        "cells": {"type": "FeatureCollection", "features": []},
        "ranked": [],
        "summary": both(*little),
        "evidence": about | {"enough": False},
        "steps": [],
    }


def _against_counts(cells: Cells) -> tuple[LocalG, Floats, Floats, Floats]:
    """Test counts; expected is the mean of all cells, as often as there are cells around."""
    total = cells.total
    try:
        found = local_g(total, cells.neighbours)
    except ValueError as error:
        raise Problem(
            422,
            "事件数过大，精确分布无法计算；请缩短时间窗口或改用更小的格子。",
            f"{error} Ask for a shorter window or smaller cells.",
        ) from None
    mean = cells.events / len(cells)
    size = 1 + np.asarray(cells.neighbours.sum(axis=1)).ravel()
    around = cells.neighbours @ total.astype(float) + total
    return found, around, size * mean, np.full(len(cells), mean)


def _against_households(cells: Cells, base: Floats) -> tuple[LocalG, Floats, Floats, Floats]:
    """Test events against households; cells with none around are not tested (p = 1)."""
    found = local_rate(cells.total, base, cells.neighbours)
    n = cells.total[base > 0].sum()
    return LocalG(found.z, found.p), found.around, found.expected, n * base / base.sum()


def _runs(cells: Cells, weeks: int, alpha: float) -> NDArray[np.int64] | None:
    """Return how many weeks in a row to the end each cell was hot, or None where not computed."""
    cube = cells.counts[:, -weeks:] if weeks > 0 else cells.counts[:, :0]
    if weeks < 2 or cube.size > MOST_BINS or cube.max(initial=0) > 5000:
        return None
    try:
        hot = emerging_hot_spots(cube, cells.neighbours, alpha=alpha).hot
    except ValueError:  # too large to be exact: the list goes without
        return None
    return np.where(hot.all(axis=1), weeks, np.argmin(hot[:, ::-1], axis=1))


def _order(kind: NDArray[Any], found: LocalG) -> list[int]:
    """Return the significant cells: hot ones first, the least likely first."""
    chosen = np.flatnonzero(kind != "none")
    key = np.lexsort((-np.abs(found.z[chosen]), found.p[chosen], kind[chosen] != "hot"))
    return [int(cell) for cell in chosen[key]]


def _line(
    cells: Cells,
    cell: int,
    name: Named,
    properties: dict[str, Any],
    runs: NDArray[np.int64] | None,
) -> dict[str, Any]:
    weeks = None if runs is None or properties["kind"] != "hot" else int(runs[cell])
    count, expected, p = properties["count"], properties["expected"], p_text(properties["p"])
    around, usual = properties["around"], properties["around_expected"]
    beside = int(cells.neighbours.indptr[cell + 1] - cells.neighbours.indptr[cell])
    told = expected_text(expected)
    zh = f"{name.zh}：{count} 起，预期 {told}"
    en = f"{name.en}: {counted(count, 'event')}, {told} expected"
    if properties.get("households") == 0:
        zh = f"{name.zh}：{count} 起，此格没有户数记录"
        en = f"{name.en}: {counted(count, 'event')}, no households on record here"
    if beside:
        zh += f"；连同相邻 {beside} 格 {around} 起，预期 {expected_text(usual)}"
        en += f"; with the {beside} around it {around}, {expected_text(usual)} expected"
    zh, en = f"{zh}，{p}", f"{en}, {p}"
    if weeks and weeks > 1:
        zh, en = f"{zh}，连续 {weeks} 周", f"{en}, {weeks} weeks in a row"
    if properties.get("rate") is not None:
        zh += f"，每百户 {properties['rate']:.1f} 起（平滑）"
        en += f", {properties['rate']:.1f} per 100 households (smoothed)"
    return {
        "cell": cells.id(cell),
        "place": name.document(),
        "kind": properties["kind"],
        "count": count,
        "expected": expected,
        "around": around,
        "around_expected": usual,
        "z": properties["z"],
        "p": properties["p"],
        "weeks": weeks,
        "sentence": both(zh, en),
    }


def _summary(
    about: dict[str, Any], cells: Cells, hot: int, cold: int, inside: int
) -> dict[str, str]:
    span = about["window"]
    alpha = about["alpha"]
    zh = f"{span['from']} 至 {span['to']}，{cells.events} 起事件，{len(cells)} 个格子："
    en = f"{span['from']} to {span['to']}, {counted(cells.events, 'event')} in {len(cells)} cells: "
    if hot or cold:
        zh += f"热点 {hot} 个（含 {inside} 起），冷点 {cold} 个"
        en += f"{hot} hot ({counted(inside, 'event')} in them), {cold} cold"
    else:
        zh += "没有热点或冷点，分布与随机无显著差别"
        en += "no hot or cold spots: it may all be chance"
    zh += f"；错误发现率不超过 {alpha:g}。"
    en += f"; false discovery rate at most {alpha:g}."
    if cells.outside:
        zh += f"另有 {cells.outside} 起不在任何格子内，未计入。"
        en += f" {cells.outside} more lie in no cell and are not counted."
    return both(zh, en)

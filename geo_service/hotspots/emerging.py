"""How hot and cold spots have come and gone: the categories of each cell, and every step."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from geo_service.analyses.work import Work
from geo_service.analysis.emerging import PATTERNS, emerging_hot_spots
from geo_service.analysis.sentence import Sentence
from geo_service.hotspots.cells import cells_of, steps_of
from geo_service.hotspots.events import events_of
from geo_service.hotspots.evidence import (
    BENJAMINI_HOCHBERG,
    both,
    counted,
    evidence,
    of_cells,
    too_little,
)
from geo_service.hotspots.question import Emerging
from geo_service.problems import Problem

FEWEST_STEPS = 4
MOST_BINS = 2_000_000

METHOD = Sentence(
    "时空热点演变：每格每步的时空 Gi*（该格与相邻格，本步与上一步）与精确排列分布比较，"
    "再按 ArcGIS 现行定义归入 17 类；趋势用 Mann-Kendall 检验",
    "Emerging hot spots: space-time Gi* of each cell and step (the cell and its neighbours, this"
    " step and the one before) against its exact permutation distribution, then the 17 categories"
    " as ArcGIS words them today; trend by Mann-Kendall",
)
SOURCE = (
    "Ord & Getis (1995), Geogr. Anal. 27:286; ArcGIS Pro, How Emerging Hot Spot Analysis works;"
    " Mann (1945), Econometrica 13:245"
)


def answer(work: Work, asked: Emerging) -> dict[str, Any]:
    """Return the category of each cell, its counts and scores by step, and the evidence."""
    window = asked.window()
    events = events_of(asked)
    edges = steps_of(window, asked.step)
    steps = len(edges) - 1
    if steps < FEWEST_STEPS:
        raise Problem(
            422,
            f"时间窗口太短：至少需要 {FEWEST_STEPS} 个完整的时间步（{_step(asked)[0]}）。",
            f"The window is too short: at least {FEWEST_STEPS} whole steps ({_step(asked)[1]}s) are"
            " needed.",
        )
    cells = cells_of(work, asked, events, edges)
    about = evidence(
        work, asked, events, window, n=cells.events, method=METHOD, source=SOURCE,
        more=of_cells(cells) | {
            "alternative": "two-sided", "inference": "exact", "alpha": asked.alpha,
            "correction": f"FDR, {BENJAMINI_HOCHBERG}", "tests": int(cells.counts.size),
            "step": asked.step, "step_count": steps, "counted_from": edges[0].date().isoformat(),
            "seed": None,
        },
    )  # fmt: skip
    told = [
        {"from": first.date().isoformat(), "to": _last_day(last)} for first, last in pairwise(edges)
    ]
    nothing: dict[str, Any] = {
        "cells": {"type": "FeatureCollection", "features": []},
        "steps": told,
        "categories": [],
        "ranked": [],
        "evidence": about,
    }
    if little := too_little(cells.events, len(cells)):
        return nothing | {"summary": both(*little), "evidence": about | {"enough": False}}
    if cells.counts.size > MOST_BINS:
        raise Problem(
            422,
            f"格子数乘时间步数超过 {MOST_BINS:,}，请改用更大的格子或更长的时间步。",
            f"Cells times steps are more than {MOST_BINS:,}: take larger cells or longer steps.",
        )
    work.step(40, "正在检验各格各步", "testing every cell and step")
    try:
        found = emerging_hot_spots(cells.counts, cells.neighbours, alpha=asked.alpha)
    except ValueError as error:
        raise Problem(
            422,
            "事件数过大，精确分布无法计算；请缩短时间窗口或改用更小的格子。",
            f"{error} Ask for a shorter window or smaller cells.",
        ) from None
    work.step(80, "正在整理结果", "writing the answer")
    names = cells.names()
    features: list[dict[str, Any]] = []
    for cell, geometry in enumerate(cells.geometries()):
        number = int(found.category[cell])
        features.append({
            "type": "Feature", "id": cells.id(cell), "geometry": geometry,
            "properties": {
                "name": names[cell].zh, "name_en": names[cell].en,
                "category": identifier(number),
                "count": int(cells.total[cell]),
                "trend_z": float(found.trend.z[cell]), "trend_p": float(found.trend.p[cell]),
                "steps": {
                    "count": cells.counts[cell].tolist(),
                    "z": np.round(found.z[cell], 3).tolist(),
                    "kind": [
                        "hot" if h else "cold" if c else "none"
                        for h, c in zip(found.hot[cell], found.cold[cell], strict=True)
                    ],
                },
            },
        })  # fmt: skip
    ranked = [
        {
            "cell": cells.id(cell),
            "place": names[cell].document(),
            "category": identifier(int(found.category[cell])),
            "count": int(cells.total[cell]),
            "sentence": _sentence(names[cell], int(found.category[cell]), int(cells.total[cell]),
                                  int(found.hot[cell].sum()), int(found.cold[cell].sum()), steps),
        }
        for cell in _order(found.category, found.z)
    ]  # fmt: skip
    categories = [
        {"id": identifier(number), **both(*PATTERNS[number]),
         "count": int((found.category == number).sum())}
        for number in sorted(PATTERNS, key=lambda n: (n == 0, n < 0, abs(n)))
    ]  # fmt: skip
    return nothing | {
        "cells": {"type": "FeatureCollection", "features": features},
        "categories": categories,
        "ranked": ranked,
        "summary": _summary(about, len(cells), found.category),
    }


def identifier(number: int) -> str:
    """Return a category's name for programs.

    >>> identifier(2), identifier(-8), identifier(0)
    ('consecutive-hot', 'historical-cold', 'none')
    """
    return PATTERNS[number].en.removesuffix(" spot").replace(" ", "-") if number else "none"


def _last_day(edge: Any) -> str:
    return str((edge.date() - timedelta(days=1)).isoformat())


def _step(asked: Emerging) -> tuple[str, str]:
    return ("周", "week") if asked.step == "week" else ("月", "month")


def _order(category: Any, z: Any) -> list[int]:
    """Return the cells with a pattern: hot before cold, the strongest in the last step first."""
    chosen = np.flatnonzero(category != 0)
    key = np.lexsort((-np.abs(z[chosen, -1]), category[chosen] < 0))
    return [int(cell) for cell in chosen[key]]


def _sentence(  # noqa: PLR0917
    name: Any, number: int, count: int, hot: int, cold: int, steps: int
) -> dict[str, str]:
    pattern = PATTERNS[number]
    return both(
        f"{name.zh}：{pattern.zh}，共 {count} 起，{steps} 步中 {hot} 步为热、{cold} 步为冷",
        f"{name.en}: {pattern.en}, {counted(count, 'event')}, hot in {hot} and cold in {cold}"
        f" of {steps} steps",
    )


def _summary(about: dict[str, Any], cells: int, category: Any) -> dict[str, str]:
    span = f"{about['counted_from']} – {about['window']['to']}"
    numbers = [n for n in sorted(PATTERNS, key=lambda n: (n < 0, abs(n))) if n]
    here = [(PATTERNS[n], int((category == n).sum())) for n in numbers]
    here = [(pattern, count) for pattern, count in here if count]
    if not here:
        return both(
            f"{span}，{about['n']} 起事件，{cells} 个格子，{about['step_count']} 步："
            "没有检测到模式。",
            f"{span}, {counted(about['n'], 'event')}, {cells} cells, {about['step_count']} steps:"
            " no pattern.",
        )
    return both(
        f"{span}，{about['n']} 起事件，{cells} 个格子，{about['step_count']} 步："
        + "，".join(f"{pattern.zh} {count} 个" for pattern, count in here)
        + "。",
        f"{span}, {counted(about['n'], 'event')}, {cells} cells, {about['step_count']} steps: "
        + ", ".join(counted(count, pattern.en) for pattern, count in here)
        + ".",
    )

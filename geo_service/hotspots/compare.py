"""One period against an earlier one: the ratio of rates in each cell, with exact intervals."""

from typing import Any

import numpy as np

from geo_service.analyses.work import Work
from geo_service.analysis.rates import compare_rates
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.significance import benjamini_hochberg
from geo_service.hotspots.cells import Cells, cells_of
from geo_service.hotspots.events import events_of
from geo_service.hotspots.evidence import (
    BENJAMINI_HOCHBERG,
    both,
    evidence,
    of_cells,
    p_text,
    too_little,
)
from geo_service.hotspots.question import Compare

METHOD = Sentence(
    "两时段泊松发生率之比（按天数折算），精确检验与 95% 精确区间",
    "Ratio of the Poisson rates of two periods (by their days), exact test and exact 95 % interval",
)
SOURCE = (
    "Przyborowski & Wilenski (1940), Biometrika 31:313; Clopper & Pearson (1934), Biometrika 26:404"
)


def answer(work: Work, asked: Compare) -> dict[str, Any]:
    """Return how the rate of each cell has changed, with the evidence."""
    now, before = asked.window(), asked.earlier()
    events = events_of(asked)
    first, second = (before, now) if before.first < now.first else (now, before)
    # One count over both, the time between them as a step of its own.
    edges = [first.start, first.end, second.start, second.end]
    if first.end == second.start:
        edges = [first.start, first.end, second.end]
    cells = cells_of(work, asked, events, edges)
    counts = cells.counts[:, [0, -1]] if first is before else cells.counts[:, [-1, 0]]
    was, is_ = counts[:, 0], counts[:, 1]
    n = int(counts.sum())
    about = evidence(
        work, asked, events, now, n=n, method=METHOD, source=SOURCE,
        more=of_cells(cells) | {
            "before": before.document(), "n_before": int(was.sum()), "n_now": int(is_.sum()),
            "alternative": "two-sided", "inference": "exact", "alpha": asked.alpha,
            "confidence": 0.95, "correction": f"FDR, {BENJAMINI_HOCHBERG}", "tests": len(cells),
            "seed": None, "outside": None,
        },
    )  # fmt: skip
    if little := too_little(n):
        return {
            "cells": {"type": "FeatureCollection", "features": []},
            "ranked": [],
            "summary": both(*little),
            "evidence": about | {"enough": False},
        }
    work.step(50, "正在比较各格", "comparing the cells")
    found = compare_rates(is_, was, exposure_now=now.days, exposure_before=before.days)
    significant = benjamini_hochberg(found.p, asked.alpha)
    change = np.where(significant, np.where(found.ratio > 1, "more", "less"), "none")
    whole = compare_rates(
        [is_.sum()], [was.sum()], exposure_now=now.days, exposure_before=before.days
    )
    names = cells.names()
    features: list[dict[str, Any]] = []
    for cell, geometry in enumerate(cells.geometries()):
        features.append({
            "type": "Feature", "id": cells.id(cell), "geometry": geometry,
            "properties": {
                "name": names[cell].zh, "name_en": names[cell].en,
                "before": int(was[cell]), "after": int(is_[cell]),
                "ratio": _finite(found.ratio[cell]), "low": _finite(found.low[cell]),
                "high": _finite(found.high[cell]), "p": float(found.p[cell]),
                "change": str(change[cell]),
            },
        })  # fmt: skip
    chosen = np.flatnonzero(change != "none")
    order = chosen[np.lexsort((found.p[chosen], change[chosen] != "more"))]
    ranked = [_line(cells, int(cell), names, features[int(cell)]["properties"]) for cell in order]
    return {
        "cells": {"type": "FeatureCollection", "features": features},
        "ranked": ranked,
        "summary": _summary(about, whole, change, asked.alpha),
        "evidence": about,
    }


def _finite(value: Any) -> float | None:
    """Return a number, or None where there is no upper end: JSON has no infinity."""
    return float(value) if np.isfinite(value) else None


def _number(value: float | None) -> str:
    return "∞" if value is None else f"{value:.2f}"


def _line(cells: Cells, cell: int, names: list[Any], found: dict[str, Any]) -> dict[str, Any]:
    zh = (
        f"{names[cell].zh}：{found['before']} 起 → {found['after']} 起，发生率之比 "
        f"{_number(found['ratio'])}（95% 区间 {_number(found['low'])}–{_number(found['high'])}），"
        f"{p_text(found['p'])}"
    )
    en = (
        f"{names[cell].en}: {found['before']} → {found['after']} events, rate ratio "
        f"{_number(found['ratio'])} (95 % interval {_number(found['low'])} to "
        f"{_number(found['high'])}), {p_text(found['p'])}"
    )
    return {
        "cell": cells.id(cell),
        "place": names[cell].document(),
        **{name: found[name] for name in ("change", "before", "after", "ratio", "low", "high",
                                          "p")},
        "sentence": both(zh, en),
    }  # fmt: skip


def _summary(about: dict[str, Any], whole: Any, change: Any, alpha: float) -> dict[str, str]:
    now, before = about["window"], about["before"]
    ratio, low, high = (_finite(part[0]) for part in (whole.ratio, whole.low, whole.high))
    more, less = int((change == "more").sum()), int((change == "less").sum())
    return both(
        f"{now['from']} 至 {now['to']} {about['n_now']} 起，{before['from']} 至 {before['to']} "
        f"{about['n_before']} 起；总体发生率之比 {_number(ratio)}（95% 区间 {_number(low)}–"
        f"{_number(high)}），{p_text(float(whole.p[0]))}。显著增多 {more} 格，显著减少 {less} 格"
        f"（错误发现率不超过 {alpha:g}）。",
        f"{now['from']} to {now['to']}: {about['n_now']} events; {before['from']} to "
        f"{before['to']}: {about['n_before']}. Overall rate ratio {_number(ratio)} (95 % interval "
        f"{_number(low)} to {_number(high)}), {p_text(float(whole.p[0]))}. Significantly more in "
        f"{more} cells, less in {less} (false discovery rate at most {alpha:g}).",
    )

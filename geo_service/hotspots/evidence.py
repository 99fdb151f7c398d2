"""What stands behind an answer, so that it can be defended and repeated."""

from collections.abc import Mapping
from typing import Any

from geo_service.analyses.work import Work
from geo_service.analysis.sentence import Sentence
from geo_service.hotspots.cells import Cells
from geo_service.hotspots.events import Events, place_of
from geo_service.hotspots.question import Question, Window

FEWEST_EVENTS = 20
FEWEST_CELLS = 8
"""With fewer, an answer is a sentence: whatever came out would say more about chance."""

BENJAMINI_HOCHBERG = "Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57:289"


def both(zh: str, en: str) -> dict[str, str]:
    """Return a sentence for an answer."""
    return {"zh": zh, "en": en}


def evidence(
    work: Work,
    question: Question,
    events: Events,
    window: Window,
    *,
    n: int,
    method: Sentence,
    source: str,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what any answer says of itself: events, window, area, method, source, data time."""
    place = place_of(work, question.area)
    layer = events.layer
    return {
        "layer": both(layer.title.zh, layer.title.en) | {"id": layer.id},
        "n": n,
        "window": window.document(),
        "filter": question.filter,
        "area": {"code": place.code, "name": place.zh} if place else None,
        "scope": work.principal.area,
        "method": both(*method),
        "source": source,
        "data_at": work.at.isoformat(),
        "enough": True,
        **(more or {}),
    }


def of_cells(cells: Cells) -> dict[str, Any]:
    """Return what evidence says of the cells."""
    kinds = {
        "grids": both(
            "现行网格；事件按其地点今天所在的网格计数",
            "grids in force; an event counts for the grid that its place lies in today",
        ),
        "squares": both("正方形格网，按网格外边界裁切", "squares, clipped to the grids' outline"),
        "hexagons": both("六边形格网，按网格外边界裁切", "hexagons, clipped to the grids' outline"),
    }
    near = {
        "grids": both("相接的网格", "grids that touch"),
        "squares": both("相邻八格（皇后式）", "the eight around (queen)"),
        "hexagons": both("相邻六格", "the six around"),
    }
    return {
        "cells": kinds[cells.kind] | {"id": cells.kind},
        "cell_count": len(cells),
        "size": cells.size,
        "size_reason": both(*cells.reason) if cells.reason else None,
        "neighbours": near[cells.kind],
        "crs": f"EPSG:{cells.lattice.crs.to_epsg()}",
        "outside": cells.outside,
    }


def too_little(n: int, cells: int | None = None, *, least: int = FEWEST_EVENTS) -> Sentence | None:
    """Return the sentence that stands for an answer where there is too little data, else None.

    >>> too_little(3).en
    'Too little data: 3 events in this window, and at least 20 are needed. No figures are shown.'
    >>> too_little(100, 90) is None
    True
    """
    if n < least:
        return Sentence(
            f"数据太少：该时间窗口内只有 {n} 起事件，至少需要 {least} 起，因此不给出数值。",
            f"Too little data: {n} events in this window, and at least {least} are needed."
            " No figures are shown.",
        )
    if cells is not None and cells < FEWEST_CELLS:
        return Sentence(
            f"格子太少：只有 {cells} 个，至少需要 {FEWEST_CELLS} 个才能相互比较，因此不给出数值。",
            f"Too few cells: {cells}, and at least {FEWEST_CELLS} are needed to compare them."
            " No figures are shown.",
        )
    return None


def p_text(p: float) -> str:
    """Return a p-value as people write it.

    >>> p_text(0.00004), p_text(0.0314), p_text(0.0005)
    ('p < 0.001', 'p = 0.031', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def expected_text(value: float) -> str:
    """Return an expected number as people write it: small ones with two digits that say something.

    >>> [expected_text(v) for v in (0, 0.034, 0.96, 17.25)]
    ['0', '0.034', '1.0', '17.2']
    """
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def counted(count: int, noun: str) -> str:
    """Return a number of things in English.

    >>> counted(1, "event"), counted(5, "new hot spot")
    ('1 event', '5 new hot spots')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"

"""What is told of every placement: how far any other choice could be better."""

from typing import Any

from geo_service.analysis.placement import Median, Placement
from geo_service.analysis.sentence import Sentence
from geo_service.coverage.drawing import both, collection
from geo_service.coverage.question import Placing

UNITS = {
    "blind": ("平方米", "m²"), "area": ("平方米", "m²"), "events": ("起事件", "events"),
    "households": ("户", "households"),
}  # fmt: skip
"""What demand counts in, in Chinese and English."""


def proven(placed: Placement | Median) -> dict[str, Any]:
    """Return the bound that no choice beats, and the gap to it."""
    return {
        "bound": round(placed.bound, 3),
        "gap": round(placed.gap, 6),
        "optimal": placed.optimal,
    }


def certain(placed: Placement | Median) -> tuple[str, str]:
    """Return the same in words, in Chinese and English."""
    if placed.optimal:
        return "已证明在候选点位中最优", "proven the best choice among the candidates"
    return (
        f"与可证明的界限相差至多 {placed.gap:.1%}",
        f"no other choice is more than {placed.gap:.1%} better",
    )


def nothing(inputs: Placing) -> dict[str, Any]:
    """Return the answer where nothing can be proposed."""
    zh = {
        "blind": "没有盲区", "area": "没有空地",
        "events": "没有过去的事件", "households": "没有住户",
    }[inputs.demand]  # fmt: skip
    return collection(
        [],
        bound=None,
        gap=None,
        optimal=False,
        summary=both(
            Sentence(
                f"{zh}或没有候选点位，因此没有建议。",
                "There is no such demand, or no place to see it from: nothing is proposed.",
            )
        ),
        about={"candidates": 0, "kept": 0},
    )

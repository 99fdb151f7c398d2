"""Whether an event makes another one near it more likely soon after."""

from itertools import pairwise
from typing import Any

import numpy as np

from geo_service.analyses.work import Work
from geo_service.analysis.near_repeat import knox
from geo_service.analysis.sentence import Sentence
from geo_service.hotspots.cells import town_of
from geo_service.hotspots.events import events_of, points
from geo_service.hotspots.evidence import both, counted, evidence, expected_text, p_text, too_little
from geo_service.hotspots.projection import Projection
from geo_service.hotspots.question import NearRepeat
from geo_service.problems import Problem

MOST_EVENTS = 30_000
"""More events make pairs beyond what a job can hold and shuffle."""

AT_ONCE = 5_000_000
"""Events times simulations that somebody waits for; more is for a job."""

METHOD = Sentence(
    "Knox 检验：按距离和时间间隔统计事件对，与把时间随机重排 {simulations} 次的结果比较；p 为单侧",
    "Knox's test: pairs of events by distance and interval, against {simulations} random"
    " permutations of the times; p is one-sided",
)
SOURCE = "Knox (1964), Appl. Stat. 13:25; Ratcliffe & Rengert (2008), Secur. J. 21:58"


def answer(work: Work, asked: NearRepeat) -> dict[str, Any]:
    """Return the table of pairs by distance and interval, with the evidence."""
    for name, edges in (("distances", asked.distances), ("intervals", asked.intervals)):
        if not all(low < high for low, high in pairwise(edges)):
            raise Problem(422, f"{name} 应逐个增大。", f"The edges of {name} must rise.")
    window = asked.window()
    events = events_of(asked)
    outline = town_of(work, asked.area).outline()
    work.step(10, "正在读取事件", "reading the events")
    found = points(work, events, window)
    zh, en = (text.format(simulations=asked.simulations) for text in METHOD)
    about = evidence(
        work, asked, events, window, n=len(found), method=Sentence(zh, en), source=SOURCE,
        more={"alternative": "greater", "simulations": asked.simulations, "seed": asked.seed,
              "metric": "euclidean"},
    )  # fmt: skip
    if little := too_little(len(found)):
        return {"table": [], "summary": both(*little), "evidence": about | {"enough": False}}
    if len(found) > MOST_EVENTS:
        raise Problem(
            422,
            f"{len(found):,} 起事件太多（上限 {MOST_EVENTS:,}），请缩短时间窗口或加过滤条件。",
            f"{len(found):,} events are too many ({MOST_EVENTS:,} at most): take a shorter window"
            " or a filter.",
        )
    work.refuse_long(len(found) * asked.simulations > AT_ONCE)
    x, y = Projection.over(outline).metres(found.lon, found.lat)
    work.step(30, "正在模拟", "simulating")
    made = knox(
        x, y, found.day, asked.distances, asked.intervals,
        simulations=asked.simulations, seed=asked.seed,
    )  # fmt: skip
    table, sentences = [], []
    for i, (near, far) in enumerate(pairwise(asked.distances)):
        for j, (soon, late) in enumerate(pairwise(asked.intervals)):
            observed, expected = int(made.observed[i, j]), float(made.expected[i, j])
            p = float(made.p[i, j])
            told = both(
                f"相距 {near:g}–{far:g} 米、相隔 {soon:g}–{late:g} 天：{observed} 对，预期 "
                f"{expected_text(expected)}，{p_text(p)}",
                f"{near:g} to {far:g} m and {soon:g} to {late:g} days apart:"
                f" {counted(observed, 'pair')}, {expected_text(expected)} expected, {p_text(p)}",
            )
            table.append({
                "distance": [near, far], "interval": [soon, late], "observed": observed,
                "expected": expected, "ratio": observed / expected if expected else None, "p": p,
                "sentence": told,
            })  # fmt: skip
            if (i, j) == (0, 0):
                sentences = [told]
    sure = bool(made.p[0, 0] <= 0.05) and bool(np.all(made.observed[0, 0] > made.expected[0, 0]))
    verdict = (
        ("存在近重复", "there are near repeats")
        if sure
        else ("没有发现近重复", "no near repeats are found")
    )
    return {
        "table": table,
        "summary": both(
            f"{window.first} 至 {window.last}，{len(found)} 起事件：{verdict[0]}。"
            f"{sentences[0]['zh']}。",
            f"{window.first} to {window.last}, {len(found)} events: {verdict[1]}. "
            f"{sentences[0]['en']}.",
        ),
        "evidence": about,
    }

"""Which method would have told where events come next, beside the cells that were busiest."""

from typing import Any

import numpy as np

from geo_service.analyses.work import Work
from geo_service.analysis import forecast
from geo_service.analysis.forecast import BASELINE, Past, evaluate
from geo_service.analysis.sentence import Sentence
from geo_service.hotspots.cells import cells_of
from geo_service.hotspots.events import events_of
from geo_service.hotspots.evidence import both, evidence, of_cells, too_little
from geo_service.hotspots.question import Forecast
from geo_service.hotspots.scan import daily
from geo_service.problems import Problem

AT_ONCE = 3_000_000
"""Events times forecasts times cells in thousands that somebody waits for."""

MOST_WORK = 2_000_000_000
"""Pairs of events and cells of all forecasts together."""

METHOD = Sentence(
    "滚动起点评估：从 {origins} 个时间点、只用此前的记录预测其后 {period} 天，"
    "按标出面积的份额统计命中（PAI、PEI）",
    "Rolling origins: from {origins} moments, with what was on record then, the {period} days after"
    " are forecast; hits by the share of area flagged (PAI, PEI)",
)
SOURCE = "Chainey, Tompson & Uhlig (2008), Secur. J. 21:4; Hunt (2016), Do crime hot spots move?"
NAMES = {
    BASELINE: "上期最多的格子",
    "all of the history": "全部历史",
    "kernel density": "核密度",
    "Gi*": "Gi*",
    "near repeat": "近重复",
    "emerging": "热点演变",
}


def answer(work: Work, asked: Forecast) -> dict[str, Any]:
    """Return how well each method did, the baseline among them, with the evidence."""
    window = asked.window()
    ahead = asked.period * asked.origins
    if window.days < ahead + 2 * asked.period:
        raise Problem(
            422,
            f"时间窗口太短：{asked.origins} 次、每次 {asked.period} 天的预测至少需要 "
            f"{ahead + 2 * asked.period} 天。",
            f"The window is too short: {asked.origins} forecasts of {asked.period} days need"
            f" {ahead + 2 * asked.period} days at least.",
        )
    events = events_of(asked)
    cells = cells_of(work, asked, events, daily(window))
    zh, en = (part.format(origins=asked.origins, period=asked.period) for part in METHOD)
    history = float(window.days - ahead)
    side = float(np.sqrt(np.median(cells.lattice.areas())))
    about = evidence(
        work, asked, events, window, n=cells.events, method=Sentence(zh, en), source=SOURCE,
        more=of_cells(cells) | {
            "period": asked.period, "origins": asked.origins, "history_days": history,
            "bandwidth": side, "seed": None,
            "places": both("事件记在所在格子的中心", "an event counts at the middle of its cell"),
        },
    )  # fmt: skip
    if little := too_little(cells.events, len(cells), least=100):
        return {"table": [], "ranked": [], "summary": both(*little),
                "evidence": about | {"enough": False}}  # fmt: skip
    if cells.events * len(cells) * asked.origins > MOST_WORK:
        raise Problem(
            422,
            "事件与格子太多，请缩短时间窗口、加过滤条件或用更大的格子。",
            "Too many events and cells: take a shorter window, a filter or larger cells.",
        )
    work.refuse_long(cells.events * len(cells) // 1000 * asked.origins > AT_ONCE)
    cell, day = np.nonzero(cells.counts)
    times = cells.counts[cell, day]
    cell = np.repeat(cell, times)
    time = np.asarray(np.repeat(day, times), np.float64) + 0.5
    x, y = cells.lattice.centres.T
    past = Past(x[cell], y[cell], time, cell, 0.0, float(asked.period), x, y, cells.neighbours)
    methods = {
        "all of the history": forecast.busiest_ever,
        "kernel density": forecast.kernel_density(side),
        "Gi*": forecast.gi_star,
        "near repeat": forecast.near_repeat_decay(side, 2.0 * asked.period),
        "emerging": forecast.emerging,
    }
    work.step(30, "正在逐期预测", "forecasting period by period")
    try:
        found = evaluate(
            past, cells.lattice.areas(), methods,
            origins=[history + n * asked.period for n in range(asked.origins)],
            history=history, area_shares=asked.shares,
        )  # fmt: skip
    except ValueError as error:
        raise Problem(422, "预测期内没有事件，无法评估。", f"{error}.") from None
    table = [
        {
            "method": both(NAMES[score.method], score.method),
            "baseline": score.method == BASELINE,
            "area_share": score.area_share, "hits": score.hits, "events": score.events,
            "hit_rate": score.hit_rate, "pai": score.pai, "pei": score.pei,
            "origins": score.origins, "better": score.won, "worse": score.lost,
        }
        for score in found.scores
    ]  # fmt: skip
    ranked = [{"sentence": both(*verdict)} for verdict in found.verdicts()]
    share = asked.shares[0]
    best = max((s for s in found.scores if s.area_share == share), key=lambda s: s.hits)
    base = found.of(BASELINE, share)
    return {
        "table": table,
        "ranked": ranked,
        "summary": both(
            f"标出 {share:.0%} 的面积：最好的是“{NAMES[best.method]}”，"
            f"命中 {best.hit_rate:.1%} 的事件；"
            f"“上期最多的格子”命中 {base.hit_rate:.1%}。",
            f"Flagging {share:.0%} of the area: the best is {best.method} with {best.hit_rate:.1%}"
            f" of the events; the cells that were busiest last period have {base.hit_rate:.1%}.",
        ),
        "evidence": about,
    }

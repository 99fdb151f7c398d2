"""Emerging hot spots, comparison, scan, density, clusters, near repeats, forecasts."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from geo_service.analysis.rates import compare_rates
from geo_service.hotspots.cells import steps_of
from geo_service.hotspots.question import Window
from geo_service.problems import Problem
from tests.conftest import TestDatabase
from tests.geo_service.hotspots.conftest import Asked


def test_emerging_has_every_step_and_category(ask: Asked, until: date) -> None:
    first = until - timedelta(days=400)
    found = ask("emerging", **{"from": first.isoformat(), "to": until.isoformat()})
    steps = found["steps"]
    assert len(steps) == 13
    assert steps[-1]["to"] == until.isoformat()
    for before, after in pairwise(steps):
        gap = date.fromisoformat(after["from"]) - date.fromisoformat(before["to"])
        assert gap == timedelta(days=1)
    assert len(found["categories"]) == 17
    features = found["cells"]["features"]
    assert sum(entry["count"] for entry in found["categories"]) == len(features)
    for feature in features:
        told = feature["properties"]
        assert len(told["steps"]["count"]) == len(told["steps"]["z"]) == len(steps)
        assert sum(told["steps"]["count"]) == told["count"]
    known = {entry["id"] for entry in found["categories"]}
    assert {f["properties"]["category"] for f in features} <= known


def test_the_cluster_of_the_last_days_emerges(
    ask: Asked, truth: dict[str, Any], until: date
) -> None:
    planted = truth["emerging"]
    found = ask(
        "emerging",
        filter="category = 'property'",
        step="week",
        to=until.isoformat(),
        **{"from": (until - timedelta(days=181)).isoformat()},
    )
    fresh = {
        f["id"]
        for f in found["cells"]["features"]
        if f["properties"]["category"] in {"new-hot", "consecutive-hot"}
    }
    assert fresh & set(planted["grids"])


def test_weeks_are_counted_back_from_the_end() -> None:
    edges = steps_of(Window.of(date(2026, 1, 1), date(2026, 1, 31)), "week")
    assert [edge.day for edge in edges] == [4, 11, 18, 25, 1]
    edges = steps_of(Window.of(date(2025, 11, 29), date(2026, 3, 30)), "month")
    assert [edge.date().isoformat() for edge in edges] == [
        "2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31"
    ]  # fmt: skip


def test_compare_counts_both_periods(ask: Asked, demo_database: TestDatabase, until: date) -> None:
    first = until - timedelta(days=89)
    found = ask("compare", **{"from": first.isoformat(), "to": until.isoformat()})
    with demo_database.connect() as connection:
        rows = connection.execute(
            "SELECT grid_now, count(*) FILTER (WHERE day < %(first)s),"
            " count(*) FILTER (WHERE day >= %(first)s) FROM (SELECT grid_now,"
            " (occurred_at AT TIME ZONE 'Asia/Shanghai')::date AS day FROM disputes) AS d"
            " WHERE day BETWEEN %(start)s AND %(last)s GROUP BY 1",
            {"first": first, "start": first - timedelta(days=90), "last": until},
        ).fetchall()
    counts = {code: (before, after) for code, before, after in rows}
    for feature in found["cells"]["features"]:
        told = feature["properties"]
        before, after = counts.get(feature["id"], (0, 0))
        assert (told["before"], told["after"]) == (before, after)
        right = compare_rates([after], [before])
        assert told["p"] == pytest.approx(right.p[0])
        assert told["low"] == pytest.approx(right.low[0])
    other = ask(
        "compare",
        before_from=(first - timedelta(days=365)).isoformat(),
        before_to=(until - timedelta(days=365)).isoformat(),
        **{"from": first.isoformat(), "to": until.isoformat()},
    )
    assert other["evidence"]["before"]["days"] == 90
    assert other["evidence"]["n_now"] == found["evidence"]["n_now"]


def test_the_scan_finds_the_planted_cluster_and_nothing_else(
    ask: Asked, truth: dict[str, Any], until: date
) -> None:
    planted = truth["emerging"]
    found = ask("scan", filter="category = 'property'", to=until.isoformat(), simulations=499)
    sure = [f for f in found["features"]["features"] if f["properties"]["significant"]]
    assert len(sure) == 1
    told = sure[0]["properties"]
    assert set(planted["grids"]) <= set(told["cells"])
    assert abs(date.fromisoformat(told["start"]) - date.fromisoformat(planted["start"])) <= (
        timedelta(days=3)
    )
    assert told["recurrence_days"] > 365
    again = ask("scan", filter="category = 'property'", to=until.isoformat(), simulations=499)
    assert again["ranked"] == found["ranked"], "the same seed gives the same answer"


def test_density_contours_hold_what_they_say(ask: Asked, until: date) -> None:
    found = ask("density", to=until.isoformat(), shares=[0.5, 0.9])
    small, large = (f["properties"] for f in found["features"]["features"])
    assert small["area_km2"] < large["area_km2"]
    assert 0.4 < small["share"] < large["share"] <= 1
    assert found["evidence"]["bandwidth_rule"]["id"] == "arcgis"


def test_clusters_and_near_repeats(ask: Asked, until: date) -> None:
    found = ask("clusters", to=until.isoformat(), distance=120, least=12, days=60)
    told = found["evidence"]
    inside = sum(f["properties"]["count"] for f in found["features"]["features"])
    assert inside + told["noise"] == told["n"]
    table = ask("near-repeat", to=until.isoformat(), simulations=99)["table"]
    assert len(table) == 16
    assert all(0.01 <= cell["p"] <= 1 for cell in table)
    with pytest.raises(Problem) as refused:
        ask("near-repeat", distances=[100, 0, 50])
    assert refused.value.status == 422


def test_a_forecast_names_the_baseline(ask: Asked, until: date) -> None:
    found = ask(
        "forecast", to=until.isoformat(), origins=3, size=400,
        **{"from": (until - timedelta(days=364)).isoformat()},
    )  # fmt: skip
    base = [row for row in found["table"] if row["baseline"]]
    assert len(base) == 3
    assert len(found["ranked"]) == 5 * 3
    assert all("上期最多的格子" in line["sentence"]["zh"] for line in found["ranked"])

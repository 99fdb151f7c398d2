"""Hot spots of the demonstration town: what was planted is found, counted right, and defended."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from scipy import sparse

from geo_service.analysis.local_g import local_g
from geo_service.database import Principal
from geo_service.problems import Problem
from tests.conftest import TestDatabase
from tests.geo_service.hotspots.conftest import Asked

COMMUNITY = "990101101005"


def hot(found: dict[str, Any]) -> set[str]:
    return {f["id"] for f in found["cells"]["features"] if f["properties"]["kind"] == "hot"}


def test_every_lasting_planted_spot_is_found(
    ask: Asked, truth: dict[str, Any], until: date
) -> None:
    for planted in truth["hot_spots"]:
        first, last = date.fromisoformat(planted["start"]), date.fromisoformat(planted["end"])
        if len(planted["months"]) < 12:
            continue
        found = ask(
            "hot-spots",
            layer=planted["layer"],
            filter=f"category = '{planted['category']}'",
            cells="squares",
            size=200,
            **{"from": first.isoformat(), "to": last.isoformat()},
        )
        centre = shapely.Point(planted["center"])
        spots = [
            shapely.geometry.shape(f["geometry"])
            for f in found["cells"]["features"]
            if f["properties"]["kind"] == "hot"
        ]
        assert any(spot.distance(centre) < 0.0012 for spot in spots), planted["name"]
        assert found["evidence"]["n"] > 20


def test_a_cell_is_what_its_events_are(
    ask: Asked, demo_database: TestDatabase, until: date
) -> None:
    first = until - timedelta(days=181)
    found = ask("hot-spots", **{"from": first.isoformat(), "to": until.isoformat()})
    with demo_database.connect() as connection:
        rows = connection.execute(
            "SELECT grid_now, count(*) FROM disputes WHERE"
            " (occurred_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %s AND %s GROUP BY 1",
            [first, until],
        ).fetchall()
        touching = connection.execute(
            "SELECT a.code, b.code FROM grids AS a JOIN grids AS b ON st_intersects(a.geom, b.geom)"
            " WHERE a.valid_to IS NULL AND b.valid_to IS NULL AND a.code <> b.code"
        ).fetchall()
    counts: dict[str, int] = dict(rows)
    features = found["cells"]["features"]
    assert {f["id"]: f["properties"]["count"] for f in features if f["properties"]["count"]} == (
        counts
    )
    # Neighbours from PostGIS give the same p as those of the service.
    place = {f["id"]: n for n, f in enumerate(features)}
    pairs = np.array([(place[a], place[b]) for a, b in touching])
    matrix = sparse.csr_array((np.ones(len(pairs)), pairs.T), shape=(len(place), len(place)))
    again = local_g([f["properties"]["count"] for f in features], matrix)
    told = np.array([f["properties"]["p"] for f in features])
    assert np.abs(again.p - told).max() < 1e-9


def test_the_list_says_what_the_map_shows(ask: Asked, until: date) -> None:
    found = ask("hot-spots", to=until.isoformat(), base="households")
    features = {f["id"]: f["properties"] for f in found["cells"]["features"]}
    ranked = found["ranked"]
    assert ranked, "the town has hot spots"
    assert {line["cell"] for line in ranked if line["kind"] == "hot"} == hot(found)
    for line in ranked:
        told = features[line["cell"]]
        assert (line["count"], line["p"]) == (told["count"], told["p"])
        assert f"{line['count']} 起" in line["sentence"]["zh"]
        assert f"{line['count']} events" in line["sentence"]["en"]
    hottest = [line["p"] for line in ranked if line["kind"] == "hot"]
    assert hottest == sorted(hottest)


def test_rates_are_of_households(ask: Asked, demo_database: TestDatabase, until: date) -> None:
    found = ask("hot-spots", to=until.isoformat(), base="households")
    with demo_database.connect() as connection:
        households: dict[str, int | None] = dict(
            connection.execute(
                "SELECT code, households FROM grids WHERE valid_to IS NULL"
            ).fetchall()
        )
    for feature in found["cells"]["features"]:
        told = feature["properties"]
        held = households[feature["id"]] or 0
        assert told["households"] == held
        if held:
            assert told["raw_rate"] == pytest.approx(100 * told["count"] / held)
    assert found["evidence"]["overall_rate_per_100_households"] > 0


def test_evidence_is_complete(ask: Asked, until: date) -> None:
    found = ask("hot-spots", to=until.isoformat(), area="990101101", cells="hexagons")
    told = found["evidence"]
    for name in ("method", "source", "n", "window", "cells", "size", "neighbours", "alternative",
                 "correction", "alpha", "data_at", "crs", "seed", "outside"):  # fmt: skip
        assert name in told, name
    assert told["area"] == {"code": "990101101", "name": "柳溪镇（演示）"}
    assert told["size_reason"]["zh"]
    assert told["window"]["days"] == 182
    assert told["crs"] == "EPSG:4548"
    assert (
        told["n"] + told["outside"]
        == sum(f["properties"]["count"] for f in found["cells"]["features"]) + told["outside"]
    )


def test_an_officer_of_a_part_counts_that_part(ask: Asked, until: date) -> None:
    window = {"from": (until - timedelta(days=1000)).isoformat(), "to": until.isoformat()}
    mine = ask("hot-spots", Principal("a", "officer", COMMUNITY), **window)
    area = ask("hot-spots", area=COMMUNITY, **window)
    assert mine["evidence"]["scope"] == COMMUNITY
    assert mine["evidence"]["n"] == area["evidence"]["n"] > 0
    assert {f["id"][:12] for f in mine["cells"]["features"]} == {COMMUNITY}
    squares = ask(
        "hot-spots", Principal("a", "officer", COMMUNITY), cells="squares", size=150, **window
    )
    assert squares["evidence"]["n"] + squares["evidence"]["outside"] == mine["evidence"]["n"]
    with pytest.raises(Problem) as refused:
        ask("hot-spots", Principal("a", "officer", COMMUNITY), area="990101101006", **window)
    assert refused.value.status == 422


def test_too_little_data_is_a_sentence(ask: Asked, until: date) -> None:
    day = {"from": until.isoformat(), "to": until.isoformat()}
    for process in ("hot-spots", "density", "clusters", "near-repeat", "scan", "compare"):
        found = ask(process, filter="category = 'medical'", **day)
        assert found["evidence"]["enough"] is False, process
        assert "数据太少" in found["summary"]["zh"], process
        shapes = found.get("cells") or found.get("features")
        assert not (shapes or {}).get("features"), process
        assert not found.get("ranked"), process
    few = ask("hot-spots", Principal("a", "officer", f"{COMMUNITY}001"), to=until.isoformat())
    assert few["ranked"] == []


def test_squares_are_counted_where_the_events_are(
    ask: Asked, demo_database: TestDatabase, until: date
) -> None:
    """Counts by squares, against squares cut in PostGIS from coordinates that it projects."""
    found = ask("hot-spots", to=until.isoformat(), cells="squares", size=500)
    with demo_database.connect() as connection:
        rows = connection.execute(
            "SELECT floor(st_x(m) / 500)::int || ',' || floor(st_y(m) / 500)::int, count(*)"
            " FROM (SELECT st_transform(geom, 4548) AS m FROM disputes WHERE"
            " (occurred_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %s AND %s) AS d"
            " GROUP BY 1",
            [until - timedelta(days=181), until],
        ).fetchall()
    told = {
        f["id"]: f["properties"]["count"]
        for f in found["cells"]["features"]
        if f["properties"]["count"]
    }
    assert told == dict(rows)


def test_projection_agrees_with_proj() -> None:
    from geo_service.hotspots.projection import MANY, Projection

    rng = np.random.default_rng(1)
    for west, south in ((117.2, 31.8), (87.4, 43.7), (133.9, 18.2)):
        lon = west + rng.uniform(0, 0.2, MANY)
        lat = south + rng.uniform(0, 0.2, MANY)
        made = Projection.over(shapely.box(west, south, west + 0.2, south + 0.2))
        true = Transformer.from_crs(4326, made.crs, always_xy=True).transform(lon, lat)
        away = np.hypot(*np.subtract(made.metres(lon, lat), true))
        assert away.max() < 1e-4

"""The demonstration town: what it promises in numbers, and that its planted truth is there."""

import hashlib
import json
import re
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from layers.catalogue import CATALOGUE
from layers.town import Town, build

UNTIL = date(2026, 9, 30)
LAYERS = ("areas", "grids", "buildings", "roads", "places", "cameras", "privacy_zones", "hazards",
          "disputes")  # fmt: skip
EVENTS = {"disputes": "occurred_at", "hazards": "found_at"}


@pytest.fixture(scope="module")
def town() -> Town:
    return build()


TO_METRES = Transformer.from_crs(4326, 4548, always_xy=True)


def metric(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.column_stack(TO_METRES.transform(xy[:, 0], xy[:, 1]))


def metres(table: gpd.GeoDataFrame) -> npt.NDArray[Any]:
    geometries = table["geom"].to_numpy()
    return np.asarray(shapely.transform(geometries, metric))


def digest(town: Town) -> str:
    made = hashlib.sha256(json.dumps(town.truth).encode())
    for table in town.tables.values():
        made.update(pd.util.hash_pandas_object(table.drop(columns="geom")).to_numpy().tobytes())
        made.update(b"".join(shapely.to_wkb(table["geom"].dropna().to_numpy())))
    return made.hexdigest()


def test_counts(town: Town) -> None:
    size = {name: len(table) for name, table in town.tables.items()}
    assert tuple(size) == LAYERS
    assert (size["grids"], size["buildings"], size["cameras"]) == (156, 4531, 1204)
    assert (size["areas"], size["disputes"], size["hazards"]) == (15, 9400, 5359)
    assert 60 <= size["places"] <= 90
    closed = sum(int(town.tables[name]["closed_at"].notna().sum()) for name in EVENTS)
    assert closed == town.truth["counts"]["closed"] == 14301
    grids = town.tables["grids"]
    assert grids["population"].sum() == 94163
    assert grids["staff"].sum() == 165
    areas = town.tables["areas"].set_index("level")
    assert areas.loc["community", "population"].sum() == areas.loc["town", "population"] == 94163


@pytest.mark.parametrize("name", LAYERS)
def test_columns_and_codes(town: Town, name: str) -> None:
    table, layer = town.tables[name], CATALOGUE[name]
    fields = {f.name: f for f in layer.fields if not f.derived}
    assert set(table.columns) == {*fields, "geom"}
    assert table.crs == 4326
    assert table["code"].is_unique
    for field in fields.values():
        values = table[field.name]
        if field.required:
            assert values.notna().all(), field.name
        if field.codes:
            assert set(values.dropna()) <= set(field.codes.values), field.name
        if field.kind == "datetime":
            assert str(values.dt.tz) == "Asia/Shanghai", field.name
    geometry = table["geom"].dropna().to_numpy()
    assert shapely.is_valid(geometry).all()
    if layer.geometry != "GEOMETRY":
        assert {g.upper() for g in table["geom"].dropna().geom_type} == {layer.geometry}
    xy = shapely.get_coordinates(geometry)
    assert np.array_equal(xy, np.round(xy, 8))


def test_codes_are_well_formed(town: Town) -> None:
    areas, grids = town.tables["areas"], town.tables["grids"]
    assert list(areas["code"][:2]) == ["990101", "990101101"]
    community = areas.loc[areas["level"] == "community", "code"]
    assert list(community) == [f"990101101{n:03d}" for n in range(1, 14)]
    assert (grids["code"].str.slice(0, 12) == grids["parent"]).all()
    assert set(grids["parent"]) == set(community)
    for _, codes in grids.groupby("parent")["code"]:
        assert [int(c[12:]) for c in codes] == list(range(1, len(codes) + 1))
    assert town.tables["cameras"]["code"].str.fullmatch(r"9901010000(131|132)\d{7}").all()
    assert town.tables["disputes"]["code"].str.fullmatch(r"JF20\d{8}").all()
    assert town.tables["hazards"]["code"].str.fullmatch(r"YH20\d{8}").all()
    assert not town.tables["disputes"]["organisation"].str.contains(r"[先生女士]|\d").any()


def test_grids_are_a_coverage(town: Town) -> None:
    grids = town.tables["grids"]["geom"].to_numpy()
    assert shapely.coverage_is_valid(grids)
    whole = shapely.union_all(grids)
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert shapely.area(grids).sum() == pytest.approx(whole.area, rel=1e-12)
    for area in town.tables["areas"]["geom"].dropna():
        assert len(area.geoms) == 1
        assert not area.geoms[0].interiors
    assert all(len(g.geoms) == 1 and not g.geoms[0].interiors for g in grids)


def test_grids_are_even(town: Town) -> None:
    grids = town.tables["grids"]
    basic = grids.loc[grids["kind"] == "basic", "households"]
    assert len(basic) > 110
    assert basic.between(200, 500).mean() > 0.8
    assert 2.3 < 94163 / grids["households"].sum() < 2.8


def test_buildings_stand_apart_and_inside_one_grid(town: Town) -> None:
    buildings, grids = town.tables["buildings"], town.tables["grids"]
    shapes = metres(buildings)
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    assert (a == b).all()
    building, grid = shapely.STRtree(grids["geom"]).query(buildings["geom"], predicate="within")
    assert np.array_equal(np.sort(building), np.arange(len(buildings)))
    homes = np.bincount(grid, buildings["households"].to_numpy()[building], len(grids))
    assert np.array_equal(homes, grids["households"])
    storey = buildings["height"] / buildings["floors"]
    assert storey[buildings["use"] != "industrial"].between(2.8, 3.4).all()
    roads = metres(town.tables["roads"])
    half = town.tables["roads"]["width"].to_numpy() / 2
    road = shapely.buffer(roads, half, quad_segs=2, cap_style="flat")
    assert len(shapely.STRtree(shapes).query(road, predicate="intersects")[0]) == 0


@pytest.mark.parametrize("name", ["cameras", "hazards", "disputes"])
def test_points_lie_in_the_town(town: Town, name: str) -> None:
    outline = town.tables["areas"]["geom"].iloc[1]
    shapely.prepare(outline)
    assert shapely.covers(outline, town.tables[name]["geom"].to_numpy()).all()


def test_times_are_in_order(town: Town) -> None:
    end = pd.Timestamp(UNTIL, tz="Asia/Shanghai") + pd.Timedelta(hours=18)
    disputes, hazards = town.tables["disputes"], town.tables["hazards"]
    assert (disputes["occurred_at"] <= disputes["reported_at"]).all()
    assert disputes["reported_at"].max() < end
    for table, start in ((disputes, "reported_at"), (hazards, "found_at")):
        done = table[table["closed_at"].notna()]
        assert (done[start] <= done["closed_at"]).all()
        assert done["closed_at"].max() < end
        assert (table[start] < table["due_at"]).all()
        final = {"closed", "resolved", "verified"}
        assert (table["status"].isin(final) == table["closed_at"].notna()).all()
        overdue = table["closed_at"].isna() & (table["due_at"] < end)
        assert 0 < overdue.sum() < 0.03 * len(table)
    moments = pd.concat([town.tables[name][column] for name, column in EVENTS.items()])
    assert moments.max().date() == UNTIL
    assert moments.min() > end - pd.Timedelta(days=1096)
    assert (moments.dt.year.value_counts() > 1000).sum() >= 3


def test_rhythms(town: Town) -> None:
    disputes, hazards = town.tables["disputes"], town.tables["hazards"]
    window = disputes[disputes["channel"] == "window"]["reported_at"]
    assert (window.dt.day_of_week < 5).all()
    noise = disputes[disputes["category"] == "environment"]["occurred_at"]
    assert noise.dt.month.isin([6, 7, 8]).mean() > 0.35
    water = hazards[hazards["category"] == "water"]["found_at"]
    assert water.dt.month.isin([6, 7, 8]).mean() > 0.45
    fire = hazards[hazards["category"] == "fire"]["found_at"]
    assert fire.dt.month.isin([12, 1, 2]).mean() > 0.3


def test_hot_spots_stand_out(town: Town) -> None:
    buildings = town.tables["buildings"]
    homes_at = shapely.get_coordinates(shapely.centroid(metres(buildings)))
    planted = [*town.truth["hot_spots"], town.truth["emerging"]]
    assert len(planted) == 6
    for spot in planted:
        table = town.tables[spot["layer"]]
        mine = table[table["code"].isin(spot["codes"])]
        assert len(mine) == spot["events"] == len(spot["codes"])
        assert (mine["category"] == spot["category"]).all()
        centre = metric(np.array([spot["center"]]))
        xy = shapely.get_coordinates(metres(table))
        inside = np.hypot(*(xy - centre).T) <= spot["radius_m"] + 0.01
        assert inside[mine.index].all(), spot["name"]
        moment = table[EVENTS[spot["layer"]]]
        on = moment.dt.strftime("%Y-%m-%d").between(spot["start"], spot["end"])
        on &= moment.dt.month.isin(spot["months"])
        assert on[mine.index].all(), spot["name"]
        held = gpd.sjoin(mine, town.tables["grids"][["code", "geom"]], predicate="within")
        assert set(held["code_right"]) == set(spot["grids"])
        of = (table["category"] == spot["category"]) & on
        # Labour and fire go by land use, so they are held against other times, not households.
        if spot["category"] in {"labour", "fire"}:
            span = (pd.Timestamp(spot["end"]) - pd.Timestamp(spot["start"])).days / 1096
            other = (table["category"] == spot["category"]) & ~on
            assert (of & inside).sum() / span > 1.6 * (other & inside).sum() / (1 - span)
            continue
        near = np.hypot(*(homes_at - centre).T) <= spot["radius_m"]
        share = buildings["households"][near].sum() / buildings["households"].sum()
        assert (of & inside).sum() > 1.8 * share * of.sum(), spot["name"]


def test_emerging_cluster_is_new(town: Town) -> None:
    spot = town.truth["emerging"]
    assert spot["events"] == 26
    assert len(spot["grids"]) == 2
    assert spot["start"] == "2026-09-17"
    first, second = (town.tables["grids"].set_index("code")["geom"][code] for code in spot["grids"])
    assert shapely.intersection(first, second).length > 0


def test_camera_status(town: Town) -> None:
    cameras = town.tables["cameras"]
    share = cameras["status"].value_counts(normalize=True)
    assert share["online"] == pytest.approx(0.93, abs=0.005)
    assert share["offline"] == pytest.approx(0.04, abs=0.005)
    assert cameras["tilt"].between(8, 35).all()
    assert cameras["azimuth"].between(0, 360, inclusive="left").all()
    ratio = cameras["sensor_width"] / cameras["sensor_height"]
    assert ratio.between(1.76, 1.80).all()
    assert cameras["installed_on"].max() <= UNTIL


@pytest.mark.slow
def test_the_seed_decides(town: Town) -> None:
    assert digest(build()) == digest(town)
    other = build(1)
    assert digest(other) != digest(town)
    for name in ("events", "open", "population", "grids", "buildings", "cameras"):
        assert other.truth["counts"][name] == town.truth["counts"][name]
    assert shapely.coverage_is_valid(other.tables["grids"]["geom"].to_numpy())


def test_truth_names_nobody(town: Town) -> None:
    assert not re.search(r"\b1[3-9]\d{9}\b", json.dumps(town.truth))

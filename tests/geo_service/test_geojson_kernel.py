"""Shapes as text, compiled: byte for byte what PostGIS writes, or left to it."""

import json
from collections.abc import Iterator

import psycopg
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geo_service.ogc import geojson_kernel, kernels
from tests.conftest import TestDatabase
from tests.geo_service.features import ITEMS, Client, client, reader

__all__ = ["client", "reader"]

STEPS = 10**8


@pytest.fixture(scope="module")
def connection(demo_database: TestDatabase) -> Iterator[psycopg.Connection]:
    with demo_database.connect(autocommit=True) as opened:
        yield opened


# On the lattice, with all that is special in writing: nothing, one step, whole numbers, zeros.
number = st.one_of(
    st.integers(-180 * STEPS, 180 * STEPS),
    st.integers(-20, 20),
    st.integers(-180, 180).map(lambda whole: whole * STEPS),
    st.integers(-1800, 1800).map(lambda tenths: tenths * STEPS // 10),
).map(lambda steps: steps / STEPS)
pair = st.tuples(number, number)
line = st.lists(pair, min_size=2, max_size=6).map(shapely.LineString)
ring = st.lists(pair, min_size=3, max_size=6)
polygon = st.tuples(ring, st.lists(ring, max_size=2)).map(lambda parts: shapely.Polygon(*parts))
empty = st.sampled_from(
    [shapely.from_wkt(f"{kind} EMPTY") for kind in ("POINT", "LINESTRING", "POLYGON",
     "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON")]
)  # fmt: skip
shape: st.SearchStrategy[BaseGeometry] = st.one_of(
    pair.map(shapely.Point),
    line,
    polygon,
    st.lists(pair, min_size=1, max_size=4).map(shapely.MultiPoint),
    st.lists(line, min_size=1, max_size=3).map(shapely.MultiLineString),
    st.lists(polygon, min_size=1, max_size=3).map(shapely.MultiPolygon),
    empty,
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shapes=st.lists(st.one_of(shape, st.none()), min_size=1, max_size=8), srid=st.booleans())
def test_it_writes_as_postgis_does(
    connection: psycopg.Connection, shapes: list[BaseGeometry | None], srid: bool
) -> None:
    wkb = [None if one is None else shapely.to_wkb(one, byte_order=1) for one in shapes]
    expected = [
        "null" if text is None else text
        for (text,) in connection.execute(
            "SELECT st_asgeojson(st_geomfromwkb(wkb), 8, 0)"
            " FROM unnest(%s::bytea[]) WITH ORDINALITY AS t (wkb, n) ORDER BY n",
            [wkb],
        )
    ]
    if srid:
        wkb = [
            None if one is None else shapely.to_wkb(shapely.set_srid(one, 4326), include_srid=True)
            for one in shapes
        ]
    written = geojson_kernel.write(wkb)
    assert written is not None
    assert [bytes(text).decode() for text in written] == expected


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(0.123456785, 1),  # between two steps of the lattice
        shapely.Point(2e9, 1),
        shapely.Point(float("inf"), 1),
        shapely.from_wkt("POINT Z (1 2 3)"),
        shapely.from_wkt("GEOMETRYCOLLECTION (POINT (1 2))"),
    ],
)
def test_what_it_cannot_write_is_left_to_the_database(shape: BaseGeometry) -> None:
    assert geojson_kernel.write([shapely.to_wkb(shape)]) is None
    assert geojson_kernel.write([shapely.to_wkb(shape, byte_order=0)]) is None


def test_pages_are_the_same_bytes_with_and_without_it(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.sql(
        "INSERT INTO buildings (code, height, geom) VALUES"
        " ('H1', 12.5, st_makeenvelope(117.001, 31.001, 117.002, 31.002, 4326)),"
        " ('H2', NULL, st_difference(st_makeenvelope(117.003, 31.001, 117.004, 31.002, 4326),"
        " st_makeenvelope(117.0032, 31.0012, 117.0034, 31.0015, 4326)))"
    )
    written = kernels.GEOJSON.wait()
    assert written is not None
    asked = [
        f"{ITEMS.format(layer)}?{query}"
        for layer in ("areas", "grids", "buildings", "disputes", "roads")
        for query in (
            "limit=2", "properties=code", "properties=", "sortby=-code",
            "crs=http://www.opengis.net/def/crs/EPSG/0/4326",
            "crs=http://www.opengis.net/def/crs/EPSG/0/3857", "code=none",
        )
    ]  # fmt: skip
    with_it = [reader.get(path) for path in asked]
    monkeypatch.setattr(kernels.GEOJSON, "get", lambda: None)
    without = [reader.get(path) for path in asked]
    reader.sql("DELETE FROM buildings WHERE code IN ('H1', 'H2')")
    assert [answer.status_code for answer in with_it] == [200] * len(asked)
    assert [answer.content for answer in with_it] == [answer.content for answer in without]
    assert sum(len(json.loads(answer.content)["features"]) for answer in with_it) > 30

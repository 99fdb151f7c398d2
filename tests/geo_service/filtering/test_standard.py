"""CQL2 as the standard's own examples and test suite have it (OGC 21-065r2, annexes A and B)."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import psycopg
import pytest
import shapely
from psycopg import sql
from psycopg.rows import TupleRow

from geo_service.ogc.filtering import Column, Columns, FilterError, condition, parse
from geo_service.ogc.filtering.columns import Kind
from geo_service.ogc.filtering.functions import FUNCTIONS
from tests.conftest import TestDatabase

_FUNCTIONS = ", ".join(FUNCTIONS)
_TYPES: dict[str, tuple[Kind, str]] = {
    "str": ("text", "text"),
    "object": ("text", "text"),
    "int64": ("number", "bigint"),
    "int32": ("number", "bigint"),
    "float64": ("number", "float8"),
    "date": ("date", "date"),
    "start": ("datetime", "timestamptz"),
    "end": ("datetime", "timestamptz"),
    "boolean": ("boolean", "boolean"),
}


def _load(connection: psycopg.Connection[TupleRow], source: Path, name: str) -> Columns:
    frame = gpd.read_file(source, layer=name)
    known: dict[str, Column] = {"geom": Column("geometry", "geom")}
    types = {}
    for column, dtype in frame.dtypes.items():
        if column == "geometry":
            continue
        kind, type_ = _TYPES.get(str(column)) or _TYPES[str(dtype)]
        known[str(column)], types[str(column)] = Column(kind, str(column)), type_
    definitions = [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in types.items()]
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {} ({}, geom geometry)").format(
            sql.Identifier(name), sql.SQL(", ").join(definitions)
        )
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy,
    ):
        for values in frame.to_dict("records"):
            shape = shapely.set_srid(values.pop("geometry"), 4326)
            cells = [
                None if _missing(value) else _cell(value, type_)
                for value, type_ in zip(values.values(), types.values(), strict=True)
            ]
            copy.write_row([*cells, shapely.to_wkb(shape, hex=True, include_srid=True)])
    return Columns(known)


def _missing(value: Any) -> bool:
    return value is None or value != value or str(value) == "NaT"  # noqa: PLR0124 - NaN


def _cell(value: Any, type_: str) -> Any:
    if type_ in {"bigint", "boolean"}:
        return bool(value) if type_ == "boolean" else int(value)
    return str(value) if type_ in {"date", "timestamptz", "text"} else value


@pytest.fixture(scope="module")
def natural_earth(
    demo_database: TestDatabase, shared_data: Path
) -> Iterator[tuple[psycopg.Connection[TupleRow], dict[str, Columns]]]:
    source = shared_data / "vec_cql2" / "ne110m4cql2.gpkg"
    with demo_database.connect() as connection:
        connection.execute("SET TIME ZONE 'UTC'")  # the file's times name no zone, and mean this
        names = gpd.list_layers(source)["name"]
        yield connection, {name: _load(connection, source, name) for name in names}
        connection.rollback()


def _predicates() -> list[Any]:
    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "vec_cql2"
    found = []
    for file in sorted(folder.glob("*.csv")):
        with file.open(encoding="utf-8") as stream:
            found += [
                pytest.param(row["collection"], row["predicate"], int(row["expected"]))
                for row in csv.DictReader(stream)
            ]
    return found or [pytest.param("", "", 0, marks=pytest.mark.skip("the data is not here"))]


@pytest.mark.parametrize(("collection", "predicate", "expected"), _predicates())
def test_counts_of_the_test_suite(
    natural_earth: tuple[psycopg.Connection[TupleRow], dict[str, Columns]],
    collection: str,
    predicate: str,
    expected: int,
) -> None:
    connection, columns = natural_earth
    where, values = condition(parse(predicate), columns[collection])
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(sql.Identifier(collection), where)
    row = connection.execute(query, values).fetchone()
    assert row == (expected,), predicate


def test_all_examples_parse_and_text_equals_json(shared_data: Path) -> None:
    texts = sorted((shared_data / "vec_cql2" / "examples" / "text").glob("*.txt"))
    assert len(texts) == 120
    for file in texts:
        tree = parse(file.read_text(encoding="utf-8"))
        twin = file.parents[1] / "json" / file.with_suffix(".json").name
        if twin.exists():
            assert parse(twin.read_text(encoding="utf-8"), "cql2-json") == tree, file.name


def test_examples_become_sql_that_runs(demo_database: TestDatabase, shared_data: Path) -> None:
    """Each example whose names and functions are given is executed; PostgreSQL judges it."""
    kinds: dict[str, tuple[Kind, str]] = dict.fromkeys(
        [
            "value", "foo", "bar", "x", "taxes", "floors", "depth", "balance", "windSpeed",
            "vehicle_height", "bridge_clearance", "eo:cloud_cover", "landsat:wrs_row",
            "landsat:wrs_path",
        ],
        ("number", "float8"),
    )  # fmt: skip
    kinds |= dict.fromkeys(
        [
            "city", "cityName", "name", "owner", "material", "road_class", "etat_vol",
            "beamMode", "swathDirection", "polarization", "id", "landsat:scene_id",
            "eo:instrument", "geophys:SURVEY_NAME",
        ],
        ("text", "text"),
    )  # fmt: skip
    kinds |= dict.fromkeys(
        [
            "updated",
            "updated_at",
            "event_time",
            "touchdown",
            "liftOff",
            "starts_at",
            "ends_at",
            "built",
        ],
        ("datetime", "timestamptz"),
    )  # fmt: skip
    kinds |= dict.fromkeys(
        ["geometry", "road", "footprint", "location"], ("geometry", "geometry(Geometry, 4326)")
    )
    kinds |= {"swimming_pool": ("boolean", "boolean"), "category": ("number", "bigint")}
    kinds |= dict.fromkeys(["values", "layer:ids"], ("array", "jsonb"))
    columns = Columns({name: Column(kind, name) for name, (kind, _) in kinds.items()})
    ran, refused = 0, []
    with demo_database.connect() as connection:
        definitions = [
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_))
            for name, (_, type_) in kinds.items()
        ]
        connection.execute(
            sql.SQL("CREATE TEMP TABLE example ({})").format(sql.SQL(", ").join(definitions))
        )
        for file in sorted((shared_data / "vec_cql2" / "examples" / "text").glob("*.txt")):
            try:
                where, values = condition(parse(file.read_text(encoding="utf-8")), columns)
            except FilterError as error:
                refused.append((file.stem, error.en))
                continue
            connection.execute(sql.SQL("SELECT FROM example WHERE {}").format(where), values)
            ran += 1
        connection.rollback()
    # The others ask for what no table has, or hold shapes that are no shapes.
    assert dict(refused) == {
        name: sentence
        for names, sentence in (
            ("clause6_01 clause6_02b", f"There is no function 'avg'; there are: {_FUNCTIONS}."),
            ("example68", f"There is no function 'foo'; there are: {_FUNCTIONS}."),
            ("example69", f"There is no function 'bar'; there are: {_FUNCTIONS}."),
            ("example40 example40-alt01", "The kinds do not fit: a number and text."),
            ("example03", "The kinds do not fit: a number and text."),
            (
                "example46 example46-alt01",
                "A geometry of the filter is invalid: Ring Self-intersection[-0.333333 89].",
            ),
            (
                "example49 example49-alt01",
                "A geometry of the filter is invalid: Hole lies outside shell[-65.887123 2.00001].",
            ),
            ("example84", "s_equals takes no geometry collections."),
        )
        for name in names.split()
    }
    assert ran == 120 - len(refused)

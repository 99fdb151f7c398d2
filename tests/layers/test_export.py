"""Export, then import: the identity, for every layer and every format that is read."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import psycopg
import pyogrio
import pytest
import python_calamine
import shapely
from psycopg import sql
from psycopg.rows import TupleRow

from geo_service.embedded import Cluster
from layers.catalogue import CATALOGUE, Layer
from layers.export import (
    FORMATS,
    Exported,
    ExportError,
    Selection,
    export,
    selection,
    stream,
)
from layers.intake import intake
from layers.intake.coordinates import wgs84_to_gcj02
from layers.intake.readers import READERS
from tests.conftest import copy_of, create

Connection = psycopg.Connection[TupleRow]

HOLED = (
    "POLYGON((117 31,117 31.01,117.01000001 31.01,117.01 31,117 31),"
    "(117.002 31.002,117.004 31.002,117.00400007 31.004,117.002 31.002))"
)
HOLE = "MULTIPOLYGON(((117.002 31.002,117.00400007 31.004,117.004 31.002,117.002 31.002)))"
TWO = (
    "MULTIPOLYGON(((116 30,116 30.1,116.1 30.1,116.1 30,116 30),"
    "(116.02 30.02,116.05 30.02,116.05 30.05,116.02 30.02)),"
    "((116.2 30,116.2 30.1,116.3 30.1,116.2 30)))"
)
AWKWARD = (
    "柳溪镇“老街”, 12号",
    'a "quoted", comma;\ttab',
    "第一行\n第二行",
    "007",
    "=1+1",
    "<&>'\\ %s {} é",
    "1e5",
    "NULL",
    "-",
    "测" * 80,
)
POINT = "POINT(117.12345678 31.00000001)"

STATEMENTS = (
    "INSERT INTO areas (code, name, level, parent) VALUES"
    " ('990101101', '小镇', 'town', NULL), ('990101101001', '北社区', 'community', '990101101')",
    f"INSERT INTO areas (code, name, level, population, geom)"
    f" VALUES ('990199', '“县”, 一', 'county', 12345, st_geomfromtext('{TWO}', 4326))",
    f"INSERT INTO grids (code, name, kind, parent, households, valid_from, geom) VALUES"
    f" ('990101101001001', '外,圈', 'basic', '990101101001', 0, '2024-03-05 08:30:01.234567+08',"
    f"  st_multi(st_geomfromtext('{HOLED}', 4326))),"
    f" ('990101101001002', '内圈', 'special', '990101101001', NULL, NULL,"
    f"  st_geomfromtext('{HOLE}', 4326))",
    f"INSERT INTO buildings (code, height, floors, use, geom) VALUES"
    f" ('007', 12.3, 4, 'residential', st_geomfromtext('{HOLED}', 4326)),"
    f" ('B,\"1', NULL, NULL, NULL, st_geomfromtext('{HOLED}', 4326))",
    "INSERT INTO roads (code, name, road_class, width, geom) VALUES"
    " ('R1', '中山路', 'local', 0.1, 'SRID=4326;LINESTRING(117 31,117.1 31.00000003,117.2 31)')",
    f"INSERT INTO places (code, name, kind, geom) VALUES"
    f" ('P1', '学校', 'school', st_geomfromtext('{POINT}', 4326)),"
    f" ('P2', '市场', 'market', st_geomfromtext('{HOLED}', 4326))",
    f"INSERT INTO cameras (code, name, camera_class, azimuth, pixels_across, installed_on,"
    f" status_at, attributes, geom) VALUES ('00010100001320000001', '路口', '1', 359.25, 1920,"
    f" '2020-02-29', '2026-01-02 03:04:05.678+00', '{{\"高程\": 12.5, \"备注\": \"a,b\"}}',"
    f" st_geomfromtext('{POINT}', 4326)),"
    f" ('99010100001320000002', NULL, NULL, NULL, NULL, NULL, NULL, '{{\"高程\": 3,"
    f' "标签": ["a", {{"b": null}}], "备用": true}}\', st_geomfromtext(\'{POINT}\', 4326))',
    f"INSERT INTO privacy_zones (code, name, kind, geom) VALUES"
    f" ('PZ1', '宿舍', 'dormitory', st_geomfromtext('{HOLED}', 4326)),"
    f" ('PZ2', NULL, 'other', st_geomfromtext('{HOLED}', 4326))",
    f"INSERT INTO hazards (code, category, level, status, found_at, geom) VALUES"
    f" ('YH001', 'fire', '2', 'assigned', '2026-01-20 00:00+08', st_geomfromtext('{POINT}', 4326))",
    f"INSERT INTO alerts (code, kind, statistic, p, window_start, window_end, observed, geom)"
    f" VALUES ('A1', 'scan', -12.75, 0.001, '2026-01-01', '2026-02-01', 12,"
    f" st_geomfromtext('{HOLED}', 4326))",
)


@pytest.fixture(scope="module")
def town(cluster: Cluster, template: str) -> str:
    """A template with awkward rows in every layer."""
    name = "geo_export"
    create(cluster, name, template)
    with psycopg.connect(cluster.url(name), autocommit=True) as connection:
        for statement in STATEMENTS:
            connection.execute(statement.encode())
        for number, text in enumerate(AWKWARD):
            connection.execute(
                "INSERT INTO disputes (code, category, scale, status, occurred_at, people,"
                " organisation, accuracy, geom) VALUES (%s, 'family', '01', 'closed', %s, %s, %s,"
                " 0.1, st_setsrid(st_makepoint(%s, 31.005), 4326))",
                [f"0{number}", datetime(2024, 1, number + 1, 3, tzinfo=UTC), number or None, text,
                 round(117 + number / 1000, 8)],
            )  # fmt: skip
    return name


@pytest.fixture
def connection(cluster: Cluster, town: str) -> Iterator[Connection]:
    for database in copy_of(cluster, town):
        with database.connect(autocommit=True) as opened:
            yield opened


def snapshot(connection: Connection, layer: Layer, *, attributes: bool) -> list[TupleRow]:
    names = [field.name for field in layer.fields] + ["attributes"] * attributes
    return connection.execute(
        sql.SQL("SELECT {}, st_asbinary(geom) FROM {} ORDER BY code").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(layer.table)
        )
    ).fetchall()


def equal(found: list[TupleRow], expected: list[TupleRow]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]] == []


def fewer(connection: Connection, layer: Layer) -> int:
    """Delete what nothing else needs; a grid stays, for its past is kept."""
    kept = {"areas": "WHERE code = '990199'", "grids": "WHERE false"}
    return connection.execute(
        f"DELETE FROM {layer.table} {kept.get(layer.id, '')}".encode()
    ).rowcount


READ = sorted(FORMATS.keys() & READERS.keys())
OBFUSCATED = ("GCJ-02", "BD-09")
QUICK = dict.fromkeys(READ, ("EPSG:4326",)) | {
    ".geojson": ("EPSG:4326", "GCJ-02"), ".csv": ("EPSG:4326", "BD-09"),
}  # fmt: skip
WAYS = [
    pytest.param(suffix, crs, marks=[] if crs in QUICK.get(suffix, ()) else pytest.mark.slow)
    for suffix in READ
    for crs in (
        "EPSG:4326", "EPSG:4548", "EPSG:4490", "EPSG:4610", "EPSG:3857", "GCJ-02", "BD-09",
    )
    if crs == "EPSG:4326"
    or (FORMATS[suffix].names if crs in OBFUSCATED else not FORMATS[suffix].wgs84)
]  # fmt: skip


def mapping(layer: Layer, suffix: str, done: Exported) -> dict[str, str] | None:
    """Tell the columns of a Shapefile, whose short names cannot all be guessed."""
    if suffix != ".zip":
        return None
    return {n: h for n, h in done.columns.items() if not layer.field(n).derived}


@pytest.mark.parametrize(("suffix", "crs"), WAYS)
def test_out_and_in_again_is_the_identity(
    connection: Connection, tmp_path: Path, suffix: str, crs: str
) -> None:
    form = FORMATS[suffix]
    if suffix == ".gpkg":  # a list is JSON text in it
        connection.execute("UPDATE cameras SET attributes = attributes - '标签'")
    if suffix == ".zip":  # of points and polygons, which are two Shapefiles, intake reads one
        connection.execute("DELETE FROM places WHERE code = 'P2'")
    for layer in CATALOGUE.values():
        path = tmp_path / f"{layer.id}{suffix}"
        done = export(connection, layer, path, crs=crs)
        before = snapshot(connection, layer, attributes=form.attributes)
        assert done.rows == len(before) > 0
        report = intake(connection, layer, path, crs=crs, mapping=done.columns)
        assert report.ok, report.text("en")
        counts = (report.inserted, report.updated, report.unchanged)
        assert counts == (0, 0, done.rows), (layer.id, report.text("en"))
        gone = fewer(connection, layer)
        report = intake(connection, layer, path, crs=crs, mapping=mapping(layer, suffix, done))
        assert (report.ok, report.inserted) == (True, gone), report.text("en")
        equal(snapshot(connection, layer, attributes=form.attributes), before)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("suffix", READ)
def test_titles_for_people_are_understood_again(
    connection: Connection, tmp_path: Path, suffix: str, lang: Any
) -> None:
    if suffix == ".zip":
        connection.execute("DELETE FROM places WHERE code = 'P2'")
    for layer in CATALOGUE.values():
        before = snapshot(connection, layer, attributes=False)
        path = tmp_path / f"{layer.id}{suffix}"
        done = export(connection, layer, path, lang=lang)
        gone = fewer(connection, layer)
        report = intake(connection, layer, path, mapping=mapping(layer, suffix, done))
        assert (report.ok, report.inserted) == (True, gone), report.text("en")
        equal(snapshot(connection, layer, attributes=False), before)


def read_back(path: Path, layer: Layer, done: Exported) -> tuple[list[dict[str, Any]], Any]:
    """Read a file with another program's eyes: its records by column name, its geometries."""
    if path.suffix == ".xlsx":
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        head, *rows = book.get_sheet_by_index(0).to_python()
        names = {header: name for name, header in done.columns.items()}
        titles = [names.get(str(header), str(header)) for header in head]
        records: list[dict[str, Any]] = [dict(zip(titles, row, strict=True)) for row in rows]
        if layer.geometry == "POINT":
            shapes = shapely.points([(r["longitude"], r["latitude"]) for r in records])
        else:
            shapes = shapely.from_wkt([r["wkt"] or None for r in records])
        return records, shapes
    frames = []
    if path.suffix == ".parquet":
        frames = [geopandas.read_parquet(path)]
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as packed:
            inside = [name for name in packed.namelist() if name.endswith(".shp")]
        frames = [pyogrio.read_dataframe(f"/vsizip/{path}/{name}") for name in inside]
    else:
        frames = [pyogrio.read_dataframe(path, encoding="UTF-8" if path.suffix == ".csv" else None)]
    records, shapes = [], []
    for frame in frames:
        lower = {str(column).casefold(): column for column in frame.columns}
        for _, row in frame.iterrows():
            records.append(
                {n: row[lower[h.casefold()]] for n, h in done.columns.items()}  # KML: Name
            )
        shapes += list(shapely.force_2d(frame.geometry.to_numpy()))
    return records, np.array(shapes, dtype=object)


def same(kind: str, written: Any, read: Any) -> bool:
    if written is None:
        return str(read) in {"", "None", "nan", "NaT", "<NA>"}
    if kind == "datetime":
        read = datetime.fromisoformat(read) if isinstance(read, str) else read
        return bool(read == written)
    if kind == "date":
        return bool(str(read)[:10] == written.isoformat())
    if isinstance(read, str) and kind in {"integer", "number"}:  # KML has no numbers
        read = float(read)
    if isinstance(read, str) and kind in {"integer", "number"}:  # KML has no numbers
        read = float(read)
    return bool(read == written)


@pytest.mark.parametrize("suffix", sorted(FORMATS.keys() - {".csv", ".geojson", ".geojsonl"}))
def test_others_read_the_same(connection: Connection, tmp_path: Path, suffix: str) -> None:
    for layer in CATALOGUE.values():
        path = tmp_path / f"{layer.id}{suffix}"
        done = export(connection, layer, path)
        fields = [field for field in layer.fields if not field.derived]
        rows = connection.execute(
            sql.SQL("SELECT {}, st_asbinary(geom) FROM {}").format(
                sql.SQL(", ").join(sql.Identifier(f.name) for f in fields),
                sql.Identifier(layer.table),
            )
        ).fetchall()
        records, shapes = read_back(path, layer, done)
        found = {r["code"]: (r, s) for r, s in zip(records, shapes, strict=True)}
        assert len(records) == len(rows) == done.rows
        for *values, wkb in rows:
            record, shape = found[values[0]]
            for field, value in zip(fields, values, strict=True):
                assert same(field.kind, value, record[field.name]), (layer.id, field.name)
            if wkb is None:
                assert shape is None
                continue
            known = shapely.from_wkb(wkb)
            if shape.geom_type != known.geom_type:  # a Shapefile does not tell one part from many
                shape = shapely.multipolygons([shape])
            assert shapely.normalize(shape).equals_exact(shapely.normalize(known), 1e-11)


def test_numbers_stay_numbers_and_codes_stay_text(connection: Connection, tmp_path: Path) -> None:
    export(connection, CATALOGUE["cameras"], tmp_path / "a.xlsx", lang="zh")
    sheet = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "a.xlsx")).get_sheet_by_index(
        0
    )
    head, first, _ = sheet.to_python()
    row = dict(zip(head, first, strict=True))
    assert (row["编码"], row["类别"], row["方位角"]) == (
        "00010100001320000001", "一类（公安建设）", 359.25,
    )  # fmt: skip
    assert row["状态时间"] == "2026-01-02T11:04:05.678000+08:00"
    assert {"经度", "纬度", "所在网格"} <= set(head)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert b'state="frozen"' in book.read("xl/worksheets/sheet1.xml")


def test_csv_opens_in_excel(connection: Connection, tmp_path: Path) -> None:
    export(connection, CATALOGUE["roads"], tmp_path / "a.CSV", lang="zh")
    content = (tmp_path / "a.CSV").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    [row] = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert row["几何"] == "LINESTRING (117 31, 117.1 31.00000003, 117.2 31)"
    assert row["等级"] == "支路"


def test_metres_have_four_decimals(connection: Connection, tmp_path: Path) -> None:
    export(connection, CATALOGUE["hazards"], tmp_path / "a.csv", crs="EPSG:4548")
    [row] = csv.DictReader((tmp_path / "a.csv").read_text("utf-8-sig").splitlines())
    assert row["x"].startswith("511")
    assert max(len(row[axis].partition(".")[2]) for axis in "xy") <= 4
    export(connection, CATALOGUE["hazards"], tmp_path / "a.gpkg", crs="EPSG:4548")
    assert geopandas.read_file(tmp_path / "a.gpkg").crs.to_epsg() == 4548


def test_attributes_go_where_they_can(connection: Connection, tmp_path: Path) -> None:
    cameras = CATALOGUE["cameras"]
    export(connection, cameras, tmp_path / "a.geojson")
    first = json.loads((tmp_path / "a.geojson").read_text())["features"][1]["properties"]
    assert first["标签"] == ["a", {"b": None}]
    export(connection, cameras, tmp_path / "a.gpkg")
    frame = pyogrio.read_dataframe(tmp_path / "a.gpkg")
    assert frame["标签"].tolist()[1] == '["a", {"b": null}]'
    assert frame["备注"].tolist()[0] == "a,b"
    export(connection, cameras, tmp_path / "a.csv")
    assert "备注" not in (tmp_path / "a.csv").read_text(encoding="utf-8-sig")


def test_parquet_has_times_and_a_bbox(connection: Connection, tmp_path: Path) -> None:
    export(connection, CATALOGUE["disputes"], tmp_path / "a.parquet")
    frame = geopandas.read_parquet(tmp_path / "a.parquet", bbox=(116, 30, 117.0025, 32))
    assert len(frame) == 3
    assert str(frame["occurred_at"].dtype).startswith("timestamp[us, tz=UTC]")


def test_shapefile_is_gbk_and_tells_its_names(connection: Connection, tmp_path: Path) -> None:
    done = export(connection, CATALOGUE["cameras"], tmp_path / "a.zip")
    assert all(len(name) <= 10 and name.isascii() for name in done.columns.values())
    assert len(set(done.columns.values())) == len(done.columns)
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert packed.read("cameras.cpg") == b"GBK"
        assert "路口".encode("gbk") in packed.read("cameras.dbf")
        assert f"{done.columns['mount_height']}\tmount_height\t安装高度" in packed.read(
            "columns.txt"
        ).decode("utf-8-sig")
        assert not any("cpg" in name for name in packed.namelist() if "cameras" not in name)
    connection.execute("UPDATE cameras SET name = '𠮷野' WHERE name = '路口'")
    export(connection, CATALOGUE["cameras"], tmp_path / "a.zip")
    assert "𠮷野" in list(pyogrio.read_dataframe(f"/vsizip/{tmp_path}/a.zip")["name"])
    export(connection, CATALOGUE["places"], tmp_path / "places.zip")
    with zipfile.ZipFile(tmp_path / "places.zip") as packed:
        assert {"places_point.shp", "places_polygon.shp"} <= set(packed.namelist())


@pytest.mark.parametrize(
    ("layer", "filters", "codes"),
    [
        ("disputes", {"where": {"people": "3"}}, ["03"]),
        ("disputes", {"where": {"people": "", "status": "closed"}}, ["00"]),
        ("disputes", {"where": {"organisation": "007"}}, ["03"]),
        ("disputes", {"where": {"occurred_at": "2024-01-02T11:00"}}, ["01"]),
        ("disputes", {"bbox": (117.0005, 31, 117.0025, 32)}, ["01", "02"]),
        ("disputes", {"bbox": (179, 31, -179, 32)}, []),
        ("disputes", {"start": datetime(2024, 1, 9, 3, tzinfo=UTC)}, ["08", "09"]),
        ("disputes", {"end": datetime(2024, 1, 2, 3, tzinfo=UTC)}, ["00"]),
        ("cameras", {"where": {"installed_on": "2020-02-29"}}, ["00010100001320000001"]),
        ("cameras", {"where": {"azimuth": "359.25"}}, ["00010100001320000001"]),
    ],
)
def test_filters(
    connection: Connection, tmp_path: Path, layer: str, filters: dict[str, Any], codes: list[str]
) -> None:
    done = export(connection, CATALOGUE[layer], tmp_path / "a.geojson", **filters)
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert [feature["properties"]["code"] for feature in features] == codes
    assert done.rows == len(codes)


@pytest.mark.parametrize("suffix", FORMATS)
def test_nothing_is_a_file_too(connection: Connection, tmp_path: Path, suffix: str) -> None:
    for layer in CATALOGUE.values():
        path = tmp_path / f"{layer.id}{suffix}"
        assert export(connection, layer, path, where={"code": "nothing"}).rows == 0
        assert path.exists()


def test_past_versions_stay(connection: Connection, tmp_path: Path) -> None:
    connection.execute("UPDATE grids SET valid_to = now()")
    assert export(connection, CATALOGUE["grids"], tmp_path / "a.csv").rows == 0


@pytest.mark.parametrize(
    ("layer", "name", "options", "sentence"),
    [
        ("roads", "a.doc", {}, "There is no format “.doc”"),
        ("roads", "a", {}, "There is no format “a”"),
        ("roads", "a.geojson", {"crs": "EPSG:4548"}, "GeoJSON holds longitude and latitude"),
        ("roads", "a.kml", {"crs": "EPSG:3857"}, "KML holds longitude and latitude"),
        ("roads", "a.csv", {"crs": "EPSG:999999"}, "is not known"),
        ("roads", "a.csv", {"crs": "beijing"}, "is not known"),
        ("roads", "a.csv", {"crs": "EPSG:4978"}, "not one of places on a map"),
        ("roads", "a.csv", {"where": {"colour": "red"}}, "no column “colour”"),
        ("roads", "a.csv", {"where": {"road_class": "red"}}, "There are: trunk"),
        ("roads", "a.csv", {"where": {"width": "wide"}}, "is no number"),
        ("roads", "a.csv", {"where": {"code": "\0"}}, "a character that no text has"),
        ("roads", "a.csv", {"bbox": (1.0, 2.0, 3.0, float("nan"))}, "A bbox is"),
        ("roads", "a.csv", {"bbox": (1.0, 2.0, 3.0, 1.0)}, "A bbox is"),
        ("roads", "a.csv", {"start": datetime(2024, 1, 1, tzinfo=UTC)}, "has no time"),
        ("roads", "nowhere/a.csv", {}, "cannot be written: No such file"),
        (
            "disputes", "a.csv",
            {"start": datetime(2024, 1, 2, tzinfo=UTC), "end": datetime(2024, 1, 1, tzinfo=UTC)},
            "ends before it starts",
        ),
    ],
)  # fmt: skip
def test_refusals(  # noqa: PLR0917 - parameters and fixtures
    connection: Connection,
    tmp_path: Path,
    layer: str,
    name: str,
    options: dict[str, Any],
    sentence: str,
) -> None:
    with pytest.raises(ExportError, match=sentence):
        export(connection, CATALOGUE[layer], tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_what_a_format_cannot_hold_is_refused(connection: Connection, tmp_path: Path) -> None:
    connection.execute("UPDATE disputes SET organisation = repeat('长', 128) WHERE code = '00'")
    with pytest.raises(ExportError, match="handledby of 00 is longer"):
        export(connection, CATALOGUE["disputes"], tmp_path / "a.zip")
    connection.execute("UPDATE disputes SET organisation = repeat('长', 32768) WHERE code = '00'")
    with pytest.raises(ExportError, match="organisation of 00 has 32,768 characters"):
        export(connection, CATALOGUE["disputes"], tmp_path / "a.xlsx")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(ExportError, match="is a folder"):
        export(connection, CATALOGUE["disputes"], tmp_path / "b.csv")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_failure_leaves_the_file_as_it_was(
    connection: Connection, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text("before")
    monkeypatch.setattr(selection, "BATCH", 3)
    # The last rows cannot be read: an infinite time is none that Python knows.
    connection.execute("UPDATE disputes SET closed_at = 'infinity' WHERE code = '09'")
    with pytest.raises(ExportError, match="A value cannot be written"):
        export(connection, CATALOGUE["disputes"], path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    connection.execute("UPDATE disputes SET closed_at = NULL")
    export(connection, CATALOGUE["disputes"], path)
    assert path.read_bytes() != b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("crs", OBFUSCATED)
@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".fgb", ".parquet", ".zip"])
def test_obfuscated_coordinates_are_named(
    connection: Connection, tmp_path: Path, suffix: str, crs: str
) -> None:
    """A file that can say what its coordinates are is never taken for WGS 84."""
    hazards, path = CATALOGUE["hazards"], tmp_path / f"a{suffix}"
    done = export(connection, hazards, path, crs=crs)
    if suffix == ".parquet":
        declared = geopandas.read_parquet(path).crs
        assert (declared.name, declared.is_engineering) == (crs, True)
    elif suffix != ".geojson":  # GDAL leaves a crs member aside that it does not know
        inside = f"/vsizip/{path}/hazards.shp" if suffix == ".zip" else path
        assert f'LOCAL_CS["{crs}"' in pyogrio.read_info(inside)["crs"]
    # Nobody says the CRS when the file comes back: the file does.
    report = intake(connection, hazards, path, mapping=mapping(hazards, suffix, done))
    assert (report.ok, report.unchanged) == (True, 1), report.text("en")
    if crs == "GCJ-02":
        known = connection.execute("SELECT st_x(geom), st_y(geom) FROM hazards").fetchone()
        export(connection, hazards, tmp_path / "a.csv", crs=crs)
        [row] = csv.DictReader((tmp_path / "a.csv").read_text("utf-8-sig").splitlines())
        assert known is not None
        shifted = [float(axis) for axis in wgs84_to_gcj02(*known)]
        assert [float(row["longitude"]), float(row["latitude"])] == pytest.approx(shifted, abs=1e-9)


def test_a_place_without_gcj02_is_refused(connection: Connection, tmp_path: Path) -> None:
    connection.execute("UPDATE hazards SET geom = st_setsrid(st_makepoint(137.836, 31), 4326)")
    with pytest.raises(ExportError, match="edge") as refused:
        export(connection, CATALOGUE["hazards"], tmp_path / "a.csv", crs="GCJ-02")
    assert "137.836" in refused.value.zh
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ExportError, match="KML cannot say"):
        export(connection, CATALOGUE["hazards"], tmp_path / "a.kml", crs="GCJ-02")


@pytest.mark.parametrize("suffix", [s for s, form in FORMATS.items() if form.pieces])
def test_a_stream_is_the_file(connection: Connection, tmp_path: Path, suffix: str) -> None:
    for layer in CATALOGUE.values():
        export(connection, layer, tmp_path / f"a{suffix}", lang="zh")
        chosen = Selection.of(layer, where={}, bbox=None, start=None, end=None)
        pieces = list(stream(connection, layer, suffix, chosen, lang="zh"))
        assert b"".join(pieces) == (tmp_path / f"a{suffix}").read_bytes()

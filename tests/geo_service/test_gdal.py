"""GDAL, as somebody else wrote it, reads every layer and every tile."""

import csv
import io
import json
import subprocess
import urllib.request
from pathlib import Path

import pytest

from layers.catalogue import CATALOGUE
from tests.conftest import Service
from tests.geo_service.test_tiles import at

pytestmark = pytest.mark.slow


def test_gdal_reads_every_layer_whole(demo_service: Service) -> None:
    with demo_service.database.connect() as connection:
        for layer in CATALOGUE.values():
            current = "valid_to IS NULL" if layer.versioned else "true"
            row = connection.execute(
                f"SELECT count(*) FROM {layer.table} WHERE {current}".encode()
            ).fetchone()
            assert row
            done = subprocess.run(
                ["ogrinfo", "-al", "-q", "-geom=NO", f"OAPIF:{demo_service.url}/ogc", layer.id],
                capture_output=True, text=True, check=True, timeout=300,
            )  # fmt: skip
            assert done.stderr == ""
            assert done.stdout.count("OGRFeature(") == row[0], layer.id


def test_gdal_reads_the_count_and_the_extent(demo_service: Service) -> None:
    done = subprocess.run(
        ["ogrinfo", "-so", f"OAPIF:{demo_service.url}/ogc", "grids"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert "Feature Count: 156" in done.stdout
    assert "Extent: (117." in done.stdout


def _codes(service: Service, layer: str, *options: str) -> list[str]:
    done = subprocess.run(
        ["ogr2ogr", "-f", "CSV", "/vsistdout/", f"OAPIF:{service.url}/ogc", layer, *options],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return sorted(row["code"] for row in csv.DictReader(io.StringIO(done.stdout)))


def _asked(service: Service, where: str) -> list[str]:
    with service.database.connect() as connection:
        query = f'SELECT code FROM disputes WHERE {where} ORDER BY code COLLATE "C"'
        return [code for (code,) in connection.execute(query.encode())]


@pytest.mark.parametrize("size", ["7", "500", "10000"])
def test_gdal_turns_pages(demo_service: Service, size: str) -> None:
    where = "status = 'escalated'"
    expected = _asked(demo_service, where)
    assert len(expected) > 14, "one page holds them: the test proves nothing"
    assert _codes(demo_service, "disputes", "-oo", f"PAGE_SIZE={size}", "-where", where) == expected


def test_gdal_asks_for_a_box_and_a_filter(demo_service: Service) -> None:
    box = ("117.19", "31.84", "117.20", "31.85")
    inside = f"st_intersects(geom, st_makeenvelope({','.join(box)}, 4326))"
    expected = _asked(demo_service, inside)
    assert 0 < len(expected) < len(_asked(demo_service, "true"))
    assert _codes(demo_service, "disputes", "-spat", *box) == expected
    for where in ("status = 'mediating'", "people > 3 AND scale = '02'"):
        found = _codes(demo_service, "disputes", "-spat", *box, "-where", where)
        assert found == _asked(demo_service, f"{inside} AND {where}")


@pytest.mark.parametrize("epsg", [4490, 4548, 3857])
def test_gdal_transforms_to_what_the_service_gives(demo_service: Service, epsg: int) -> None:
    """The same point from both: GDAL's own transformation, and ours by ``crs``."""
    done = subprocess.run(
        ["ogr2ogr", "-f", "GeoJSON", "/vsistdout/", f"OAPIF:{demo_service.url}/ogc", "cameras",
         "-t_srs", f"EPSG:{epsg}", "-limit", "5", "-lco", "COORDINATE_PRECISION=9"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    for feature in json.loads(done.stdout)["features"]:
        code = feature["properties"]["code"]
        path = f"/ogc/collections/cameras/items?code={code}&crs=EPSG:{epsg}"
        with urllib.request.urlopen(demo_service.url + path) as answer:
            ours = json.load(answer)["features"][0]["geometry"]["coordinates"]
        east_first = ours if epsg == 3857 else ours[::-1]
        assert east_first == pytest.approx(feature["geometry"]["coordinates"], abs=1e-4)


@pytest.mark.parametrize("z", [10, 14])
@pytest.mark.parametrize("layer", ["grids", "disputes", "cameras", "buildings"])
def test_gdal_reads_a_tile(demo_service: Service, tmp_path: Path, layer: str, z: int) -> None:
    row, col = at(117.20, 31.85, z)
    address = f"{demo_service.url}/ogc/collections/{layer}/tiles/WebMercatorQuad/{z}/{row}/{col}"
    file = tmp_path / "tile.mvt"
    with urllib.request.urlopen(address) as answer:
        file.write_bytes(answer.read())
    done = subprocess.run(
        ["ogrinfo", "-al", "-oo", f"X={col}", "-oo", f"Y={row}", "-oo", f"Z={z}", f"MVT:{file}"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert f"Layer name: {layer}" in done.stdout
    assert done.stdout.count("OGRFeature(") > 0
    assert 'EPSG",3857' in done.stdout

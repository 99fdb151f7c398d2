"""GDAL, as somebody else wrote it, reads every layer and every tile."""

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

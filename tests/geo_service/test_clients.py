"""OWSLib, GDAL and QGIS, as others wrote them, read, page, filter and write by the service."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import shapely
from owslib.ogcapi.features import Features
from owslib.util import Authentication

from geo_service.access.passwords import put_token
from geo_service.embedded import Cluster
from tests.conftest import Service, copy_of, serve
from tests.geo_service.conftest import PASSWORD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(
    cluster: Cluster,
    town_template: tuple[str, dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """A running service over the small town."""
    for database in copy_of(cluster, town_template[0]):
        yield from serve(database, GEO_SERVICE_HOME=str(tmp_path_factory.mktemp("clients")))


@pytest.fixture
def chief(service: Service) -> dict[str, str]:
    """The headers of an editor of the whole town."""
    with service.database.connect() as connection:
        connection.execute("DELETE FROM tokens WHERE label = 'client'")
        return {"Authorization": f"Bearer {put_token(connection, 'client', 'editor', '*')}"}


def _codes(page: dict[str, Any]) -> list[str]:
    return [feature["properties"]["code"] for feature in page["features"]]


def test_owslib_reads(service: Service, chief: dict[str, str]) -> None:
    found = Features(f"{service.url}/ogc", headers=dict(chief))
    assert "disputes" in found.feature_collections()
    assert any("create-replace-delete" in one for one in found.conformance()["conformsTo"])
    assert found.collection("disputes")["itemType"] == "feature"
    assert "people" in found.collection_queryables("disputes")["properties"]
    items = found.collection_items
    assert _codes(items("disputes")) == ["JF1", "JF2", "JF3", "JF4"]
    assert _codes(items("disputes", bbox=[117.0, 31.0, 117.01, 31.01])) == ["JF3"]
    assert _codes(items("disputes", filter="code > 'JF2'")) == ["JF3", "JF4"]
    assert _codes(items("disputes", sortby=("code", "desc"))) == ["JF4", "JF3", "JF2", "JF1"]
    assert _codes(items("disputes", datetime_="../2000-01-01T00:00:00Z")) == []
    pages, query = [], {"limit": 3}
    while True:
        page = items("disputes", **query)
        pages.append(_codes(page))
        links = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not links:
            break
        query["after"] = links[0].split("after=")[1]
    assert pages == [["JF1", "JF2", "JF3"], ["JF4"]]
    one = page["features"][0]
    assert found.collection_item("disputes", one["id"])["geometry"] == one["geometry"]


def test_owslib_signs_in_with_a_password(service: Service) -> None:
    auth = Authentication(username="north", password=PASSWORD)
    assert _codes(Features(f"{service.url}/ogc", auth=auth).collection_items("disputes")) == [
        "JF1", "JF2",
    ]  # fmt: skip


def test_owslib_creates_replaces_and_deletes(service: Service, chief: dict[str, str]) -> None:
    found = Features(f"{service.url}/ogc", headers=dict(chief))
    feature: dict[str, Any] = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [117.0031, 31.0032]},
        "properties": {
            "code": "OWS", "category": "land", "occurred_at": "2026-01-02T03:04:05Z", "people": 3,
        },
    }  # fmt: skip
    assert found.collection_item_create("disputes", feature)
    made = found.collection_items("disputes", code="OWS")["features"][0]
    assert made["geometry"] == feature["geometry"]
    assert made["properties"]["people"] == 3
    feature["properties"] |= {"people": 4, "status": "closed"}
    found.headers |= {"Content-Type": "application/geo+json", "If-Match": '"0."'}
    with pytest.raises(RuntimeError, match="changed since"):  # it does not look for an ETag
        found.collection_item_update("disputes", made["id"], json.dumps(feature))
    found.headers["If-Match"] = "*"
    assert found.collection_item_update("disputes", made["id"], json.dumps(feature))
    now = found.collection_item("disputes", made["id"])["properties"]
    assert (now["people"], now["status"]) == (4, "closed")
    assert found.collection_item_delete("disputes", made["id"])
    assert found.collection_items("disputes", code="OWS")["features"] == []


def test_what_gdal_writes_goes_back(
    service: Service, chief: dict[str, str], tmp_path: Path
) -> None:
    """GDAL 3.6 reads OAPIF and writes none: its GeoJSON goes back by PUT, PATCH and POST."""
    source = [f"OAPIF:{service.url}/ogc", "cameras"]
    environment = {"GDAL_HTTP_HEADERS": f"Authorization: {chief['Authorization']}"}

    def made(name: str, *options: str) -> Path:
        path = tmp_path / name
        subprocess.run(["ogr2ogr", *options, str(path), *source], check=True, timeout=120,
                       env=os.environ | environment)  # fmt: skip
        return path

    items = f"{service.url}/ogc/collections/cameras/items"
    whole = json.loads(made("a.json", "-f", "GeoJSON", "-lco", "RFC7946=YES").read_text())
    one = whole["features"][0]
    code = {"code": one["properties"]["code"]}
    (found,) = httpx2.get(items, params=code, headers=chief).json()["features"]
    path = f"{items}/{found['id']}"
    before = httpx2.get(path, headers=chief)
    one["properties"]["name"] = "GDAL"
    one["geometry"]["coordinates"][0] += 0.0001
    headers = chief | {"If-Match": before.headers["etag"], "Content-Type": "application/geo+json"}
    put = httpx2.put(path, json=one, headers=headers)
    assert put.status_code == 204, put.text
    now = httpx2.get(path, headers=chief).json()
    assert now["properties"] == before.json()["properties"] | {"name": "GDAL"}
    assert now["geometry"] == one["geometry"]
    again = httpx2.put(path, json=one, headers=headers)
    assert again.status_code == 412
    patch = {"geometry": before.json()["geometry"], "properties": {"name": None}}
    headers["If-Match"] = put.headers["etag"]
    assert httpx2.patch(path, json=patch, headers=headers).status_code == 204
    # Lines of GeoJSON, as GDAL writes them, are a bulk of updates that change nothing.
    lines = made("a.geojsonl", "-f", "GeoJSONSeq").read_bytes()
    answer = httpx2.post(
        items, content=lines, headers=chief | {"Content-Type": "application/x-ndjson"}
    )
    assert answer.json()["counts"] == {"inserted": 0, "updated": 0, "unchanged": 4, "refused": 0}
    after = httpx2.get(path, headers=chief).json()
    assert after == before.json()


QGIS = r"""
import json, sys
from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsFeatureRequest, QgsRectangle
from qgis.core import QgsVectorLayer

url, sign_in = sys.argv[1:]
app = QgsApplication([], False)
app.initQgis()
told = {}

def load(name, more=""):
    uri = f"url='{url}/ogc' typename='{name}' pagingEnabled='true' pageSize='3' {sign_in} {more}"
    layer = QgsVectorLayer(uri, name, "OAPIF")
    assert layer.isValid(), layer.error().message()
    return layer

disputes = load("disputes")
features = {f["code"]: f for f in disputes.getFeatures()}
told["codes"] = sorted(features)
told["count"] = disputes.featureCount()
told["fields"] = [field.name() for field in disputes.fields()]
told["point"] = features["JF1"].geometry().asWkt(8)
told["category"] = features["JF1"]["category"]
told["crs"] = disputes.crs().authid()
request = QgsFeatureRequest().setFilterRect(QgsRectangle(117.0, 31.01, 117.01, 31.02))
told["box"] = [f["code"] for f in load("disputes").getFeatures(request)]
grids = {f["code"]: f for f in load("grids").getFeatures()}
told["grids"] = {code: f.geometry().asWkt(8) for code, f in grids.items()}
print("TOLD" + json.dumps(told, default=str))
app.exitQgis()
"""


@pytest.mark.skipif(not shutil.which("xvfb-run"), reason="xvfb is not installed")
def test_qgis_reads(service: Service, tmp_path: Path) -> None:
    there = subprocess.run(
        ["/usr/bin/python3", "-c", "import qgis.core"], check=False, capture_output=True
    )
    if there.returncode:
        pytest.skip("QGIS (python3-qgis) is not installed")
    script = tmp_path / "read.py"
    script.write_text(QGIS)
    for name, codes in (("all", ["JF1", "JF2", "JF3", "JF4"]), ("north", ["JF1", "JF2"])):
        done = subprocess.run(
            ["xvfb-run", "-a", "/usr/bin/python3", str(script), service.url,
             f"username='{name}' password='{PASSWORD}'"],
            capture_output=True, text=True, timeout=300, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8",
                 "XDG_RUNTIME_DIR": str(tmp_path)},
        )  # fmt: skip
        lines = [line[4:] for line in done.stdout.splitlines() if line.startswith("TOLD")]
        assert lines, done.stdout + done.stderr
        told = json.loads(lines[0])
        assert told["codes"] == codes
        assert told["count"] == len(codes)
        assert {"code", "category", "occurred_at", "people"} <= set(told["fields"])
        assert shapely.from_wkt(told["point"]).equals(shapely.Point(117.005, 31.015))
        assert told["category"] == "family"
        assert told["crs"] in {"OGC:CRS84", "EPSG:4326"}
        assert told["box"] == ["JF1"]
        assert len(told["grids"]) == len(codes)
        first = shapely.from_wkt(told["grids"]["990101101001001"])
        assert first.bounds == pytest.approx((117.0, 31.01, 117.01, 31.02))

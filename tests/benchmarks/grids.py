"""Grids of many vertices as GeoJSON: this service beside tipg."""

import json
import statistics
import time
from pathlib import Path
from typing import Any

import psycopg

from geo_service.access.passwords import put_account
from geo_service.embedded import Cluster
from layers import migrations
from tests.benchmarks.events import Client
from tests.benchmarks.tiles import free_port, ours, square, tipg
from tests.coverages import wavy

_READY = 15  # seconds: what is compiled is made ready in the background, once it is needed
_ROUNDS = 5


def measure(across: int, vertices: int, home: Path) -> dict[str, Any]:
    """Ask both for all grids of a square of ``across`` x ``across``; return medians in seconds."""
    with Cluster(home, fast_and_loose=True) as cluster:
        migrations.upgrade(cluster.url())
        with psycopg.connect(cluster.url()) as connection:
            put_account(connection, "demo", "correct-horse", "viewer", "*")
            connection.execute(
                "INSERT INTO areas (code, name, level)"
                " VALUES ('990101101001', '大社区', 'community')"
            )
            # Whether they are a coverage is known; finding out would take its time.
            connection.execute("ALTER TABLE grids DISABLE TRIGGER USER")
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO grids (code, name, parent, grid_now, area_now, geom) VALUES"
                    " (%(code)s, %(code)s, '990101101001', %(code)s, '990101101001',"
                    " st_multi(st_geomfromtext(%(wkt)s, 4326)))",
                    [
                        {"code": f"990101101001{number:04}", "wkt": wkt}
                        for number, wkt in enumerate(wavy(across, vertices, square(60)))
                    ],
                )
            connection.execute("ALTER TABLE grids ENABLE TRIGGER USER")
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE) grids")
        own, other = free_port(), free_port()
        count = across * across
        paths = {
            "ours": (own, f"/ogc/collections/grids/items?limit={count}&f=json"),
            "tipg": (other, f"/collections/public.grids/items?limit={count}&f=geojson"),
        }
        took: dict[str, list[float]] = {name: [] for name in paths}
        sizes = {}
        with ours(cluster.url(), own, 0), tipg(cluster, other, '["public.grids"]'):
            for turn in range(_ROUNDS + 1):
                for name, (port, path) in paths.items():
                    # A connection each: tipg's server closes one that is idle for five seconds.
                    seconds, body, _ = Client(port).get(path)
                    sizes[name] = len(body)
                    if turn:  # the first warms up
                        took[name].append(seconds)
                    elif len(json.loads(body)["features"]) != count:
                        raise RuntimeError(f"{name} does not give all grids")
                if not turn:
                    time.sleep(_READY)
    seconds_of = {name: statistics.median(of) for name, of in took.items()}
    return {
        "grids": count,
        "vertices": vertices,
        "seconds": seconds_of,
        "bytes": sizes,
        "tipg/ours": seconds_of["tipg"] / seconds_of["ours"],
    }

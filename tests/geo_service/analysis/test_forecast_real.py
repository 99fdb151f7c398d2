"""Rolling forecasts on real incidents: the table in docs/hotspots.md is what came out.

``python -m tests.geo_service.analysis.test_forecast_real`` prints the table anew.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray

from geo_service.analysis import forecast
from geo_service.analysis.forecast import Evaluation, Method, Past, evaluate
from geo_service.analysis.lattice import squares
from geo_service.analysis.neighbours import contiguity, distance_band

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = REPOSITORY.parent / "shared" / "data"
DOCS = REPOSITORY / "docs" / "hotspots.md"
SHARES = (0.01, 0.05, 0.1)


class Record(NamedTuple):
    """Events in cells, the cells' areas, and how forecasts roll over them; times in days."""

    events: Past
    areas: NDArray[Any]
    origins: list[float]
    history: float
    methods: Mapping[str, Method]


def methods(bandwidth: float, distance: float, duration: float) -> dict[str, Method]:
    return {
        "all of the history": forecast.busiest_ever,
        "kernel density": forecast.kernel_density(bandwidth),
        "Gi*": forecast.gi_star,
        "near repeat": forecast.near_repeat_decay(distance, duration),
        "emerging": forecast.emerging,
    }


def portland(kind: str) -> Record:
    """Calls in the challenge's own 550 ft cells, twelve months of 28 days, a year known."""
    table = pd.read_csv(DATA / "us_portland_nij" / f"crimes_{kind}.csv.gz")
    x, y = (table[c].to_numpy(float) * 0.3048 for c in ("x_coordina", "y_coordina"))
    since = pd.to_datetime(table["occ_date"]) - pd.Timestamp("2012-03-01")
    day = np.asarray(since.dt.days, dtype=np.float64)
    cells = gpd.read_file(DATA / "us_portland_nij" / "grid550").geometry.make_valid()
    shapes = shapely.transform(np.array(cells), lambda xy: xy * 0.3048)
    middle = shapely.centroid(shapes)
    centre_x, centre_y = shapely.get_x(middle), shapely.get_y(middle)
    event, at = shapely.STRtree(shapes).query(shapely.points(x, y), predicate="intersects")
    cell = np.full(len(x), -1)
    cell[event[::-1]] = at[::-1]
    near = distance_band(centre_x, centre_y, 240.0)
    past = Past(x, y, day, cell, 0.0, 28.0, centre_x, centre_y, near)
    last = float(day.max()) + 1
    origins = [last - 28.0 * n for n in range(12, 0, -1)]
    return Record(past, shapely.area(shapes), origins, 364.0, methods(250.0, 150.0, 60.0))


def chicago() -> Record:
    """A sample of incidents in 500 m squares over the police beats, eight quarters, three years."""
    table = pd.read_csv(DATA / "us_chicago_crime_50k" / "chicago_50k.csv.gz")
    beats = gpd.read_file(DATA / "us_chicago_boundaries" / "chicago_beats.geojson").to_crs(32616)
    lattice = squares(beats.union_all(), 500, crs=32616, local=32616)
    points = gpd.GeoSeries.from_xy(table["Longitude"], table["Latitude"], crs=4326).to_crs(32616)
    x, y = points.x.to_numpy(), points.y.to_numpy()
    since = pd.to_datetime(table["Date"]) - pd.Timestamp("2001-01-01")
    day = np.asarray(since.dt.days, dtype=np.float64)
    centre_x, centre_y = lattice.centres.T
    cell = lattice.locate(x, y, crs=32616)
    past = Past(x, y, day, cell, 0.0, 91.0, centre_x, centre_y, contiguity(lattice))
    last = float(day.max()) + 1
    origins = [last - 91.0 * n for n in range(8, 0, -1)]
    return Record(past, lattice.areas(), origins, 1092.0, methods(500.0, 500.0, 365.0))


RECORDS = {
    "Portland, burglary": lambda: portland("bur"),
    "Portland, vehicle theft": lambda: portland("veh"),
    "Chicago, sample of all": chicago,
}


def evaluated(record: Record) -> Evaluation:
    return evaluate(
        record.events,
        record.areas,
        record.methods,
        origins=record.origins,
        history=record.history,
        area_shares=SHARES,
    )


def lines(name: str, found: Evaluation) -> Iterator[str]:
    """Rows of the table: one a method, hit rate, PAI and PEI at each share of the area."""
    base = found.scores[0].method
    for method in dict.fromkeys(s.method for s in found.scores):
        cells = []
        for share in SHARES:
            s = found.of(method, share)
            cells.append(f"{s.hit_rate:.1%} · {s.pai:.2f} · {s.pei:.2f}")
        one = found.of(method, SHARES[1])
        versus = "baseline" if method == base else f"{one.won} : {one.lost}"
        yield f"| {name} | {method} | {' | '.join(cells)} | {versus} |"


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDS)
def test_the_documented_table_is_what_comes_out(name: str, shared_data: Path) -> None:
    del shared_data  # skips, saying so, where there is none
    written = DOCS.read_text(encoding="utf-8")
    for line in lines(name, evaluated(RECORDS[name]())):
        assert line in written, line


def main() -> None:
    """Print the table."""
    for name, read in RECORDS.items():
        record: Any = read()
        found = evaluated(record)
        print(f"{name}: {found.scores[0].events} events in {len(record.origins)} periods")
        print("\n".join(lines(name, found)))
        for verdict in found.verdicts():
            print(verdict.en)


if __name__ == "__main__":
    main()

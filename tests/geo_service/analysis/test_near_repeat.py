"""Knox against pointpats on Burkitt's lymphoma, all permutations, and calibration."""

import itertools
import math
import warnings
from typing import Any

import geopandas as gpd
import libpysal
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from geo_service.analysis.near_repeat import knox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pointpats

Floats = NDArray[Any]


@pytest.fixture(scope="module")
def burkitt() -> gpd.GeoDataFrame:
    """188 cases, West Nile district 1961 to 1975: Williams et al. (1978), as libpysal brings it."""
    return gpd.read_file(libpysal.examples.get_path("burkitt.shp"))


def test_it_agrees_with_pointpats_on_burkitt(burkitt: gpd.GeoDataFrame) -> None:
    x, y, t = burkitt["X"], burkitt["Y"], burkitt["T"]
    # pointpats takes distances up to and including 20 km and 5 days.
    upto = [0, np.nextafter(20, 21)], [0, np.nextafter(5, 6)]
    found = knox(x, y, t, *upto, simulations=9999, seed=1)
    other = pointpats.Knox(
        burkitt[["X", "Y"]].to_numpy(), burkitt[["T"]].to_numpy(), delta=20, tau=5, permutations=9
    )
    assert (int(found.observed[0, 0]), other.nst) == (13, 13)
    assert found.expected[0, 0] == pytest.approx(other.expected[0, 0])
    assert found.expected[0, 0] == pytest.approx(10.1438, abs=5e-5)
    # Poisson is close to the permutations here; pointpats' own p leaves out the observed count.
    assert found.p[0, 0] == pytest.approx(stats.poisson.sf(12, found.expected[0, 0]), abs=0.03)


def every_table(  # noqa: PLR0917
    x: Floats, y: Floats, t: Floats, space: list[float], time: list[float], metric: str
) -> NDArray[np.int64]:
    """The counts for every order of the times, by plain loops."""
    tables = []
    for order in itertools.permutations(t):
        table = np.zeros((len(space) - 1, len(time) - 1), np.int64)
        for i, j in itertools.combinations(range(len(x)), 2):
            dx, dy = abs(x[i] - x[j]), abs(y[i] - y[j])
            d = math.hypot(dx, dy) if metric == "euclidean" else dx + dy
            for r, c in np.ndindex(*table.shape):
                near = space[r] <= d < space[r + 1]
                table[r, c] += near and time[c] <= abs(order[i] - order[j]) < time[c + 1]
        tables.append(table)
    return np.array(tables)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_agrees_with_all_permutations(metric: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 5, (2, 6)).astype(float)
    t = rng.integers(0, 6, 6).astype(float)
    space, time = [0.0, 1.0, 3.0, 5.0], [0.0, 1.0, 3.0]
    tables = every_table(x, y, t, space, time, metric)
    found = knox(x, y, t, space, time, metric=metric, simulations=19_999, seed=seed)  # type: ignore[arg-type]
    assert (found.observed == tables[0]).all()
    assert found.expected == pytest.approx(tables.mean(axis=0))
    exact = (tables >= tables[0]).mean(axis=0)
    assert found.p == pytest.approx(exact, abs=0.015)


def test_bands_are_half_open() -> None:
    found = knox([0, 3, 3], [0, 4, 4], [0, 7, 7], [0, 5, 6], [0, 7, 8], simulations=1, seed=1)
    assert found.observed.tolist() == [[1, 0], [0, 2]]


def test_a_seed_repeats_and_the_floor_is_stated() -> None:
    rng = np.random.default_rng(1)
    x, y, t = rng.uniform(0, 10_000, (3, 100))
    x, y, t = (np.concatenate([v, v + 1]) for v in (x, y, t))  # every event comes twice
    one, two = (knox(x, y, t, [0, 50], [0, 7], simulations=99, seed=4) for _ in range(2))
    assert (one.p == two.p).all()
    assert one.p[0, 0] == 0.01


@pytest.mark.parametrize("sets", [pytest.param(60), pytest.param(500, marks=pytest.mark.slow)])
def test_p_is_calibrated(sets: int) -> None:
    hits = 0
    for n in range(sets):
        rng = np.random.default_rng(n)
        x, y, t = rng.uniform(0, 1000, (3, 120))
        hits += bool(knox(x, y, t, [0, 150], [0, 150], simulations=199, seed=n).p[0, 0] <= 0.05)
    low, high = stats.binom.interval(0.999, sets, 0.05)
    # Counts are discrete and ties count against, so p is a little conservative.
    assert low * 0.6 <= hits <= high, f"{hits} of {sets}"


@pytest.mark.parametrize(
    ("bands", "sentence"),
    [([0], "two or more"), ([0, 0, 1], "rising"), ([-1, 1], "from 0"), ([0, math.nan], "rising")],
)
def test_senseless_bands_are_refused(bands: list[float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        knox([0, 1], [0, 1], [0, 1], bands, [0, 1])


def test_fewer_than_two_events_have_no_pairs() -> None:
    found = knox([1], [1], [1], [0, 5], [0, 5])
    assert (found.observed.item(), found.expected.item(), found.p.item()) == (0, 0, 1)


def test_degrees_do_not_pass_for_metres() -> None:
    with pytest.raises(ValueError, match="look like degrees"):
        knox([120.1, 120.2], [30.1, 30.2], [0, 1], [0, 1], [0, 1])

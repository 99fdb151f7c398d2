"""The scan statistics against every cylinder listed, all permutations, and null records."""

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from geo_service.analysis.scan import Cluster, bernoulli_scan, permutation_scan, poisson_scan
from layers.town import build

Floats = NDArray[Any]
Ints = NDArray[Any]


class Cylinder(NamedTuple):
    llr: float
    zones: frozenset[int]
    start: int
    end: int
    observed: int
    expected: float


class Small(NamedTuple):
    """A small random record, and a scan's limits."""

    zone: Ints
    day: Ints
    x: Floats
    y: Floats
    max_radius: float
    max_days: int
    prospective: bool

    @property
    def limits(self) -> dict[str, Any]:
        return {
            "max_radius": self.max_radius,
            "max_days": self.max_days,
            "prospective": self.prospective,
        }


def small(seed: int) -> Small:
    rng = np.random.default_rng(seed)
    zones, cases = int(rng.integers(1, 12)), int(rng.integers(2, 120))
    # On a coarse lattice, so that many zones lie at one distance and some on one spot.
    x, y = rng.integers(0, 10, (2, zones)) * 100.0
    return Small(
        rng.integers(0, zones, cases),
        rng.integers(-5, 15, cases),
        x,
        y,
        float(rng.choice([0, 150, 400, 2000])),
        int(rng.integers(1, 25)),
        bool(seed % 2),
    )


def shapes(case: Small) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_], int, int]]:
    """Every circle and run of days: zones, days since the first, and where the run lies."""
    first = int(case.day.min())
    days = int(case.day.max()) - first + 1
    for cx, cy in zip(case.x, case.y, strict=True):
        away = np.array([math.dist((cx, cy), p) for p in zip(case.x, case.y, strict=True)])
        for radius in np.unique(away[away <= case.max_radius]):
            for length in range(1, min(case.max_days, days) + 1):
                starts = [days - length] if case.prospective else range(days - length + 1)
                for start in starts:
                    run = np.zeros(days, bool)
                    run[start : start + length] = True
                    yield away <= radius, run, first + start, first + start + length - 1


def poisson_llr(count: float, expected: float, total: int) -> float:
    """Kulldorff et al. 2005, equation 1."""
    if count <= expected:
        return 0.0
    inside = count * math.log(count / expected)
    rest = total - count
    return inside + (rest * math.log(rest / (total - expected)) if rest else 0.0)


def bernoulli_llr(c: int, n: int, cases: int, records: int) -> float:
    """Kulldorff 1997: the likelihood with two probabilities over that with one."""

    def log_likelihood(k: int, m: int) -> float:
        return sum(v * math.log(v / m) for v in (k, m - k) if v)

    if c * records <= n * cases:
        return 0.0
    inside = log_likelihood(c, n) + log_likelihood(cases - c, records - n)
    return inside - log_likelihood(cases, records)


def permutation_cylinders(case: Small) -> list[Cylinder]:
    made, total = [], len(case.zone)
    for zones, run, start, end in shapes(case):
        in_space, in_time = zones[case.zone], run[case.day - case.day.min()]
        n, t, c = int(in_space.sum()), int(in_time.sum()), int((in_space & in_time).sum())
        if c < 2 or 2 * n > total or 2 * t > total:
            continue
        llr = poisson_llr(c, n * t / total, total)
        members = frozenset(np.flatnonzero(zones).tolist())
        made.append(Cylinder(llr, members, start, end, c, n * t / total))
    return sorted((m for m in made if m.llr > 1e-9), reverse=True, key=lambda m: m.llr)


def assert_greedy(found: list[Cluster], every: list[Cylinder]) -> None:
    """The clusters are, in turn, the best of all cylinders that share no zone with those before."""
    taken: set[int] = set()
    for cluster in found:
        free = [c for c in every if not c.zones & taken]
        assert cluster.llr == pytest.approx(free[0].llr)
        same = (
            pytest.approx(cluster.llr),
            frozenset(cluster.zones),
            cluster.start,
            cluster.end,
            cluster.observed,
            pytest.approx(cluster.expected),
        )
        assert any(same == tuple(c) for c in free), cluster
        taken |= set(cluster.zones)
    assert not [c for c in every if not c.zones & taken and c.llr > 1e-6]


@pytest.mark.parametrize("seed", range(40))
def test_permutation_clusters_are_the_best_of_every_cylinder(seed: int) -> None:
    case = small(seed)
    found = permutation_scan(*case[:4], **case.limits, simulations=9, seed=1, limit=99)
    assert_greedy(found, permutation_cylinders(case))


@pytest.mark.parametrize("seed", range(24))
def test_poisson_clusters_are_the_best_of_every_cylinder(seed: int) -> None:
    case = small(seed)
    rng = np.random.default_rng(seed)
    base = rng.uniform(1, 50, len(case.x))
    since, until = int(case.day.min()), int(case.day.max())
    weight = rng.uniform(0.5, 2, until - since + 1)
    found = poisson_scan(
        case.zone, case.day, base, case.x, case.y, **case.limits, day_weight=weight,
        simulations=9, seed=1, limit=99,
    )  # fmt: skip
    total, every = len(case.zone), []
    for zones, run, start, end in shapes(case):
        in_space, in_time = base[zones].sum() / base.sum(), weight[run].sum() / weight.sum()
        c = int((zones[case.zone] & run[case.day - since]).sum())
        expected = float(total * in_space * in_time)
        if c >= 2 and in_space <= 0.5 and in_time <= 0.5:
            llr = poisson_llr(c, expected, total)
            members = frozenset(np.flatnonzero(zones).tolist())
            every.append(Cylinder(llr, members, start, end, c, expected))
    assert_greedy(found, sorted((c for c in every if c.llr > 1e-9), reverse=True))


@pytest.mark.parametrize("seed", range(24))
def test_bernoulli_clusters_are_the_best_of_every_cylinder(seed: int) -> None:
    case = small(seed)
    label = np.random.default_rng(seed).random(len(case.zone)) < 0.3
    found = bernoulli_scan(
        case.zone, case.day, label, case.x, case.y, **case.limits,
        simulations=9, seed=1, limit=99,
    )  # fmt: skip
    records, cases, every = len(label), int(label.sum()), []
    for zones, run, start, end in shapes(case):
        in_space, in_time = zones[case.zone], run[case.day - case.day.min()]
        n, c = int((in_space & in_time).sum()), int((in_space & in_time & label).sum())
        if c < 2 or 2 * in_space.sum() > records or 2 * in_time.sum() > records:
            continue
        llr = bernoulli_llr(c, n, cases, records)
        members = frozenset(np.flatnonzero(zones).tolist())
        every.append(Cylinder(llr, members, start, end, c, n * cases / records))
    every = sorted((c for c in every if c.llr > 1e-9), reverse=True)
    assert_greedy(found, every if 1 < cases < records else [])


@pytest.mark.slow
@pytest.mark.parametrize("prospective", [True, False])
def test_p_is_the_share_of_all_permutations(prospective: bool) -> None:
    zone, day = np.array([0, 0, 0, 1, 1, 2, 2]), np.array([7, 7, 6, 1, 2, 3, 4])
    x, y = np.array([0.0, 100, 300]), np.zeros(3)
    limits: dict[str, Any] = {"max_radius": 150.0, "max_days": 3, "prospective": prospective}
    maxima = []
    for order in itertools.permutations(day):
        case = Small(zone, np.array(order), x, y, 150.0, 3, prospective)
        maxima.append(max((c.llr for c in permutation_cylinders(case)), default=0.0))
    exact = (np.array(maxima) >= maxima[0] - 1e-9).mean()
    [top, *_] = permutation_scan(zone, day, x, y, **limits, simulations=9999, seed=3)
    assert top.llr == pytest.approx(maxima[0])
    assert top.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 9999))


def planted(seed: int) -> tuple[Ints, Ints, Floats, Floats]:
    """A quiet town of 64 zones over 60 days, and 24 cases more in two zones in the last six."""
    rng = np.random.default_rng(seed)
    x, y = (v.ravel() * 200.0 for v in np.meshgrid(np.arange(8), np.arange(8)))
    zone = np.concatenate([rng.integers(0, 64, 600), rng.choice([27, 28], 24)])
    day = np.concatenate([rng.integers(0, 60, 600), rng.integers(54, 60, 24)])
    return zone, day, x, y


@pytest.mark.parametrize("prospective", [True, False])
def test_a_planted_cluster_is_found_and_its_evidence_adds_up(prospective: bool) -> None:
    zone, day, x, y = planted(5)
    [top, *others] = permutation_scan(
        zone, day, x, y, max_radius=500, max_days=20, prospective=prospective, seed=1
    )
    assert {27, 28} <= set(top.zones)
    assert 50 <= top.start <= 56
    assert top.end >= 58
    inside = np.isin(zone, top.zones) & (day >= top.start) & (day <= top.end)
    assert top.observed == inside.sum()
    assert top.p < 0.001
    assert top.inference == "gumbel"
    assert all(o.p > 0.05 for o in others)
    assert [o.llr for o in others] == sorted((o.llr for o in others), reverse=True)
    every = [z for c in (top, *others) for z in c.zones]
    assert len(every) == len(set(every))
    if prospective:
        assert top.end == 59
        assert top.recurrence_days == pytest.approx(1 / top.p)
    else:
        assert top.recurrence_days is None


def test_a_seed_repeats_whatever_the_number_of_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    zone, day, x, y = planted(6)
    limits: dict[str, Any] = {"max_radius": 300, "max_days": 9, "simulations": 99, "seed": 8}
    here = permutation_scan(zone, day, x, y, **limits)
    for count in (1, 3):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, n=count: set(range(n)))
        assert permutation_scan(zone, day, x, y, **limits) == here


def test_the_interval_between_scans_scales_the_recurrence() -> None:
    zone, day, x, y = planted(7)
    [top, *_] = permutation_scan(zone, day, x, y, max_radius=300, max_days=9, seed=1, interval=7)
    assert top.recurrence_days == pytest.approx(7 / top.p)


def test_the_sequential_test_ends_early_and_says_so() -> None:
    rng = np.random.default_rng(2)
    zone, day = rng.integers(0, 9, 200), rng.integers(0, 30, 200)
    x = np.arange(9) * 100.0
    scan: dict[str, Any] = {"max_radius": 200, "max_days": 7, "simulations": 9999, "seed": 1}
    [full, *_] = permutation_scan(zone, day, x, x, **scan)
    [early, *_] = permutation_scan(zone, day, x, x, **scan, stop=20)
    assert early.inference == "sequential"
    assert early.p == pytest.approx(full.p, abs=4 * full.p / math.sqrt(20))


@pytest.mark.slow
def test_sizes_beyond_sixteen_bits() -> None:
    rng = np.random.default_rng(1)
    zone = np.concatenate([rng.integers(0, 20, 40_000), np.full(150, 3)])
    day = np.concatenate([rng.integers(0, 40, 40_000), np.full(150, 39)])
    x = np.arange(20) * 100.0
    for prospective in (True, False):
        [top, *_] = permutation_scan(
            zone, day, x, x * 0, max_radius=250, max_days=5, prospective=prospective,
            simulations=19, seed=1,
        )  # fmt: skip
        assert (top.zones, top.start, top.end) == ((3,), 39, 39)
        assert top.observed == ((zone == 3) & (day == 39)).sum()


@pytest.mark.slow
def test_heavy_days_do_not_hide_and_are_no_clusters() -> None:
    # Nine cases in ten on Mondays: the permutation statistic expects them there.
    rng = np.random.default_rng(4)
    week = rng.integers(0, 20, 3000)
    day = week * 7 + np.where(rng.random(3000) < 0.9, 0, rng.integers(1, 7, 3000))
    zone = rng.integers(0, 25, 3000)
    x, y = (v.ravel() * 100.0 for v in np.meshgrid(np.arange(5), np.arange(5)))
    case = Small(zone, day, x, y, 150.0, 10, False)
    found = permutation_scan(*case[:4], **case.limits, simulations=99, seed=1, limit=1)
    assert found[0].llr == pytest.approx(permutation_cylinders(case)[0].llr)
    assert found[0].p > 0.05


@pytest.mark.slow
def test_the_town_s_emerging_cluster_is_the_most_likely_one() -> None:
    town = build()
    truth, grids = town.truth["emerging"], town.tables["grids"].reset_index(drop=True)
    disputes = town.tables["disputes"]
    mine = disputes[disputes["category"] == truth["category"]].to_crs(4549)
    centres = grids.to_crs(4549).geometry.centroid
    # Events to grids by the nearest of those that hold them, as the database does.
    event, grid = grids.to_crs(4549).sindex.query(mine.geometry, predicate="intersects")
    zone = np.full(len(mine), -1)
    zone[event[::-1]] = grid[::-1]
    until = np.datetime64(truth["end"])
    local = mine["occurred_at"].dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    day = (local - until).astype(int)
    recent = (day > -365) & (zone >= 0)
    top, *others = permutation_scan(
        zone[recent], day[recent], centres.x, centres.y, max_radius=1000, max_days=30,
        until=0, seed=1,
    )  # fmt: skip
    assert set(grids["code"][list(top.zones)]) & set(truth["grids"])
    assert top.end == 0
    assert -16 <= top.start <= -8  # planted in the last fourteen days
    assert top.p < 0.001
    assert top.recurrence_days is not None
    assert top.recurrence_days > 1000
    assert top.observed > 2 * top.expected
    assert all(other.p > 0.05 for other in others)


def null(scan: str, seed: int) -> list[Cluster]:
    rng = np.random.default_rng([seed, 7])
    cases, zones = 150, 20
    x, y = rng.uniform(0, 1000, (2, zones))
    base = rng.uniform(1, 5, zones)
    zone = rng.choice(zones, cases, p=base / base.sum())
    day = rng.integers(0, 40, cases)
    limits: dict[str, Any] = {"max_radius": 400, "max_days": 10, "simulations": 199, "seed": seed}
    if scan == "poisson":
        return poisson_scan(zone, day, base, x, y, **limits, since=0, until=39, limit=1)
    if scan == "bernoulli":
        return bernoulli_scan(zone, day, rng.random(cases) < 0.4, x, y, **limits, limit=1)
    return permutation_scan(
        zone, day, x, y, **limits, until=39, prospective=scan == "prospective", limit=1
    )


@pytest.mark.parametrize("scan", ["prospective", "retrospective", "poisson", "bernoulli"])
@pytest.mark.parametrize("sets", [pytest.param(60), pytest.param(500, marks=pytest.mark.slow)])
def test_p_is_calibrated(scan: str, sets: int) -> None:
    p = np.array([found[0].p if (found := null(scan, n)) else 1.0 for n in range(sets)])
    low, high = stats.binom.interval(0.99 if sets > 100 else 0.9999, sets, 0.05)
    assert low <= (p < 0.05).sum() <= high, f"{(p < 0.05).sum()} of {sets}"


def test_records_without_clusters() -> None:
    nowhere: dict[str, Any] = {"max_radius": 10, "max_days": 3}
    assert permutation_scan([], [], [0.0], [0.0], **nowhere) == []
    assert permutation_scan([0], [1], [0.0], [0.0], **nowhere) == []
    assert permutation_scan([0, 0, 0], [1, 2, 3], [0.0], [0.0], **nowhere) == []
    assert bernoulli_scan([0, 1], [1, 1], [1, 1], [0.0, 1], [0.0, 1], **nowhere) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"zone": [0, 2]}, "from 0 to 1"),
        ({"zone": [0]}, "one number a case"),
        ({"day": [1.5, 2]}, "whole number"),
        ({"day": [math.nan, 2]}, "whole number"),
        ({"zone_x": [0.0, math.inf]}, "centre is missing"),
        ({"zone_y": [0.0]}, "one number a zone"),
        ({"zone_x": [120.1, 120.2], "zone_y": [30.1, 30.2]}, "look like degrees"),
        ({"max_radius": -1}, "max_radius"),
        ({"max_days": 0}, "max_days"),
        ({"simulations": 0}, "one or more"),
        ({"until": 1}, "after the last day"),
    ],
)
def test_senseless_input_is_refused(change: dict[str, Any], sentence: str) -> None:
    given: dict[str, Any] = {
        "zone": [0, 1], "day": [1, 2], "zone_x": [0.0, 1], "zone_y": [0.0, 1],
        "max_radius": 5, "max_days": 3,
    }  # fmt: skip
    with pytest.raises(ValueError, match=sentence):
        permutation_scan(**(given | change))


def test_a_zone_with_cases_needs_a_base() -> None:
    with pytest.raises(ValueError, match="no base"):
        poisson_scan([0, 1], [1, 2], [1, 0], [0.0, 1], [0.0, 1], max_radius=1, max_days=1)


def test_quiet_last_days_hold_no_cluster() -> None:
    """A prospective scan long after the last case finds nothing, and says so without an error."""
    chance = np.random.default_rng(1)
    zone, day = chance.integers(0, 10, 200), chance.integers(0, 100, 200)
    x, y = chance.random(10) * 1000, chance.random(10) * 1000
    found = permutation_scan(
        zone, day, x, y, max_radius=500, max_days=7, until=150, simulations=19, seed=1
    )
    assert found == []

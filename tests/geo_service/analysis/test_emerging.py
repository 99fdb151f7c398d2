"""Emerging hot spots: the 17 categories, Gi* in space and time against local_g, false alarms."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geo_service.analysis.emerging import PATTERNS, classify, emerging_hot_spots
from geo_service.analysis.lattice import squares
from geo_service.analysis.local_g import local_g
from geo_service.analysis.neighbours import contiguity
from layers.town import build

STEPS = 20


def queen(columns: int, rows: int) -> Any:
    area = shapely.box(500_000, 3_300_000, 500_000 + 100 * columns, 3_300_000 + 100 * rows)
    return contiguity(squares(area, 100, crs=4549, local=4549))


def marks(text: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """One cell: + is hot, - is cold, . is neither."""
    row = np.array([list(text)])
    return row == "+", row == "-"


@pytest.mark.parametrize(
    ("text", "trend", "name"),
    [
        ("." * 20, 0, "no pattern detected"),
        ("." * 19 + "+", 0, "new hot spot"),
        ("." * 18 + "++", 0, "consecutive hot spot"),
        (".." + "." + "+" * 17, 1, "consecutive hot spot"),
        ("+" * 20, 1, "intensifying hot spot"),
        (".." + "+" * 18, 1, "intensifying hot spot"),
        ("+" * 20, 0, "persistent hot spot"),
        (".." + "+" * 18, 0, "persistent hot spot"),
        ("+" * 20, -1, "diminishing hot spot"),
        ("+" + "." * 18 + "+", 0, "sporadic hot spot"),
        ("+." * 4 + "." * 10 + "++", 0, "sporadic hot spot"),
        ("+-" + "." * 17 + "+", 0, "oscillating hot spot"),
        ("+" * 19 + ".", 0, "historical hot spot"),
        ("+" * 18 + "..", -1, "historical hot spot"),
        # On and off, but not in the final step: today's wording gives it no category.
        ("+." * 10, 0, "no pattern detected"),
        ("+-" * 9 + "+.", 0, "no pattern detected"),
        # Where two wordings fit, the order written down decides.
        ("-" + "." * 18 + "+", 0, "new hot spot"),
        ("-" + "." * 17 + "++", 0, "consecutive hot spot"),
        ("+" * 18 + ".-", 0, "new cold spot"),
    ],
)
def test_categories(text: str, trend: int, name: str) -> None:
    hot, cold = marks(text)
    assert PATTERNS[int(classify(hot, cold, [trend])[0])].en == name
    mirrored = PATTERNS[int(classify(cold, hot, [-trend])[0])].en
    swap = {"hot": "cold", "cold": "hot"}
    assert mirrored == " ".join(swap.get(word, word) for word in name.split())


def test_all_seventeen_categories_are_named_in_both_languages() -> None:
    assert sorted(PATTERNS) == list(range(-8, 9))
    assert len({p.zh for p in PATTERNS.values()} | {p.en for p in PATTERNS.values()}) == 34


def test_every_cell_has_one_category_and_its_rules_hold() -> None:
    rng = np.random.default_rng(1)
    state = rng.choice([-1, 0, 1], (4000, 10), p=[0.2, 0.3, 0.5])
    state[:2000] = np.sort(state[:2000], axis=1)
    hot, cold, trend = state > 0, state < 0, rng.choice([-1, 0, 1], 4000)
    found = classify(hot, cold, trend)
    for n in range(4000):
        h, c = list(hot[n]), list(cold[n])
        often = sum(h) >= 9
        last_run = next((i for i, v in enumerate(reversed(h)) if not v), 10)
        rules = {
            1: h[-1] and not any(h[:-1]),
            2: h[-1] and last_run >= 2 and not any(h[: 10 - last_run]) and not often,
            3: h[-1] and often and trend[n] > 0,
            4: h[-1] and often and trend[n] == 0,
            5: h[-1] and often and trend[n] < 0,
            6: h[-1] and not often and not any(c),
            7: h[-1] and not often and any(c),
            8: not h[-1] and often and not c[-1],
        }
        if found[n] > 0:
            assert rules[int(found[n])], (n, found[n])
        elif not found[n]:
            assert not any(rules.values())


@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("inference", ["exact", "normal"])
def test_it_is_local_g_of_the_whole_cube(before: int, inference: Any) -> None:
    neighbours, steps = queen(5, 4), 6
    cube = np.random.default_rng(2).poisson(1.2, (20, steps))
    near = neighbours.toarray() + np.eye(20)
    graph = np.zeros((20, steps, 20, steps))
    for t in range(steps):
        for back in range(min(before, t) + 1):
            graph[:, t, :, t - back] = near
    whole = graph.reshape(20 * steps, -1) - np.eye(20 * steps)
    other = local_g(cube.ravel(), sparse.csr_array(whole), inference=inference)
    found = emerging_hot_spots(cube, neighbours, time_neighbours=before, inference=inference)
    assert found.z.ravel() == pytest.approx(other.z)
    assert found.p.ravel() == pytest.approx(other.p)


def test_planted_cells_get_their_categories() -> None:
    rng = np.random.default_rng(3)
    cube = rng.poisson(2.0, (900, STEPS))
    places = {"consecutive": 65, "persistent": 235, "intensifying": 665, "historical": 835}
    blocks = {
        k: [n + 30 * r + c for r in (-1, 0, 1) for c in (-1, 0, 1)] for k, n in places.items()
    }
    cube[blocks["consecutive"], -4:] += 8
    cube[blocks["persistent"]] += 8
    cube[blocks["intensifying"]] += np.arange(6, 6 + STEPS)
    cube[blocks["historical"], :-2] += 8
    found = emerging_hot_spots(cube, queen(30, 30), time_neighbours=0)
    for name, cell in places.items():
        assert found.pattern[cell] == f"{name} hot spot"
    far = np.ones(900, bool)
    for n in places.values():
        far[[n + 30 * r + c for r in range(-2, 3) for c in range(-2, 3)]] = False
    # Between the planted blocks nothing is above what comes by chance.
    assert found.hot[far].mean() < 0.005


@pytest.mark.slow
def test_the_town_s_planted_labour_disputes_are_found() -> None:
    town = build()
    [truth] = [h for h in town.truth["hot_spots"] if h["category"] == "labour"]
    labour = town.tables["disputes"].query("category == 'labour'").to_crs(4549)
    lattice = squares(town.tables["areas"].union_all(), 250, crs=4326)
    cell = lattice.locate(labour.geometry.x, labour.geometry.y, crs=4549)
    times = pd.DatetimeIndex(labour["occurred_at"]).tz_convert("UTC")
    quarter = np.asarray((times - times.min()).days // 92)
    cube = np.zeros((len(lattice), quarter.max() + 1))
    np.add.at(cube, (cell, quarter), 1)
    found = emerging_hot_spots(cube, contiguity(lattice))
    planted = np.zeros(len(lattice), bool)
    planted[np.unique(cell[labour["code"].isin(truth["codes"])])] = True
    assert found.hot[planted, -1].mean() > 0.5
    # They began with the last of the three years, where labour disputes were usual before.
    assert (found.category[planted & found.hot[:, -1]] > 0).all()
    assert found.z[planted, -3:].mean() > found.z[planted, :8].mean() + 1


def share_of_false(seed: int) -> float:
    """The share of hot bins that lie away from a planted block: false discoveries."""
    rng = np.random.default_rng(seed)
    cube = rng.poisson(1.0, (225, 8))
    block = [7 * 15 + 7 + 15 * r + c for r in (-1, 0, 1) for c in (-1, 0, 1)]
    cube[block, 4:] += 5
    around = [7 * 15 + 7 + 15 * r + c for r in range(-2, 3) for c in range(-2, 3)]
    near = np.zeros((225, 8), bool)
    near[np.ix_(around, range(4, 8))] = True
    found = emerging_hot_spots(cube, queen(15, 15), time_neighbours=0)
    called = found.hot | found.cold
    assert found.hot[block, 4:].mean() > 0.8
    return float((called & ~near).sum() / called.sum())


@pytest.mark.parametrize("sets", [pytest.param(20), pytest.param(200, marks=pytest.mark.slow)])
def test_false_discoveries_stay_below_the_stated_rate(sets: int) -> None:
    false = np.array([share_of_false(seed) for seed in range(sets)])
    assert false.mean() <= 0.05 + 3 * false.std() / sets**0.5


@pytest.mark.parametrize("value", [0, 3])
def test_a_cube_that_does_not_vary_has_no_pattern(value: int) -> None:
    found = emerging_hot_spots(np.full((9, 4), value), queen(3, 3))
    assert (found.category == 0).all()
    assert (found.z == 0).all()
    assert (found.p == 1).all()


def test_what_does_not_fit_is_refused() -> None:
    near = queen(3, 3)
    with pytest.raises(ValueError, match="cells × steps"):
        emerging_hot_spots([1, 2, 3], near)
    with pytest.raises(ValueError, match="missing"):
        emerging_hot_spots(np.full((9, 2), np.nan), near)
    with pytest.raises(ValueError, match="there are 8 cells"):
        emerging_hot_spots(np.zeros((8, 2)), near)
    with pytest.raises(ValueError, match="whole numbers"):
        emerging_hot_spots(np.linspace(0, 1, 18).reshape(9, 2), near)

"""Mending a coverage: what is narrow goes, what moved is told, and nothing else moves."""

from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from layers.intake import coverage
from layers.intake.cleaning import clean

METRE = 1e-5  # degrees, roughly


def strips(*edges: tuple[float, float]) -> np.ndarray:
    return np.array([shapely.box(west, 31, east, 31.01) for west, east in edges])


def test_a_narrow_gap_is_closed() -> None:
    grids = strips((117, 117.01), (117.01 + METRE / 2, 117.02), (117.02, 117.03))
    lid = np.array([shapely.box(117, 31.01, 117.03, 31.02), shapely.box(117, 30.99, 117.03, 31)])
    grids = np.concatenate([grids, lid])  # above and below: the gap is enclosed
    mended, moved = clean(grids, tolerance=1)
    assert shapely.coverage_is_valid(mended)
    assert len(shapely.union_all(mended).interiors) == 0
    # 0.5e-5 degrees of longitude at 31 north, by 0.01 degrees of latitude: 0.477 m by 1,109 m.
    assert [m.position for m in moved if m.area > 0.001] in ([0], [1])
    assert sum(m.area for m in moved) == pytest.approx(0.4775 * 1108.6, rel=0.01)
    assert max(m.distance for m in moved) == pytest.approx(0.4775, rel=0.01)


def test_an_overlap_is_resolved_and_told() -> None:
    grids = strips((117, 117.01 + 20 * METRE), (117.01, 117.02))
    mended, moved = clean(grids, tolerance=1)
    assert shapely.coverage_is_valid(mended)
    assert max(m.distance for m in moved) == pytest.approx(19.1, rel=0.01)


def test_a_wide_gap_stays() -> None:
    ring = shapely.box(117, 31, 117.02, 31.02) - shapely.box(117.005, 31.005, 117.015, 31.015)
    mended, moved = clean(np.array([ring]), tolerance=5)
    assert moved == []
    assert len(mended[0].interiors) == 1


def test_a_sound_coverage_does_not_move() -> None:
    rng = np.random.default_rng(7)
    xs, ys = np.round(117 + np.sort(rng.random(9)), 8), np.round(31 + np.sort(rng.random(9)), 8)
    grids = np.array(
        [shapely.box(xs[i], ys[j], xs[i + 1], ys[j + 1]) for i in range(8) for j in range(8)]
    )
    mended, moved = clean(grids, tolerance=1)
    assert moved == []
    assert shapely.equals_identical(shapely.normalize(mended), shapely.normalize(grids)).all()


@pytest.mark.slow
def test_beijing_becomes_a_coverage(shared_data: Path) -> None:
    frame = geopandas.read_file(
        shared_data / "cn_beijing_subdistricts" / "beijing_subdistricts_merged.geojson"
    )
    shapes = shapely.transform(frame.geometry.to_numpy(), lambda places: np.round(places, 8))
    codes, parents = frame["code"].astype(str).tolist(), ["110000"] * len(frame)
    assert len(coverage.faults(codes, parents, shapes)) > 67
    mended, moved = clean(shapes, tolerance=50)
    assert coverage.faults(codes, parents, mended) == []
    assert 0 < len(moved) < len(frame)
    # Most of what moves is within the tolerance; the wide overlaps are told by their distance.
    assert sum(m.distance > 50 for m in moved) < 10

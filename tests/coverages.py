"""Made-up coverages: neighbours that share wavy edges, vertex by vertex."""

from collections.abc import Iterator

import numpy as np
import shapely

Edges = dict[tuple[int, int], np.ndarray]


def wavy(across: int, vertices: int, box: tuple[float, float, float, float]) -> list[str]:
    """Return the WKT of ``across`` x ``across`` polygons of about ``vertices`` vertices each.

    They fill ``box`` (degrees) but for the waves of its rim; coordinates are on the 1e-8 lattice.

    >>> len(wavy(2, 40, (117, 31, 118, 32)))
    4
    """
    west, south, east, north = box
    each = vertices // 4
    step = np.arange(each) / each
    chance = np.random.default_rng(4)
    corners_x, corners_y = np.meshgrid(
        np.linspace(west, east, across + 1), np.linspace(south, north, across + 1)
    )
    wide, high = (east - west) / across, (north - south) / across
    corners = np.stack([corners_x, corners_y], axis=-1)
    corners += chance.uniform(-0.1, 0.1, corners.shape) * (wide, high)

    def edge(start: np.ndarray, end: np.ndarray, aside: np.ndarray) -> np.ndarray:
        # Still at the corners, so that edges do not cross there.
        sway = (np.sin(step * np.pi * 6) * 0.06 + np.sin(step * np.pi * 34) * 0.015) * np.sin(
            step * np.pi
        )
        line = start + step[:, None] * (end - start) + sway[:, None] * aside
        return np.asarray(np.round(line * 1e8) / 1e8)

    def along(row: int, column: int) -> np.ndarray:
        return edge(corners[row, column], corners[row, column + 1], np.array([0, high]))

    def up(row: int, column: int) -> np.ndarray:
        return edge(corners[row, column], corners[row + 1, column], np.array([wide, 0]))

    def corner(row: int, column: int) -> np.ndarray:
        return np.asarray(np.round(corners[row : row + 1, column] * 1e8) / 1e8)

    def rings() -> Iterator[np.ndarray]:
        for row in range(across):
            for column in range(across):
                yield np.concatenate([
                    along(row, column),
                    up(row, column + 1),
                    corner(row + 1, column + 1),
                    along(row + 1, column)[:0:-1],
                    corner(row + 1, column),
                    up(row, column)[:0:-1],
                    corner(row, column),
                ])  # fmt: skip

    return [shapely.to_wkt(shapely.Polygon(ring), rounding_precision=8) for ring in rings()]

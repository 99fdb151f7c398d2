"""Views and figures as GeoJSON, in longitude and latitude."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from geo_service.analysis.density_levels import Ladder
from geo_service.analysis.metric import project_shapes
from geo_service.analysis.sentence import Sentence
from geo_service.analysis.weights import Floats

DECIMALS = 7
"""Of a degree in an answer: about a centimetre."""


def both(sentence: Sentence) -> dict[str, str]:
    """Return a sentence for an answer."""
    return {"zh": sentence.zh, "en": sentence.en}


def collection(features: Iterable[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a feature collection with further members."""
    return {"type": "FeatureCollection", "features": list(features), **more}


def feature(
    shape: Any, crs: CRS, id_: str | int | None = None, **properties: Any
) -> dict[str, Any]:
    """Return a shape in metres of ``crs`` as a feature; its geometry is null where it is empty."""
    made: dict[str, Any] = {"type": "Feature", "geometry": geometry(shape, crs)}
    if id_ is not None:
        made["id"] = id_
    return made | {"properties": properties}


def geometry(shape: Any, crs: CRS) -> dict[str, Any] | None:
    """Return a shape in metres of ``crs`` as a geometry in degrees, or None where it is empty."""
    if shapely.is_empty(shape):
        return None

    def rounded(xy: Floats) -> Floats:
        return np.round(xy, DECIMALS)

    turned = shapely.transform(project_shapes(shape, crs, 4326), rounded)
    made: dict[str, Any] = json.loads(shapely.to_geojson(turned))
    return made


def levels(ladder: Ladder) -> dict[str, Any]:
    """Return an edition's levels and where they are taken from, for an answer."""
    return {
        "edition": ladder.edition,
        "source": ladder.source,
        "levels": [
            {"id": one.name, "zh": one.zh, "en": one.name, "pixels_per_metre": one.pixels_per_metre}
            for one in ladder.levels
        ],
    }


def by_level(shapes: Any, ladder: Ladder, crs: CRS, **properties: Any) -> list[dict[str, Any]]:
    """Return one feature a level, the lowest density first; levels lie within each other.

    ``shapes`` are one a level, in metres.
    """
    return [
        feature(
            shape,
            crs,
            **properties,
            level=one.name,
            title={"zh": one.zh, "en": one.name},
            pixels_per_metre=one.pixels_per_metre,
            area_m2=round(float(shapely.area(shape)), 2),
        )
        for shape, one in zip(shapes, ladder.levels, strict=True)
    ]

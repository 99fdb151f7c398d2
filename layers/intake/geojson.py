"""GeoJSON, as one document or one feature a line."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import shapely
from shapely.geometry import shape

from layers.intake.chunks import CHUNK, Chunk, File, Source, distinct, encoding_of
from layers.intake.coordinates import Broken, Shape
from layers.intake.reference import obfuscated
from layers.intake.report import Problems, Refusal, Words

_SIMPLE = ("Point", "LineString", "Polygon")
_TYPES = frozenset((*_SIMPLE, *(f"Multi{kind}" for kind in _SIMPLE), "GeometryCollection"))

# What shapely raises for coordinates of the wrong kind, number or nesting.
_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def geojson(file: File, problems: Problems) -> Source:
    """Read GeoJSON (RFC 7946; the ``crs`` member of 2008 is honoured) or GeoJSON by lines."""
    content = file.content
    try:
        text = content.decode("utf-8-sig").lstrip("\x1e \t\r\n")
    except UnicodeDecodeError:
        text = content.decode(encoding_of(content))
    try:
        found, lines = _features(text)
    except RecursionError:
        raise Refusal("JSON 嵌套过深。", "The JSON is nested too deeply.") from None
    crs = None
    if isinstance(found, dict) and found.get("type") == "FeatureCollection":
        crs = _crs(found.get("crs"))
        found = found.get("features")
    elif isinstance(found, dict | Broken) or hasattr(found, "geom_type"):
        crs = _crs(found.get("crs")) if isinstance(found, dict) else None
        found = [found]
    if not isinstance(found, list):
        raise Refusal(
            "是 JSON，但不是 GeoJSON（没有 features）。",
            "It is JSON but not GeoJSON (there are no features).",
        )
    headers: dict[str, None] = {}
    for feature in found:
        if isinstance(feature, dict) and isinstance(feature.get("properties"), dict):
            headers |= dict.fromkeys(feature["properties"])
    if any(isinstance(feature, dict) and "id" in feature for feature in found):
        headers["id"] = None
    return Source(
        distinct(list(headers)),
        _chunks(found, list(headers), lines, problems),
        crs=crs,
        total=len(found),
        geometry=True,
    )


def _features(text: str) -> tuple[Any, list[int | None] | None]:
    """Parse a whole document, or one document a line. Geometries are made while parsing."""
    load = json.JSONDecoder(object_hook=_geometry).decode
    try:
        return load(text), None
    except ValueError as error:
        message = getattr(error, "msg", "number")
        line = getattr(error, "lineno", 1)
        try:
            json.loads(text.split("\n", 1)[0].strip("\x1e\r "))
        except ValueError:
            raise Refusal(
                f"不是完整的 JSON：文件第 {line} 行出错（{message}）。",
                f"Not complete JSON: error at line {line} ({message}).",
            ) from None
    features: list[Any] = []
    lines: list[int | None] = []
    for number, line_text in enumerate(text.split("\n"), start=1):
        if stripped := line_text.strip("\x1e\r\t "):
            lines.append(number)
            try:
                features.append(load(stripped))
            except ValueError:
                features.append(None)
    return features, lines


def _crs(member: Any) -> str | None:
    """Return ``EPSG:n`` of an old ``crs`` member, GCJ-02 or BD-09 of our own export, else None."""
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if isinstance(name, str) and (known := obfuscated(name)):
        return known
    digits = name.rsplit(":", 1)[-1] if isinstance(name, str) and "epsg" in name.lower() else ""
    return f"EPSG:{digits}" if digits.isdecimal() else None


def _chunks(
    features: list[Any], keys: list[str], lines: list[int | None] | None, problems: Problems
) -> Iterator[Chunk]:
    headers = distinct(keys)
    bad = Words("不是 GeoJSON 要素（Feature）。", "This is not a GeoJSON feature.")
    for start in range(0, len(features), CHUNK):
        part = features[start : start + CHUNK]
        rows = range(start + 1, start + len(part) + 1)
        places = lines[start : start + len(part)] if lines else [None] * len(part)
        records: list[Mapping[str, Any]] = []
        shapes: list[Shape] = []
        for row, line, feature in zip(rows, places, part, strict=True):
            if hasattr(feature, "geom_type") or isinstance(feature, Broken):
                feature = {"type": "Feature", "geometry": feature}  # noqa: PLW2901 - bare geometry
            if not isinstance(feature, dict) or feature.get("type") != "Feature":
                problems.add(bad, row=row, line=line)
                feature = {}  # noqa: PLW2901
            place = feature.get("geometry")
            known = place is None or isinstance(place, Broken) or hasattr(place, "geom_type")
            shapes.append(place if known else _broken("Geometry"))
            properties = feature.get("properties")
            own = properties if isinstance(properties, dict) else {}
            records.append({"id": feature.get("id"), **own})
        yield Chunk(
            rows,
            places,
            {h: [r.get(k) for r in records] for h, k in zip(headers, keys, strict=True)},
            shapes,
        )


def _geometry(value: dict[str, Any]) -> Any:
    """Turn a GeoJSON geometry into a shapely one; anything else passes.

    Meant as ``object_hook`` of the JSON parser: coordinates never pile up as Python lists.
    """
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        return value
    try:
        if kind == "GeometryCollection" and "geometries" in value:
            return shapely.GeometryCollection(value["geometries"])
        if "coordinates" not in value:
            return value
        if kind == "Point" and not value["coordinates"]:
            return shapely.Point()
        return shape(value)
    except (*_MALFORMED, shapely.errors.ShapelyError):
        return _broken(kind)


def _broken(kind: str) -> Broken:
    return Broken(
        Words(
            f"几何无法读取：坐标应为数字，且嵌套层次与个数须符合 {kind} 类型。",
            f"The geometry cannot be read: coordinates must be numbers, nested and as many as "
            f"a {kind} needs.",
        )
    )

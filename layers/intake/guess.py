"""Which layer a file may be for: by its headers, its name and what geometries it has."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from layers.catalogue import CATALOGUE, Layer
from layers.intake import headers
from layers.intake.headers import LATITUDE, LONGITUDE, WKT, key
from layers.intake.report import Problems

_PLACES = frozenset({LONGITUDE, LATITUDE, WKT})
_NAMED = 1.0
"""What the layer's title in a file's name or in a header weighs: one column of its own."""
_MISFIT = 0.2
"""What is left of a score where the geometries are of another type."""


class Guess(NamedTuple):
    """A layer that a file may be for, with a score from 0 to 1."""

    layer: Layer
    score: float


def guesses(
    names: Sequence[str],
    kinds: Iterable[str] = (),
    file: str = "",
    *,
    geometry: bool = False,
    layers: Iterable[Layer] = CATALOGUE.values(),
) -> list[Guess]:
    """Return the layers that a file may be for, the likeliest first.

    ``names`` are the file's headers and ``kinds`` its geometry types, as shapely spells them;
    ``geometry`` tells that the format has geometries of its own. A column that few layers have
    weighs more than one of many. The score is the share of what could speak for a layer.

    >>> [guesses(["国标编码", "经度", "纬度", "方位角", "安装高度"])[0].layer.id]
    ['cameras']
    """
    among = list(layers)
    found = {
        layer.id: set(
            headers.match(layer, names, {}, {}, Problems(), guess_place=not geometry).columns
        )
        for layer in among
    }
    owners = Counter(name for layer in among for name in headers.targets(layer))
    seen = {kind.upper().removeprefix("MULTI") for kind in kinds}
    text = "".join(map(key, (file, *names)))
    result = []
    for layer in among:
        columns = found[layer.id] - _PLACES
        weight = sum(1 / owners[name] for name in columns)
        said = sum(key(title) in text for title in (layer.title.zh, layer.title.en, layer.id))
        weight += _NAMED * min(said, 1)
        # Half of a full score: three columns that no other layer has.
        score = weight / (weight + 3) if weight else 0.0
        needs = {f.name for f in layer.fields if f.required and not f.derived} - {"code"}
        if needs:
            score *= 0.6 + 0.4 * len(needs & columns) / len(needs)
        points = seen or ({"POINT"} if {LONGITUDE, LATITUDE} <= found[layer.id] else set())
        wanted = layer.geometry.removeprefix("MULTI")
        misfit = bool(points) and wanted != "GEOMETRY" and wanted not in points
        score *= _MISFIT if misfit else 1
        result.append((misfit, Guess(layer, round(score, 3))))
    return [guess for _, guess in sorted(result, key=lambda r: (-r[1].score, r[0]))]

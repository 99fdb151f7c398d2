"""Files that say which column of a layer stands in which column of a file."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from layers.catalogue import Layer
from layers.intake.chunks import encoding_of
from layers.intake.headers import key, targets
from layers.intake.report import Refusal

MAX_BYTES = 1_000_000
"""Mapping files larger than this are none."""

# What may stand in the first row of a table of two columns.
_TITLES = frozenset({
    "column", "columns", "header", "headers", "field", "name", "source", "target", "from", "to",
    "attribute", "列", "列名", "字段", "字段名", "字段名称", "表头", "原列名", "源列", "源字段",
    "文件列", "文件列名", "文件表头", "目标", "目标列", "目标字段", "图层列", "图层字段", "系统列",
    "系统字段", "标准字段", "标准列名", "映射", "对应列", "对应字段",
})  # fmt: skip
_PAIR = 2


class Told(NamedTuple):
    """What a mapping file says: column to header in the file, and column to a constant."""

    mapping: dict[str, str]
    constants: dict[str, str]


def mapping_file(path: Path, layer: Layer) -> Told:
    r"""Read a mapping for ``layer`` from JSON or from a table of two columns (CSV, TSV).

    JSON is an object of columns and headers, or ``{"mapping": {…}, "constants": {…}}``. A table has
    a column of the layer and a header of the file in each row, with or without a row of titles.
    Columns are given by name or by their Chinese or English title. Where only the second of each
    pair is a column of the layer, the pairs are read the other way round. Raises ``Refusal``.

    >>> import tempfile
    >>> from layers.catalogue import CATALOGUE
    >>> path = Path(tempfile.mkdtemp()) / "列名映射.csv"
    >>> _ = path.write_text("列名,字段\n发生时间,登记日\n类别,案由\n", encoding="utf-8")
    >>> mapping_file(path, CATALOGUE["disputes"]).mapping
    {'occurred_at': '登记日', 'category': '案由'}
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Refusal("映射文件过大。", "The mapping file is too large.")
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "?"
        raise Refusal(
            f"映射文件无法读取（{reason}）。", f"The mapping file cannot be read ({reason})."
        ) from None
    text = content.decode(encoding_of(content)).lstrip("\ufeff")
    if text.lstrip().startswith(("{", "[")):
        return _of_json(text, layer)
    return Told(_mapping(_rows(text), layer), {})


def columns_of(text: str) -> dict[str, str]:
    r"""Return short to full names of columns, from the ``columns.txt`` of our own Shapefiles.

    Anything else gives nothing.

    >>> columns_of("column\tname\t中文\tEnglish\noccurred\toccurred_at\t发生时间\tOccurred at")
    {'occurred': 'occurred_at'}
    """
    lines = [line.rstrip("\r").split("\t") for line in text.lstrip("\ufeff").split("\n")]
    start = next((at for at, line in enumerate(lines) if line[:_PAIR] == ["column", "name"]), None)
    if start is None:
        return {}
    return {
        line[0]: line[1] for line in lines[start + 1 :] if len(line) >= _PAIR and all(line[:_PAIR])
    }


def _of_json(text: str, layer: Layer) -> Told:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise Refusal("映射文件不是有效的 JSON。", "The mapping file is not valid JSON.") from None
    nested = isinstance(told, dict) and any(isinstance(item, dict) for item in told.values())
    if nested and told.keys() <= {"mapping", "constants"}:
        pairs, constants = told.get("mapping", {}), told.get("constants", {})
    else:
        pairs, constants = told, {}
    for part in (pairs, constants):
        if not isinstance(part, dict) or not all(isinstance(item, str) for item in part.values()):
            raise Refusal(
                '映射文件应为 {"列": "表头"} 形式的 JSON。',
                'The mapping file must be JSON of the form {"column": "header"}.',
            )
    known = _known(layer)
    fixed = {_name(name, known, layer): value for name, value in constants.items()}
    return Told(_mapping(list(pairs.items()), layer), fixed)


def _rows(text: str) -> list[tuple[str, str]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t=", key=first.count)
    pairs = []
    try:
        for row in csv.reader(text.splitlines(), delimiter=delimiter, strict=True):
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) < _PAIR or any(cells[_PAIR:]):
                raise Refusal(
                    "映射文件每行应为两列：图层的列、文件中的列名。",
                    "Each line of the mapping file has two cells: a column of the layer and a "
                    "header of the file.",
                )
            pairs.append((cells[0], cells[1]))
    except csv.Error as error:
        raise Refusal(
            f"映射文件不是有效的 CSV（{error}）。", f"The mapping file is not valid CSV ({error})."
        ) from None
    if pairs and all(key(cell) in _TITLES for cell in pairs[0]):
        pairs.pop(0)
    return [pair for pair in pairs if all(pair)]  # a column that the file does not have


def _mapping(pairs: Sequence[tuple[str, str]], layer: Layer) -> dict[str, str]:
    known = _known(layer)
    straight = all(key(first) in known for first, _ in pairs)
    if not straight and all(key(second) in known for _, second in pairs):
        pairs = [(second, first) for first, second in pairs]
    found: dict[str, str] = {}
    for column, header in pairs:
        name = _name(column, known, layer)
        if name in found:
            raise Refusal(
                f"映射文件中“{column}”出现了不止一次。",
                f"The mapping file names “{column}” more than once.",
            )
        found[name] = header
    if not found:
        raise Refusal("映射文件是空的。", "The mapping file is empty.")
    return found


def _known(layer: Layer) -> dict[str, str]:
    """Return the name of each column by the keys of its name and titles, not of other words."""
    titles = {
        key(word): item.name
        for item in layer.fields
        if not item.derived
        for word in (item.title.en, item.title.zh)
    }
    own = {"经度": "longitude", "纬度": "latitude"}
    return own | titles | {key(name): name for name in targets(layer)}


def _name(column: str, known: Mapping[str, str], layer: Layer) -> str:
    try:
        return known[key(column)]
    except KeyError:
        listed = list(targets(layer))
        raise Refusal(
            f"映射文件中的“{column}”不是图层“{layer.title.zh}”的列，可用：{'、'.join(listed)}。",
            f"“{column}” in the mapping file is no column of {layer.id}; it has: "
            f"{', '.join(listed)}.",
        ) from None

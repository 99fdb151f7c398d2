"""Mapping files, and the columns that a file does not bring though its headers name them."""

import json
from pathlib import Path

import pytest

from layers.catalogue import CATALOGUE
from layers.intake.headers import derived, left_alone, match
from layers.intake.mapping import columns_of, mapping_file
from layers.intake.report import Problems, Refusal

DISPUTES = CATALOGUE["disputes"]
WANTED = {"occurred_at": "登记日", "category": "案由", "longitude": "东"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(WANTED)),
        ("a.json", json.dumps({"发生时间": "登记日", "类别": "案由", "经度": "东"})),
        ("a.json", json.dumps({"登记日": "发生时间", "案由": "category", "东": "longitude"})),
        ("a.csv", "发生时间,登记日\n类别,案由\n\nlongitude,东\n"),
        ("a.csv", "列名,字段\n发生时间,登记日\n类别,案由\nLongitude,东\n涉及人数,\n"),
        ("a.csv", "文件列名,图层列\n登记日,发生时间\n案由,类别\n东,经度\n"),
        ("a.tsv", "column\theader\noccurred_at\t登记日\nCATEGORY\t案由\nlongitude\t东\n"),
        ("a.txt", "occurred_at=登记日\ncategory=案由\nlongitude=东"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_mappings(tmp_path: Path, name: str, content: str, encoding: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding=encoding)
    assert mapping_file(path, DISPUTES).mapping == WANTED


def test_constants_of_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"mapping": {"编码": "流水"}, "constants": {"渠道": "热线"}}))
    told = mapping_file(path, DISPUTES)
    assert (told.mapping, told.constants) == ({"code": "流水"}, {"channel": "热线"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON"),
        ('{"category": 5}', "must be JSON of the form"),
        ("[]", "must be JSON of the form"),
        ("{}", "is empty"),
        ("", "is empty"),
        ("colour,案由", "no column of disputes"),
        ('{"grid_now": "a"}', "no column of disputes"),
        ("category,a\n类别,b", "more than once"),
        ("category,a,b", "two cells"),
        ("category", "two cells"),
        ('category,"a', "not valid CSV"),
        ("\0", "not text"),
    ],
)
def test_mappings_that_are_none(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(content)
    with pytest.raises(Refusal) as raised:
        mapping_file(path, DISPUTES)
    assert said in raised.value.words.en
    assert raised.value.words.zh


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Refusal):
        mapping_file(tmp_path / "none.csv", DISPUTES)
    (tmp_path / "big").write_bytes(b"a" * 1_000_001)
    with pytest.raises(Refusal, match="too large"):
        mapping_file(tmp_path / "big", DISPUTES)


def test_columns_that_the_database_keeps_are_no_attributes() -> None:
    for layer in CATALOGUE.values():
        for field in (f for f in layer.fields if f.derived):
            for header in (field.name, field.name[:10], field.title.zh, field.title.en.upper()):
                found = match(layer, [header, "颜色"], {}, {}, Problems())
                assert (found.ignored, found.attributes) == ((header,), ("颜色",)), layer.id
    [words] = left_alone(["所在网格"])
    assert "所在网格" in words.zh
    assert list(left_alone([])) == []


def test_a_mapping_may_still_take_them() -> None:
    layer = CATALOGUE["grids"]
    found = match(layer, ["所在区域"], {"parent": "所在区域"}, {}, Problems())
    assert (found.columns, found.ignored) == ({"parent": "所在区域"}, ())


def test_no_column_to_import_is_taken_for_one_that_is_kept() -> None:
    for layer in CATALOGUE.values():
        for field in (f for f in layer.fields if not f.derived):
            assert not derived(layer) & {field.name, field.title.zh}


def test_the_columns_beside_a_shapefile() -> None:
    told = (
        "纠纷 · Disputes\r\n\r\ncolumn\tname\t中文\tEnglish\r\nsource\tchannel\t渠道\tChannel\r\n"
    )
    assert columns_of("\ufeff" + told) == {"source": "channel"}
    assert columns_of("anything\nelse\tthere") == columns_of("") == {}

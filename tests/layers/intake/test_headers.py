import pytest

from layers.catalogue import CATALOGUE
from layers.intake.headers import _SYNONYMS, match, targets
from layers.intake.report import Problems


def columns(layer: str, headers: list[str], **mapping: str) -> dict[str, str]:
    problems = Problems()
    found = match(CATALOGUE[layer], headers, mapping, {}, problems)
    assert not problems.total
    return dict(found.columns)


@pytest.mark.parametrize(
    ("layer", "headers", "expected"),
    [
        ("disputes", ["编号", "经度", "纬度"], ["code", "longitude", "latitude"]),
        ("disputes", ["纠纷类型", "发生时间"], ["category", "occurred_at"]),
        ("disputes", ["ID", "Lng", "LAT"], ["code", "longitude", "latitude"]),
        ("disputes", [" Category ", "Date"], ["category", "occurred_at"]),
        ("grids", ["网格编码", "网格名称", "户数"], ["code", "name", "households"]),
        ("grids", ["所属社区编码", "所属社区"], ["parent", "parent_name"]),
        ("grids", ["编码", "名称", "所属社区"], ["code", "name", "parent"]),
        ("buildings", ["x", "y", "高度（米）"], ["longitude", "latitude", "height"]),
        ("cameras", ["code", "id", "类别", "类型"], ["code", None, "camera_class", "form"]),
        ("disputes", ["当事人数", "当事人"], ["people", None]),
    ],
)  # fmt: skip
def test_headers_are_guessed(layer: str, headers: list[str], expected: list[str | None]) -> None:
    found = {header: name for name, header in columns(layer, headers).items()}
    assert [found.get(header) for header in headers] == expected


def test_every_column_is_understood_by_name_and_titles() -> None:
    for layer in CATALOGUE.values():
        for field in (f for f in layer.fields if not f.derived):
            for header in (field.name, field.title.zh, field.title.en.upper()):
                assert columns(layer.id, [header]) == {field.name: header}, (layer.id, header)


def test_every_column_has_synonyms() -> None:
    for layer in CATALOGUE.values():
        assert targets(layer).keys() <= _SYNONYMS.keys()


def test_a_mapping_goes_before_guessing() -> None:
    assert columns("cameras", ["编号", "国标编码"], code="国标编码")["code"] == "国标编码"
    assert columns("grids", ["编号"], code="编号", name="编号") == {"code": "编号", "name": "编号"}


def test_an_empty_header_keeps_a_column_from_being_guessed() -> None:
    assert columns("disputes", ["类别", "发生时间"], category="") == {"occurred_at": "发生时间"}
    found = columns("disputes", ["类别", "编码"], category="", code="类别")
    assert found == {"code": "类别"}


def test_mappings_that_cannot_be() -> None:
    problems = Problems()
    layer = CATALOGUE["disputes"]
    match(
        layer,
        ["编号", "姓名"],
        {"code": "无", "colour": "编号", "organisation": "姓名"},
        {"code": "1", "x": ""},
        problems,
    )
    assert [p.en.split(":")[0].split(";")[0] for p in problems.kept] == [
        "The file has no column “无”",
        "Layer disputes has no column “colour” to set",
        "A personal column cannot be imported.",
        "Layer disputes has no column “code” to set",
        "Layer disputes has no column “x” to set",
    ]

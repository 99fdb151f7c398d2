"""The documentation is complete and true where a machine can tell."""

import ast
import doctest
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from pydantic_core import PydanticUndefined

import geo_service
import layers
import static_maps
from geo_service.cli import app
from geo_service.settings import Settings
from layers.catalogue import CATALOGUE
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = sorted([REPOSITORY / "README.md", *DOCS.glob("*.md")])


def _page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def _sections(text: str) -> dict[str, str]:
    """Return the text under each heading of a page, by the heading's first word."""
    parts = re.split(r"(?m)^#+ (.+)$", text)
    return {title.split()[0]: body for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def _rows(text: str) -> dict[str, list[str]]:
    """Return the cells of table rows by the code in their first cell."""
    rows = re.findall(r"(?m)^\| `([^`]+)` \|(.*)\|$", text)
    return {code: [cell.strip() for cell in rest.split("|")] for code, rest in rows}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting(name: str) -> None:
    rows = _rows(_page("settings"))
    variable = f"GEO_SERVICE_{name.upper()}"
    assert variable in rows, f"{variable} is not in docs/settings.md"
    *meaning, default = rows[variable]
    field = Settings.model_fields[name]
    assert (field.description or "")[:-1].split(";")[0] in meaning[0]
    if field.default is PydanticUndefined:  # what depends on the machine is told in words
        assert default
    elif field.default is None:
        assert default.startswith("unset")
    else:
        shown = str(field.default).lower() if field.default in {True, False} else field.default
        assert default == f"`{shown}`"


def test_no_setting_is_invented() -> None:
    known = {f"GEO_SERVICE_{name.upper()}" for name in Settings.model_fields}
    assert set(_rows(_page("settings"))) == known
    for page in PAGES:
        found = set(re.findall(r"GEO_SERVICE_[A-Z_]+", page.read_text()))
        # The address that compose.yaml publishes is its own variable.
        assert found <= known | {"GEO_SERVICE_ADDRESS"}, page.name


def _commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    # Typer brings a click of its own: its classes are not those of the package of that name.
    if parts := getattr(command, "commands", None):
        for name, part in parts.items():
            yield from _commands(part, f"{path} {name}".strip())
    else:
        yield path, command


COMMANDS = dict(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS)
def test_command(path: str) -> None:
    sections = _sections(_page("commands"))
    title = path.split(maxsplit=1)[0]
    assert title in sections, f"docs/commands.md has no section {title}"
    # Of a group's section, what begins with the command and ends where the next one begins.
    parts = re.split(r"(?=^`geo-service )", sections[title], flags=re.MULTILINE)
    own = [part for part in parts if re.match(rf"`geo-service {path}\b", part)]
    assert own, f"docs/commands.md does not tell of geo-service {path}"
    for parameter in COMMANDS[path].params:
        if parameter.param_type_name == "argument":
            assert (parameter.name or "").upper() in own[0]
            continue
        rows = [line for line in own[0].splitlines() if line.startswith("|")]
        row = [line for line in rows if f"`{parameter.opts[-1]}" in line]
        assert row, f"docs/commands.md does not tell of {path} {parameter.opts[-1]}"
        assert all(f"`{option}" in row[0] for option in parameter.opts)
        if isinstance(parameter.default, str) and parameter.default and not parameter.prompt:
            assert row[0].rstrip(" |").endswith(f"`{parameter.default}`")


def test_no_command_is_invented() -> None:
    groups = {path.split()[0] for path in COMMANDS if " " in path}
    for page in PAGES:
        for block in re.findall(r"(?ms)^```(?:sh|console)\n(.*?)^```$", page.read_text()):
            block = re.sub(r"<<(\w+)\n.*?\n\1\n", "\n", block, flags=re.DOTALL)  # noqa: PLW2901
            for line in re.sub(r"\\\n\s*", " ", block).splitlines():
                for words in re.findall(r"(?:^|[\s/])geo-service ([^#]*)", line):
                    _parses(words.rpartition("geo-service ")[2].split(), groups, page.name)


def _parses(words: list[str], groups: set[str], page: str) -> None:
    """Check that a command line of a page names a command, and options that it has."""
    path = " ".join(words[: 2 if words[0] in groups else 1])
    assert path in COMMANDS, f"{page}: there is no geo-service {path}"
    known = {option for parameter in COMMANDS[path].params for option in parameter.opts}
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in known, f"{page}: geo-service {path} has no {word}"


@pytest.mark.parametrize("id_", CATALOGUE)
def test_layer(id_: str) -> None:
    sections = _sections(_page("layers"))
    layer = CATALOGUE[id_]
    assert id_ in sections, f"docs/layers.md has no section {id_}"
    assert layer.description.en in sections[id_]
    rows = _rows(sections[id_])
    assert set(rows) == {field.name for field in layer.fields}
    for field in layer.fields:
        zh, en, kind, note = rows[field.name]
        assert (zh, en) == (field.title.zh, field.title.en), field.name
        told = f"[{field.codes.name}](#{field.codes.name})" if field.codes else field.kind
        assert kind == (f"{told}, {field.unit}" if field.unit else told), field.name
        expected = "kept by the database" if field.derived else "required" * field.required
        assert note == expected, field.name
        if field.codes:
            codes = _rows(sections[field.codes.name])
            told_codes = [(code, *cells) for code, cells in codes.items()]
            assert told_codes == [(code.code, code.zh, code.en) for code in field.codes]


def test_no_layer_is_invented() -> None:
    lists = {f.codes.name for layer in CATALOGUE.values() for f in layer.fields if f.codes}
    assert set(_sections(_page("layers"))) == {*CATALOGUE, *lists, "Layers", "What", "Code"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page: Path) -> None:
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text())
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    for target in targets:
        path, _, anchor = target.partition("#")
        assert "://" not in path, f"{page.name} needs the internet: {target}"
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name} points to {target}, which is not there"
        if anchor:
            titles = re.findall(r"(?m)^#+ (.+)$", file.read_text())
            anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{page.name} points to {target}"


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    assert {p.name for p in DOCS.glob("*.md")} == set(re.findall(r"\(docs/([\w-]+\.md)\)", readme))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets(page: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z][\w-]*):", makefile))
    named = re.findall(r"(?m)(?:^|`)make ([a-z-]+)", page.read_text())
    assert set(named) <= targets
    assert named or page.name != "README.md"


def test_house() -> None:
    """The folders that the README shows are those that are there."""
    readme = (REPOSITORY / "README.md").read_text()
    house = re.search(r"(?s)## The house\n+```\n(.*?)```", readme)
    assert house
    above = ""
    for indent, name in re.findall(r"(?m)^( *)([a-z_]+)/ ", house[1]):
        above = above if indent else name
        assert (REPOSITORY / above / (name if indent else "")).is_dir(), name


def _modules() -> list[str]:
    names = []
    for package in (geo_service, layers, static_maps):
        names.append(package.__name__)
        names += [
            module.name
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
            if ".versions" not in module.name and not module.name.endswith(".env")
        ]
    return names


MODULES = _modules()


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module: ModuleType = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS, report=True)
    assert not result.failed
    # An example that the finder does not see would never fail.
    written = sum(
        (ast.get_docstring(node) or "").count(">>> ")
        for node in ast.walk(ast.parse(Path(module.__file__ or "").read_text()))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert result.attempted >= written

"""Dockerfile and compose.yaml, as far as they can be judged without a container engine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from geo_service.settings import Settings
from tests.conftest import REPOSITORY
from tests.container import build_in_chroot
from tests.container.dockerfile import context, stages

STAGES = stages((REPOSITORY / "Dockerfile").read_text())
FINAL = STAGES[-1]


def _program(name: str, *arguments: str) -> str:
    """Return where a program is, of this environment or the machine's; skip where it is not."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if (
        not found
        or subprocess.run([found, *arguments], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"there is no {' '.join([name, *arguments[:-1]])} here")
    return found


def test_linter_has_nothing_to_say() -> None:
    done = subprocess.run(
        [_program("hadolint", "--version"), REPOSITORY / "Dockerfile"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_bases_are_pinned_to_a_release() -> None:
    names = {stage.name for stage in STAGES}
    for stage in STAGES:
        tag = stage.image.partition(":")[2]
        assert stage.image in names or (tag and tag != "latest"), stage.image


def test_final_stage_is_no_root_and_is_watched() -> None:
    user, health, command = (FINAL.last(k) for k in ("USER", "HEALTHCHECK", "CMD"))
    assert user
    assert user.value not in {"root", "0"}
    assert user.value.isdecimal(), "an orchestrator cannot tell who a named user is"
    assert health
    assert "/healthz" in health.value
    assert command
    assert command.words == ["geo-service", "serve"]
    # What follows USER must not need root.
    order = [item.keyword for item in FINAL.instructions]
    assert "RUN" not in order[order.index("USER") :]


def test_settings_of_the_image_are_settings() -> None:
    known = {f"GEO_SERVICE_{name.upper()}" for name in Settings.model_fields}
    environment = {
        name: value
        for item in FINAL.instructions
        if item.keyword == "ENV"
        for name, value in item.pairs.items()
        if name.startswith("GEO_SERVICE_")
    }
    assert set(environment) <= known
    assert environment["GEO_SERVICE_HOST"] == "0.0.0.0"
    exposed = FINAL.last("EXPOSE")
    assert exposed
    assert exposed.value == environment["GEO_SERVICE_PORT"]


def test_packages_are_installed_by_hash() -> None:
    runs = [item.value for stage in STAGES for item in stage.instructions if item.keyword == "RUN"]
    for line in re.findall(r"pip install (.*)", "\n".join(runs)):
        assert "--require-hashes" in line or "--no-deps" in line
    assert any("npm ci" in run for run in runs)
    assert not any(re.search(r"npm (install|i)\b|curl|wget", run) for run in runs)


def test_copies_are_of_what_is_there() -> None:
    files = {path.relative_to(REPOSITORY).as_posix() for path in context(REPOSITORY)}
    seen = {stage.name for stage in STAGES}
    for stage in STAGES:
        for item in stage.instructions:
            assert item.keyword != "ADD"
            if item.keyword != "COPY":
                continue
            if origin := item.options.get("from"):
                assert origin in seen
                continue
            for source in item.words[:-1]:
                assert any(f == source or f.startswith(f"{source}/") for f in files), source


def test_context_holds_nothing_made_here() -> None:
    files = {path.relative_to(REPOSITORY).as_posix() for path in context(REPOSITORY)}
    made = re.compile(r"(^|/)(__pycache__|node_modules|dist|\.git|\.venv[^/]*|\.env|tests)(/|$)")
    assert not [name for name in files if made.search(name)]
    assert ".ci/lock/service.txt" in files


def _compose() -> Any:
    return yaml.safe_load((REPOSITORY / "compose.yaml").read_text())


def test_compose_parts() -> None:
    compose = _compose()
    database, service = compose["services"]["database"], compose["services"]["geo-service"]
    assert service["depends_on"]["database"]["condition"] == "service_healthy"
    assert "pg_isready" in database["healthcheck"]["test"]
    volume, _, place = database["volumes"][0].partition(":")
    assert volume in compose["volumes"]
    assert place == "/var/lib/postgresql/data"
    assert re.fullmatch(r"postgis/postgis:\d+-\d+\.\d+", database["image"])
    assert service["build"] == "."
    known = {f"GEO_SERVICE_{name.upper()}" for name in Settings.model_fields}
    own = {name for name in service["environment"] if name.startswith("GEO_SERVICE_")}
    assert own <= known


def test_compose_has_no_password_and_is_closed() -> None:
    compose = _compose()
    for service, name in (("database", "POSTGRES_PASSWORD"), ("geo-service", "PGPASSWORD")):
        value = compose["services"][service]["environment"][name]
        assert re.fullmatch(r"\$\{POSTGRES_PASSWORD:\?[^}]+\}", value), "a default password"
    assert "ports" not in compose["services"]["database"]
    exposed = FINAL.last("EXPOSE")
    assert exposed
    for port in compose["services"]["geo-service"]["ports"]:
        assert port.startswith("${GEO_SERVICE_ADDRESS:-127.0.0.1}:")
        assert port.endswith(f":{exposed.value}")
    # The name and the database of the URL are those that the image is told to make.
    told = compose["services"]["database"]["environment"]
    url = compose["services"]["geo-service"]["environment"]["GEO_SERVICE_DATABASE_URL"]
    assert url == f"postgresql://{told['POSTGRES_USER']}@database/{told['POSTGRES_DB']}"


def test_compose_is_understood_by_docker() -> None:
    docker = _program("docker", "compose", "version")
    command = [docker, "compose", "--file", str(REPOSITORY / "compose.yaml"), "config", "--quiet"]
    without = {name: value for name, value in os.environ.items() if name != "POSTGRES_PASSWORD"}
    done = subprocess.run(command, env=without, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "POSTGRES_PASSWORD" in done.stderr
    given = without | {"POSTGRES_PASSWORD": "x"}
    subprocess.run(command, env=given, check=True)


@pytest.mark.slow
def test_same_steps_in_a_bare_debian() -> None:
    if reason := build_in_chroot.lacking():
        pytest.skip(reason)
    done = subprocess.run(
        [sys.executable, "-m", "tests.container.build_in_chroot"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    for path in ("/healthz", "/readyz", "/sign-in", "/static/map.js"):
        assert f"200 {path}" in done.stdout

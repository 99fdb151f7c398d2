"""The calls on the page of the boundaries run, as they stand there, on the demonstration town."""

import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from geo_service.app import create_app
from geo_service.embedded import Cluster
from geo_service.settings import Settings
from tests.conftest import REPOSITORY, copy_of


@pytest.mark.slow
def test_the_calls_run(
    cluster: Cluster, demo_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(
        r"(?ms)^```python\n(.*?)^```$", (REPOSITORY / "docs/boundaries.md").read_text()
    )
    assert len(blocks) >= 9
    for database in copy_of(cluster, demo_template):
        with TestClient(create_app(Settings(database_url=database.url, pool_size=4))) as app:

            def client(base_url: str, auth: tuple[str, str], timeout: float = 5) -> TestClient:
                made = TestClient(app.app, base_url=base_url)
                made.auth = auth
                return made

            monkeypatch.setitem(sys.modules, "httpx", SimpleNamespace(Client=client))
            names: dict[str, Any] = {}
            for block in blocks:
                exec(compile(block, "docs/boundaries.md", "exec"), names)
            assert names["answer"].status_code == 409
            assert names["refused"].status_code == 422
            assert names["review"]["gains"]["features"]
            assert names["notice"].startswith(b"%PDF")
            assert names["published"]["state"] == "published"
            assert names["proposals"].status_code in {200, 422}
            state = names["reviewer"].get(names["draft"]).json()
            assert (state["state"], state["operations"]) == ("rolled-back", 1)

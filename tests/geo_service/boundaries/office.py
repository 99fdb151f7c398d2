"""The small town's editors at work over HTTP."""

from typing import Any

from fastapi.testclient import TestClient

from geo_service.access.passwords import put_token
from tests.geo_service.conftest import NORTH, SOUTH, Town

TOWN = NORTH[:9]
WEST, EAST = f"{NORTH}001", f"{NORTH}002"
SOUTH_WEST = f"{SOUTH}001"
BEND = {"operation": "reshape", "line": [[117.01, 31.01], [117.008, 31.015], [117.01, 31.02]]}
CUT = {
    "operation": "split",
    "code": WEST,
    "line": [[117.0, 31.014], [117.01, 31.0141]],
    "new_codes": [WEST, f"{NORTH}003"],
}


class Office:
    """Clients of the drafts, each with a name."""

    def __init__(self, app: TestClient, town: Town) -> None:
        self.app, self.town = app, town
        with town.database.connect() as connection:
            for who, role, area in (
                ("second", "editor", NORTH),
                ("town", "editor", TOWN),
                ("south", "editor", SOUTH),
                ("viewer", "viewer", "*"),
                ("boss", "admin", "*"),
            ):
                town.tokens[who] = put_token(connection, who, role, area)

    def ask(self, who: str, method: str, path: str = "", **options: Any) -> Any:
        return self.app.request(
            method, f"/api/drafts{path}", headers=self.town.headers(who), **options
        )

    def draft(self, who: str = "editor", area: str = NORTH, name: str = "重新划分") -> str:
        answer = self.ask(who, "POST", json={"name": name, "reason": "年度调整", "area": area})
        assert answer.status_code == 201, answer.text
        assert answer.headers["Location"] == f"/api/drafts/{answer.json()['id']}"
        return f"/{answer.json()['id']}"

    def do(self, draft: str, operation: Any, who: str = "editor", kind: str = "operations") -> Any:
        revision = self.ask(who, "GET", draft).json()["revision"]
        body = {"revision": revision, "operation": operation}
        return self.ask(who, "POST", f"{draft}/{kind}", json=body)

    def done(self, draft: str, operation: Any, who: str = "editor") -> Any:
        answer = self.do(draft, operation, who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def turn(self, draft: str, way: str, who: str = "editor") -> Any:
        revision = self.ask(who, "GET", draft).json()["revision"]
        return self.ask(who, "POST", f"{draft}/{way}", json={"revision": revision})

    def grids(self, draft: str, who: str = "editor") -> Any:
        found = self.ask(who, "GET", f"{draft}/grids").json()
        return {feature["id"]: feature for feature in found["features"]}

    def shapes(self, draft: str) -> Any:
        return {code: feature["geometry"] for code, feature in self.grids(draft).items()}

    def approved(self, draft: str, who: str = "editor") -> None:
        assert self.ask(who, "POST", f"{draft}/submit").status_code == 200
        assert self.ask("boss", "POST", f"{draft}/approve").status_code == 200

    def forget(self) -> None:
        """Start as another process would: nothing in memory."""
        self.app.app.state.desk.sessions._seats.clear()  # type: ignore[attr-defined]

"""What axe-core finds serious in the pages that the demonstration shows: nothing."""

import pytest
from playwright.sync_api import Browser, Page

from geo_service.demo import PASSWORD
from tests.browser.conftest import serious, visit
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_of_the_demonstration(page: Page, demo_service: Service, language: str) -> None:
    data = {"username": "admin", "password": PASSWORD}
    assert page.request.post(f"{demo_service.url}/api/account/session", data=data).ok
    found = {}
    for path in ("/", "/wall", "/import"):
        page.goto(f"{demo_service.url}{path}?lang={language}")
        page.evaluate("geo.ready")
        found[path] = serious(page)
    assert found == {path: [] for path in found}


def test_signing_in(browser: Browser, demo_service: Service) -> None:
    for page in visit(browser, demo_service.url):
        page.goto(f"{demo_service.url}/sign-in")
        page.get_by_role("button").first.wait_for()
        assert serious(page) == []

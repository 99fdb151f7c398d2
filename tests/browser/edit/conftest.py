"""A service whose town may be re-divided, and the pages of two who do so."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from geo_service.demo import OPEN_ACCOUNT
from geo_service.embedded import Cluster
from tests.browser.conftest import visit
from tests.browser.edit.hand import begin, show, sign_in
from tests.conftest import Service, copy_of, serve

Sessions = dict[str, list[Any]]


@pytest.fixture(scope="package")
def service(cluster: Cluster, demo_template: str) -> Iterator[Service]:
    """A service with a town of its own: these tests publish."""
    for database in copy_of(cluster, demo_template):
        yield from serve(database, GEO_SERVICE_OPEN_TO=OPEN_ACCOUNT)


@pytest.fixture(scope="package")
def sessions() -> Sessions:
    """The cookies of who has signed in: checking a password takes a second."""
    return {}


@pytest.fixture
def page(browser: Browser, service: Service, sessions: Sessions) -> Iterator[Page]:
    """A page of an editor of the whole town."""
    for page in visit(browser, service.url):
        enter(page, service, "editor", sessions)
        yield page


@pytest.fixture
def other(browser: Browser, service: Service, sessions: Sessions) -> Iterator[Page]:
    """A page of somebody else, who may approve."""
    for page in visit(browser, service.url):
        enter(page, service, "admin", sessions)
        yield page


def enter(page: Page, service: Service, name: str, sessions: Sessions) -> None:
    """Sign in, or go on as who has."""
    page.set_default_timeout(15_000)
    if name in sessions:
        page.context.add_cookies(sessions[name])
    else:
        sign_in(page, service.url, name)
        sessions[name] = [
            {"name": cookie["name"], "value": cookie["value"], "url": service.url}
            for cookie in page.context.cookies()
        ]


@pytest.fixture
def draft(page: Page, service: Service) -> Iterator[str]:
    """A draft that is open on the page, and abandoned afterwards."""
    made = begin(page, service.url)
    show(page, service.url, made)
    yield made
    page.request.delete(f"{service.url}/api/drafts/{made}", headers={"Origin": service.url})

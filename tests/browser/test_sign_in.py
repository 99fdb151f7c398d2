"""The sign-in page in Chromium, against a running service with the demonstration town."""

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from geo_service.demo import PASSWORD
from tests.conftest import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def base(demo_service: Service) -> str:
    return demo_service.url.rstrip("/")


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("用户名").fill("officer")
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()


def test_refusal_is_a_sentence(base: str, page: Page) -> None:
    page.goto(f"{base}/sign-in")
    with page.expect_response("**/api/account/session") as info:
        sign_in(page, "not-the-password")
    assert info.value.status == 401
    expect(page.get_by_role("alert")).to_have_text(info.value.json()["detail_zh"])
    expect(page.get_by_role("button", name="登录")).to_be_enabled()


def test_empty_fields_are_not_sent(base: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{base}/sign-in")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_have_text("请输入用户名和密码。")
    assert not [url for url in asked if "/api/account/session" in url]


def test_success_leads_back(base: str, page: Page) -> None:
    page.goto(f"{base}/sign-in?next=/%3Flang%3Dzh%23time%3Dall")
    sign_in(page, PASSWORD)
    page.wait_for_url(f"{base}/?lang=zh#**")
    page.evaluate("geo.ready")
    page.get_by_role("button", name="账户").click()
    expect(page.locator(".menu-name")).to_contain_text("officer")
    with page.expect_navigation():
        page.get_by_role("button", name="退出登录").click()
    page.get_by_role("button", name="账户").click()
    expect(page.locator(".menu-name")).to_contain_text("未登录")


@pytest.mark.parametrize(
    "target", ["//evil.example/", "/\\evil.example/", "https://evil.example/", "/\t/evil.example/"]
)
def test_other_sites_are_no_target(base: str, page: Page, target: str) -> None:
    page.goto(f"{base}/sign-in?next={quote(target)}")
    sign_in(page, PASSWORD)
    page.wait_for_url(lambda url: "/sign-in" not in url)
    assert page.evaluate("location.origin") == base
    assert page.evaluate("location.pathname") == "/"

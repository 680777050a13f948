"""A real browser over a real server: one Chromium per run, one fresh context per test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

# Chromium asks its maker for updates and hints unless told not to; tests stay on loopback.
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",  # containers give 64 MB of it, or none
]  # fmt: skip

NewPage = Callable[..., Page]
LogIn = Callable[[Page, User], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of the system. Without it the test is skipped, in CI it fails: there it must not be missed."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("Chromium is not installed: apt-get install --no-install-recommends chromium")
    # Playwright's sync API keeps a loop running in this thread; Django would refuse the ORM beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser, live_server: LiveServer) -> Iterator[NewPage]:
    """Makes a page in a context of its own: new_page(width=360, color_scheme="dark", java_script_enabled=False)."""
    contexts: list[BrowserContext] = []

    def make(width: int = 1440, height: int = 900, **options: object) -> Page:
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": width, "height": height}, locale="en-GB", **options
        )
        contexts.append(context)
        context.set_default_timeout(60_000)  # shared machines stall; a test must not fail for it
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def log_in(live_server: LiveServer) -> LogIn:
    """Gives the page's context the session of this person, without walking through the log-in form."""

    def enter(page: Page, user: User) -> None:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])

    return enter


@pytest.fixture
def marketer_page(new_page: NewPage, log_in: LogIn, marketer: User) -> Page:
    """A wide page of a marketer who is logged in."""
    page = new_page()
    log_in(page, marketer)
    return page

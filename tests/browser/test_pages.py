"""Every page of the menu, in an empty shop: no sideways scrolling, readable text, nothing that the policy blocks."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from tests.browser.conftest import LogIn, NewPage

pytestmark = pytest.mark.django_db(transaction=True)

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
OUTSIDE_THE_MENU = ["/segments/new/", "/campaigns/new/", "/imports/new/", "/search/?q=nobody"]


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1440, "light")])
def test_every_page_of_the_menu_is_sound(
    new_page: NewPage, log_in: LogIn, site_admin: User, width: int, theme: str
) -> None:
    page = new_page(width=width, color_scheme=theme)
    log_in(page, site_admin)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto("/")
    addresses = page.eval_on_selector_all(".side .menu a", "links => links.map(link => link.pathname)")
    assert len(addresses) >= 5
    problems = {
        address: found for address in [*addresses, *OUTSIDE_THE_MENU] if (found := find_problems(page, address, said))
    }
    assert problems == {}


def find_problems(page: Page, address: str, said: list[str]) -> list[str]:
    """What is wrong with one page, in words; empty when it is sound."""
    said.clear()
    answer = page.goto(address)
    problems = [] if answer and answer.ok else [f"answered {answer.status if answer else 'nothing'}"]
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if over > 0:
        problems.append(f"scrolls sideways by {over} px")
    if page.locator("main h1").count() != 1:
        problems.append(f"{page.locator('main h1').count()} main headings")
    return [*problems, *page.evaluate(CONTRAST)["found"], *said]

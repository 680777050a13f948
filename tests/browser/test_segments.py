"""The builder in a real browser: rows change without a new page, the count follows, and keyboard and mouse move rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from customers.models import Segment
from tests.customers.segments.arrange import make_person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENTLY = 20_000


@pytest.fixture
def people(transactional_db: Any) -> None:
    for country in ("Norway", "Norway", "China"):
        make_person(country=country)


def _choose_country(page: Page, path: str, country: str) -> None:
    page.locator(f'select[name="{path}:what"]').select_option("country")
    value = page.locator(f'input[name="{path}:value"]')
    expect(value).to_be_visible(timeout=PATIENTLY)
    page.locator(f'select[name="{path}:op"]').select_option("is")
    expect(value).to_be_visible(timeout=PATIENTLY)
    value.fill(country)


def test_a_segment_is_built_counted_moved_and_saved(marketer_page: Page, people: None, marketer: User) -> None:
    page = marketer_page
    page.goto("/segments/new/")
    _choose_country(page, "r.0", "Norway")
    figure = page.locator("#preview .figure")
    expect(figure).to_have_text("2", timeout=PATIENTLY)
    page.get_by_role("button", name="or", exact=True).first.click()
    expect(page.locator('select[name="r.0.1:what"]')).to_be_visible(timeout=PATIENTLY)
    _choose_country(page, "r.0.1", "China")
    expect(figure).to_have_text("3", timeout=PATIENTLY)
    page.locator('button[value="up-r.0.1"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator('input[name="r.0.0:value"]')).to_have_value("China", timeout=PATIENTLY)
    page.locator('[data-drag="r.0.1"]').drag_to(page.locator('[data-drop="r.0.0"]'), target_position={"x": 30, "y": 5})
    expect(page.locator('input[name="r.0.0:value"]')).to_have_value("Norway", timeout=PATIENTLY)
    page.get_by_label("Name", exact=True).fill("North or east")
    page.get_by_role("button", name="Save the segment").click()
    expect(page.get_by_role("heading", name="North or east")).to_be_visible(timeout=PATIENTLY)
    rule = Segment.objects.get(name="North or east").rule
    assert [part["value"] for part in rule["rules"][0]["rules"]] == ["Norway", "China"]

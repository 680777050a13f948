"""The builder in a real browser: rows change without a new page, the count follows, and keyboard and mouse move rows."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

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


def _open(page: Page, *countries: str) -> None:
    rules = [{"field": "country", "op": "is", "value": country} for country in countries]
    page.goto(f"/segments/new/?rule={quote(json.dumps({'match': 'all', 'rules': rules}))}")


def _expect_rows(page: Page, *rows: str) -> None:
    """Wait until the rows are these, each as its place and its country: "0.1 Norway"."""
    wanted = [f"r.{row}" for row in rows]
    page.wait_for_function(
        """wanted => wanted.join() === [...document.querySelectorAll('#rules input[name$=":value"]')]
          .map((one) => `${one.name.split(":")[0]} ${one.value}`).join()""",
        arg=wanted,
    )


def _drag(page: Page, start: str, end: str, *, below: bool = False) -> None:
    """Drag the row at `start` onto the upper or the lower half of what stands at `end`."""
    target = page.locator(f'[data-drop="{end}"]')
    box = target.bounding_box()
    assert box is not None
    place = {"x": 30, "y": max(1, box["height"] - 3) if below else 3}
    page.locator(f'[data-drag="{start}"]').drag_to(target, target_position=place)


def test_rows_are_dragged_nested_duplicated_and_steps_are_taken_back(marketer_page: Page) -> None:
    page = marketer_page
    _open(page, "A", "B", "C")
    _drag(page, "r.2", "r.0")
    _expect_rows(page, "0 C", "1 A", "2 B")
    _drag(page, "r.0", "r.2", below=True)
    _expect_rows(page, "0 A", "1 B", "2 C")
    page.locator('button[value="nest-r.1"]').click()
    _expect_rows(page, "0 A", "1.0 B", "1.1 ", "2 C")
    _drag(page, "r.2", "r.1.2")
    _expect_rows(page, "0 A", "1.0 B", "1.1 ", "1.2 C")
    page.locator('button[value="duplicate-r.0"]').click()
    _expect_rows(page, "0 A", "1 A", "2.0 B", "2.1 ", "2.2 C")
    page.locator('button[value="remove-r.2.1"]').click()
    _expect_rows(page, "0 A", "1 A", "2.0 B", "2.1 C")
    _drag(page, "r.2", "r.0")
    _expect_rows(page, "0.0 B", "0.1 C", "1 A", "2 A")
    for step in (
        ["0 A", "1 A", "2.0 B", "2.1 C"],
        ["0 A", "1 A", "2.0 B", "2.1 ", "2.2 C"],
        ["0 A", "1.0 B", "1.1 ", "1.2 C"],
    ):
        page.get_by_role("button", name="Undo").click()
        _expect_rows(page, *step)
    page.get_by_role("button", name="Redo").click()
    _expect_rows(page, "0 A", "1 A", "2.0 B", "2.1 ", "2.2 C")


def test_a_rule_is_written_with_the_keyboard_alone(marketer_page: Page) -> None:
    page = marketer_page
    _open(page, "A", "B")
    page.locator('button[value="add-r"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator('select[name="r.2:what"]')).to_be_focused(timeout=PATIENTLY)
    page.locator('select[name="r.2:what"]').select_option("country")
    value = page.locator('input[name="r.2:value"][list="known-country"]')
    expect(value).to_be_visible(timeout=PATIENTLY)
    expect(page.locator('select[name="r.2:what"]')).to_be_focused(timeout=PATIENTLY)
    value.focus()
    page.keyboard.type("C")
    page.locator('button[value="up-r.2"]').focus()
    page.keyboard.press("Enter")
    _expect_rows(page, "0 A", "1 C", "2 B")
    expect(page.locator('button[value="up-r.1"]')).to_be_focused(timeout=PATIENTLY)
    page.keyboard.press("Enter")
    _expect_rows(page, "0 C", "1 A", "2 B")
    expect(page.locator('select[name="r.0:what"]')).to_be_focused(timeout=PATIENTLY)
    page.keyboard.press("Control+z")
    _expect_rows(page, "0 A", "1 C", "2 B")
    page.keyboard.press("Control+Shift+z")
    _expect_rows(page, "0 C", "1 A", "2 B")

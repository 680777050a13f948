"""Importing a file in a real browser: on a phone, with the keyboard, with and without scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from customers.models import ImportRun
from tests.browser.conftest import LogIn, NewPage

pytestmark = pytest.mark.django_db(transaction=True)

FILE = "who,Date,UnitPrice,Quantity\n" + "\n".join(f"{n},0{n}/03/2024,2.50,3" for n in range(1, 7))


@pytest.fixture(autouse=True)
def _uploads(settings: object, tmp_path: Path) -> None:
    settings.UPLOAD_DIR = tmp_path / "uploads"  # type: ignore[attr-defined]


def give(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(FILE)
    page.goto("/imports/new/")
    page.get_by_label("CSV or Parquet file").set_input_files(path)
    page.get_by_role("button", name="Go on to the columns").click()
    expect(page.get_by_role("heading", name="Which column is what?")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_columns_are_chosen_on_a_phone(
    new_page: NewPage, log_in: LogIn, marketer: User, tmp_path: Path, scripts: bool
) -> None:
    page = new_page(width=360, color_scheme="dark", java_script_enabled=scripts)
    log_in(page, marketer)
    give(page, tmp_path)
    expect(page.locator("#reading")).to_contain_text("Customer")
    page.get_by_label("Customer", exact=True).select_option("who")
    page.get_by_label("Dates such as 03/04/2011").select_option("day_first")
    if not scripts:
        page.get_by_role("button", name="Read the first rows again").click()
    expect(page.locator("#reading")).to_contain_text("1 Mar 2024 00:00")
    if scripts:
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="orders.csv")).to_be_visible()
    run = ImportRun.objects.get()
    assert run.options["columns"] == {"customer": "who", "at": "Date", "price": "UnitPrice", "quantity": "Quantity"}


def test_columns_are_chosen_with_the_keyboard_alone(marketer_page: Page, tmp_path: Path) -> None:
    give(marketer_page, tmp_path)
    marketer_page.get_by_label("Customer", exact=True).focus()
    marketer_page.keyboard.type("who")
    expect(marketer_page.locator("#reading")).to_contain_text("So they would be taken over")
    marketer_page.get_by_role("button", name="Import", exact=True).focus()
    marketer_page.keyboard.press("Enter")
    expect(marketer_page.get_by_role("heading", name="orders.csv")).to_be_visible()
    assert ImportRun.objects.get().options["columns"]["customer"] == "who"

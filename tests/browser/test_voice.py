"""The tester of the Brand voice page, with and without scripts, and the pages at both widths and in both themes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.approval.voice import save_policies, save_voice
from campaigns.models import BrandVoice
from tests.browser.conftest import LogIn, NewPage
from tests.browser.test_pages import find_problems
from tests.campaigns.arrange import make_campaign, make_cast, make_customers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(site_admin: User, approver: User) -> None:
    assert approver.pk  # before the cast, which takes who is there
    now = timezone.now()
    save_voice(site_admin, {"en": {"personality": "Dry", "banned": ["hills"]}}, base=0, note="First", now=now)
    save_voice(site_admin, {"en": {"personality": "Kind", "banned": ["hills"]}}, base=1, note="Second", now=now)
    save_policies(site_admin, {"en": ["Free returns within 30 days"]}, base=0, now=now)
    make_campaign(make_cast().marketer, make_customers(3, now=now), now=now, send_at=now)


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_voice_is_tried_changed_and_saved(
    shop: None, has_scripts: bool, new_page: NewPage, log_in: LogIn, approver: User
) -> None:
    page = new_page(java_script_enabled=has_scripts)
    log_in(page, approver)
    page.goto("/content/voice/")
    page.fill("#id_banned", "harbour\nbargain")
    page.fill("#body", "A bargain in the hills")
    page.get_by_role("button", name="Check this draft").click()
    rows = page.locator("#trial tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="bargain")).to_contain_text("block")
    assert page.input_value("#id_banned") == "harbour\nbargain"
    assert BrandVoice.objects.count() == 2

    page.get_by_role("button", name="Check all that wait").click()
    expect(page.locator("#trial")).to_contain_text("this voice blocks 1 (now: 0)")
    assert page.input_value("#body") == "A bargain in the hills"

    page.fill("#id_note", "Less water")
    page.get_by_role("button", name="Save this version").click()
    expect(page.locator("main")).to_contain_text("v3 is saved")
    assert BrandVoice.objects.order_by("number").last().texts["en"]["banned"] == ["harbour", "bargain"]  # type: ignore[union-attr]


def test_leaving_after_a_trial_asks_first(shop: None, new_page: NewPage, log_in: LogIn, approver: User) -> None:
    page = new_page()
    log_in(page, approver)
    page.goto("/content/voice/")
    page.fill("#id_banned", "harbour")
    page.fill("#body", "A harbour")
    page.get_by_role("button", name="Check this draft").click()
    expect(page.locator("#trial tbody tr")).to_have_count(1)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("link", name="Versions").click()
    page.wait_for_url("**/history/")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1440, "light")])
def test_the_pages_are_sound(
    shop: None, new_page: NewPage, log_in: LogIn, approver: User, width: int, theme: str
) -> None:
    page = new_page(width=width, color_scheme=theme)
    log_in(page, approver)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    addresses = ["/content/voice/", "/content/voice/?lang=zh", "/content/voice/history/", "/content/policies/"]
    problems = {address: found for address in addresses if (found := find_problems(page, address, said))}
    assert problems == {}

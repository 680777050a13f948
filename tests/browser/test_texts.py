"""The editor of a text: its preview follows what is typed, works without scripts, and is sound at every width."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import Campaign, Variant
from tests.browser.conftest import LogIn, NewPage
from tests.browser.test_pages import find_problems
from tests.campaigns.arrange import make_campaign, make_cast, make_customers, make_variant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def campaign() -> Campaign:
    now = timezone.now()
    campaign = make_campaign(make_cast().marketer, make_customers(3, now=now), now=now, send_at=now)
    archetype = campaign.archetypes.get()
    make_variant(archetype, campaign.author, now=now, label="B", opening="Take 50% off, {{ first_name }}.\n\n- *one*")
    Variant.objects.filter(label="B").update(angle="offer", drafted_text={"opening": "Take your time."})
    return campaign


def shown(page: Page) -> str:
    frame = page.frame(name="preview")
    return frame.content() if frame else ""


def test_the_preview_follows_what_is_typed_and_the_counter_counts(
    campaign: Campaign, new_page: NewPage, log_in: LogIn
) -> None:
    page = new_page()
    log_in(page, campaign.author)
    text = Variant.objects.get(label="A")
    page.goto(f"/variants/{text.pk}/")
    page.fill("#id_subject", "Hello")
    expect(page.locator("[data-counts=id_subject]")).to_have_text("5 / 60")
    page.fill("#id_opening", "Typed **just now** & not saved")
    expect(page.frame_locator("iframe[name=preview]").locator("strong")).to_have_text("just now", timeout=20_000)
    text.refresh_from_db()
    assert "just now" not in text.opening


def test_without_scripts_a_button_shows_what_was_typed(campaign: Campaign, new_page: NewPage, log_in: LogIn) -> None:
    page = new_page(java_script_enabled=False)
    log_in(page, campaign.author)
    page.goto(f"/variants/{Variant.objects.get(label='A').pk}/?theme=dark")
    page.fill("#id_opening", "Typed **just now** & not saved")
    page.get_by_role("button", name="Preview").click()
    expect(page.frame_locator("iframe[name=preview]").locator("strong")).to_have_text("just now", timeout=20_000)
    assert page.input_value("#id_opening").startswith("Typed")


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1440, "light")])
def test_the_pages_of_the_texts_are_sound(
    campaign: Campaign, new_page: NewPage, log_in: LogIn, width: int, theme: str
) -> None:
    page = new_page(width=width, color_scheme=theme)
    log_in(page, campaign.author)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    text = Variant.objects.get(label="B")
    addresses = [
        f"/campaigns/{campaign.pk}/messages/",
        f"/variants/{text.pk}/?view=phone",
        f"/variants/{text.pk}/?view=desktop",
    ]
    problems = {address: found for address in addresses if (found := find_problems(page, address, said))}
    assert problems == {}

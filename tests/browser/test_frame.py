"""The page frame in a real browser: both widths, both themes, with the keyboard, and without scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.browser.conftest import LogIn, NewPage

pytestmark = [pytest.mark.urls("tests.browser.urls"), pytest.mark.django_db(transaction=True)]

GUIDE = "/styleguide/"
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(new_page: NewPage, log_in: LogIn, marketer: User, theme: str) -> None:
    page = new_page(color_scheme=theme)
    log_in(page, marketer)
    page.goto(GUIDE + "?notices=1")
    result = page.evaluate(CONTRAST)
    assert result["seen"] > 200
    assert result["found"] == []


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_page_never_scrolls_sideways(new_page: NewPage, log_in: LogIn, marketer: User, width: int) -> None:
    page = new_page(width=width)
    log_in(page, marketer)
    page.goto(GUIDE)
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0


def test_nothing_on_the_page_breaks_the_content_policy(marketer_page: Page) -> None:
    complaints: list[str] = []
    marketer_page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    marketer_page.on("pageerror", lambda error: complaints.append(str(error)))
    marketer_page.goto(GUIDE)
    marketer_page.get_by_role("group", name="Width").get_by_text("Phone").click()
    assert complaints == []


def test_inter_is_served_from_the_site_itself(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    marketer_page.evaluate("document.fonts.ready")
    assert marketer_page.evaluate("document.fonts.check('600 15px Inter')")
    fonts = marketer_page.evaluate(
        "performance.getEntriesByType('resource').filter(r => r.name.endsWith('.woff2')).map(r => new URL(r.name).host)"
    )
    assert set(fonts) == {marketer_page.evaluate("location.host")}


def test_first_tab_offers_to_skip_the_menu(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    marketer_page.keyboard.press("Tab")
    expect(marketer_page.get_by_role("link", name="Skip to the content")).to_be_focused()
    marketer_page.keyboard.press("Enter")
    expect(marketer_page.locator("#main")).to_be_focused()


def test_focus_is_always_visible(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    unseen = []
    for _stop in range(30):
        marketer_page.keyboard.press("Tab")
        shown = marketer_page.evaluate(
            """() => { const at = document.activeElement, box = at.closest("label") ?? at;
            return [at.outerHTML.slice(0, 80), [at, box].some(one => { const s = getComputedStyle(one);
            return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) || s.boxShadow.includes("3px") })] }"""
        )
        if not shown[1]:
            unseen.append(shown[0])
    assert unseen == []


def test_menu_on_a_phone_opens_without_scripts(new_page: NewPage, log_in: LogIn, marketer: User) -> None:
    page = new_page(width=360, java_script_enabled=False)
    log_in(page, marketer)
    page.goto(GUIDE)
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Home")
    expect(link).to_be_hidden()
    page.get_by_text("Menu", exact=True).click()
    expect(link).to_be_visible()


def test_chosen_theme_is_kept_before_the_first_paint(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    marketer_page.locator(".side .person summary").click()
    marketer_page.get_by_role("button", name="Dark").click()
    theme_at_first_paint = "document.documentElement.dataset.theme"
    assert marketer_page.evaluate(theme_at_first_paint) == "dark"
    marketer_page.add_init_script(
        "new MutationObserver((_, me) => { if (document.body) { window.themeAtBody = document.documentElement.dataset.theme;"
        " me.disconnect() } }).observe(document, { childList: true, subtree: true })"
    )
    marketer_page.reload()
    assert marketer_page.evaluate("window.themeAtBody") == "dark"
    assert marketer_page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_ctrl_k_goes_to_the_find_box(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    marketer_page.keyboard.press("Control+k")
    expect(marketer_page.locator(".side [data-find]")).to_be_focused()


def test_language_is_switched_by_a_form(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    marketer_page.locator(".side .person summary").click()
    marketer_page.locator(".side").get_by_role("button", name="中文").click()
    expect(marketer_page.locator("html")).to_have_attribute("lang", "zh-hans")
    assert marketer_page.url.endswith(GUIDE)


def test_logging_out_is_a_post_and_leads_to_the_log_in(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    marketer_page.locator(".side .person summary").click()
    with marketer_page.expect_request(lambda request: request.url.endswith("/logout/")) as sent:
        marketer_page.locator(".side").get_by_role("button", name="Log out").click()
    assert sent.value.method == "POST"
    expect(marketer_page.get_by_role("heading", name="Log in")).to_be_visible()


def test_ticking_rows_shows_what_can_be_done_with_them(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    bulk = marketer_page.locator("[data-bulk] .bulk")
    expect(bulk).to_be_hidden()
    marketer_page.get_by_label("Choose Ingrid Solberg").check()
    expect(bulk).to_contain_text("1 chosen")
    marketer_page.get_by_label("Choose all on this page").check()
    expect(bulk).to_contain_text("6 chosen")


def test_dragging_the_range_counts_the_people_inside(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    low = marketer_page.get_by_role("slider", name="From")
    low.fill("0.9")
    expect(marketer_page.locator("[data-range-count]")).to_have_text("63")
    expect(marketer_page.locator(".histogram .bar.in")).to_have_count(2)


def test_preview_frame_runs_nothing(marketer_page: Page) -> None:
    marketer_page.goto(GUIDE)
    frame = marketer_page.locator("iframe[title='Preview of the message']")
    expect(frame).to_have_attribute("sandbox", "")
    expect(frame.content_frame.get_by_role("heading")).to_contain_text("The trails are getting wet")


def test_who_asks_for_less_motion_gets_none(new_page: NewPage, log_in: LogIn, marketer: User) -> None:
    page = new_page(reduced_motion="reduce")
    log_in(page, marketer)
    page.goto(GUIDE)
    moving = page.evaluate(
        "document.getAnimations().filter(a => a.effect.getComputedTiming().activeDuration > 100).length"
    )
    assert moving == 0


def test_wrong_password_is_said_at_the_form_and_the_name_is_kept(new_page: NewPage, marketer: User) -> None:
    page = new_page(width=360)
    page.goto("/login/")
    page.get_by_label("Username").fill(marketer.username)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    expect(page.get_by_label("Username")).to_have_value(marketer.username)


def test_unknown_address_gets_a_page_of_ours(marketer_page: Page) -> None:
    answer = marketer_page.goto("/nothing-here/")
    assert answer is not None
    assert answer.status == 404
    expect(marketer_page.get_by_role("heading", name="There is nothing here")).to_be_visible()

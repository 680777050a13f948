"""What each channel makes of a text: what code adds, how it is counted, and that no value breaks its form."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.channels import RenderedMessage, compose, find_writer
from campaigns.content.channels.sms import count_segments
from campaigns.content.composing import Frame, OfferTerms, Pick, Sender, Words
from campaigns.content.merge_tags import find_tags
from campaigns.content.rendering import render_message, source_hash

OFFER = OfferTerms("percent", Decimal(10), "EUR", "HIKE10", Decimal(50), None, dt.date(2026, 12, 14))
SENDER = Sender("Tarnside & Sons", "4 Harbour Street, Leith", "https://tarnside.test/jackets")
PICKS = (
    Pick("J1", "Alpine <Jacket>", Decimal("129.00"), "EUR", 3, "https://tarnside.test/j1?a=1&b=2"),
    Pick("J2", "Fell {{ first_name }} Jacket", None, "EUR", 1),
)
FRAME = Frame(OFFER, SENDER, "en", PICKS)
WORDS = Words(
    "Dry feet, {{ first_name }}?", "A jacket too", "The paths are *muddy*.\n\n- Dry\n- Warm", "", "Have a look.", ""
)
#: Composer 3; of text messages 4.
PINNED = {
    "email": "676a75fe3368583b", "sms": "16eb0e18db2641f6", "push": "d9569faf8ad57ac4", "webhook": "75e1f8b9ddcb3a21",
}  # fmt: skip
SLOTS = {
    "first_name": "Kim", "unsubscribe_url": "https://shop.test/u/abc/", "preferences_url": "https://shop.test/p/abc/",
    "subject_prefix": "",
}  # fmt: skip


def fill(channel: str, frame: Frame = FRAME, words: Words = WORDS, **slots: str) -> RenderedMessage:
    return render_message(compose(words, frame, channel=channel), SLOTS | slots)


def test_an_email_has_its_styles_in_its_elements_and_its_dark_rules_apart() -> None:
    html = fill("email").html
    assert html.startswith("<!DOCTYPE html>")
    assert '<p style="margin: 0 0 16px;">The paths are <em>muddy</em>.</p>' in html
    assert "@media (prefers-color-scheme:dark)" in html
    assert "max-width: 560px" in html
    assert 'name="viewport"' in html
    assert "\ue100" not in html


def test_an_email_shows_products_of_the_catalogue_with_their_prices() -> None:
    copy = fill("email")
    assert "Alpine &lt;Jacket&gt;" in copy.html
    assert 'href="https://tarnside.test/j1?a=1&amp;b=2"' in copy.html
    assert "€129" in copy.html
    assert "Fell {{ first_name }} Jacket" in copy.html, "the name of a product is no template"
    assert "- Alpine <Jacket>: €129\n- Fell {{ first_name }} Jacket" in copy.text


@pytest.mark.parametrize(("channel", "pinned"), PINNED.items())
def test_the_same_words_give_the_same_bytes_on_every_machine(channel: str, pinned: str) -> None:
    found = source_hash(compose(WORDS, FRAME, channel=channel))[:16]
    assert found == pinned, "another message for the same words: raise COMPOSER_VERSION and pin it here"


def test_a_text_message_says_who_sends_it_what_is_offered_and_how_to_stop() -> None:
    text = fill("sms").text
    assert text.startswith("Tarnside & Sons: The paths are muddy.")
    assert "HIKE10" in text
    assert "https://tarnside.test/jackets" in text
    assert text.endswith("Opt out: https://shop.test/u/abc/")
    assert fill("sms", stop_word="reply STOP or ").text.endswith("Opt out: reply STOP or https://shop.test/u/abc/")
    assert fill("sms", replace(FRAME, language="zh")).text.startswith("【Tarnside & Sons】")


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "segments"),
    [
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("您" * 70, "UCS-2", 70, 1),
        ("您" * 71, "UCS-2", 71, 2),
        ("您" * 135, "UCS-2", 135, 3),
        ("a’", "UCS-2", 2, 1),
        ("😀", "UCS-2", 2, 1),
    ],
)
def test_text_messages_are_counted_as_they_are_billed(text: str, alphabet: str, units: int, segments: int) -> None:
    length = count_segments(text)
    assert (length.alphabet, length.units, length.segments) == (alphabet, units, segments)


def test_a_long_text_message_is_doubted_and_a_very_long_one_refused() -> None:
    writer = find_writer("sms")
    verdicts = [
        [finding.verdict for finding in writer.find_faults(RenderedMessage("", "", "", "a" * 153 * parts))]
        for parts in (3, 4, 7)
    ]
    assert verdicts == [[], ["warn"], ["block"]]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), max_size=80))
def test_no_name_breaks_the_json_of_push_and_webhook(name: str) -> None:
    for channel in ("push", "webhook"):
        payload = json.loads(fill(channel, first_name=name).text)
        assert "tarnside.test" in payload["link"]
    assert payload["first_name"] == name
    assert payload["products"][0] == {
        "sku": "J1", "name": "Alpine <Jacket>", "price": "129", "currency": "EUR", "version": 3,
        "url": "https://tarnside.test/j1?a=1&b=2",
    }  # fmt: skip
    assert payload["offer"]["code"] == "HIKE10"
    assert payload["unsubscribe_url"] == SLOTS["unsubscribe_url"]


def test_a_push_notification_has_title_body_and_link() -> None:
    copy = fill("push")
    assert json.loads(copy.text)["title"] == copy.subject == "Dry feet, Kim?"
    assert [measure.label for measure in find_writer("push").measure(copy)] == ["Title", "Body"]


def test_a_tag_without_a_value_has_something_to_say() -> None:
    words = replace(WORDS, opening='Our {{ favourite_category }} are in. {{ last_order_month | default: "Ages" }} ago.')
    copy = fill("email", words=words, favourite_category="", last_order_month="")
    assert "Our our range are in. Ages ago." in copy.text
    copy = fill("email", words=words, favourite_category="tents", last_order_month="May")
    assert "Our tents are in. May ago." in copy.text
    assert find_tags(compose(words, FRAME)) == {"first_name", "favourite_category", "last_order_month"}

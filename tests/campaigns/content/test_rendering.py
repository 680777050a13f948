"""Composing and filling a message: the same bytes for ever, and nothing that an author or a name can break."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.channels import compose
from campaigns.content.composing import Frame, OfferTerms, Sender, Words, describe_offer, is_shop_link
from campaigns.content.liquid_engine import RenderError, fill
from campaigns.content.rendering import MessageSource, render_message, slots_for, source_hash
from customers.models import Customer

OFFER = OfferTerms("percent", Decimal(10), "EUR", "HIKE10", Decimal(50), None, dt.date(2026, 12, 14))
NO_OFFER = OfferTerms("none", None, "EUR", "", None, None, None)
SENDER = Sender("Tarnside & Sons", "4 Harbour Street, Leith", "https://tarnside.test/jackets")
WORDS = Words("Dry feet", "A jacket too", "The paths are wet & muddy.\nGo out anyway.", "", "Have a look.", "")
SLOTS = {
    "first_name": "Kim", "unsubscribe_url": "https://shop.test/u/abc/", "preferences_url": "https://shop.test/p/abc/",
    "subject_prefix": "",
}  # fmt: skip


def _message(words: Words = WORDS, offer: OfferTerms = OFFER, language: str = "en") -> MessageSource:
    return compose(words, Frame(offer, SENDER, language))


def test_a_message_greets_offers_links_and_lets_go() -> None:
    copy = render_message(_message(), SLOTS)
    for part in (copy.html, copy.text):
        assert "Hi Kim," in part
        assert "10% off with the code HIKE10 on orders from €50 until 14 December 2026." in part
        assert "https://tarnside.test/jackets" in part
        assert "https://shop.test/u/abc/" in part
        assert "4 Harbour Street, Leith" in part
    assert "wet &amp; muddy.<br>" in copy.html
    assert "Tarnside &amp; Sons" in copy.html


def test_somebody_without_a_name_is_greeted_all_the_same() -> None:
    assert "Hello," in render_message(_message(), SLOTS | {"first_name": ""}).text
    assert "您好：" in render_message(_message(language="zh"), SLOTS | {"first_name": ""}).text


def test_a_chinese_message_has_a_chinese_offer() -> None:
    text = render_message(_message(language="zh"), SLOTS | {"first_name": "王小明"}).text
    assert "王小明，您好：" in text
    assert "满€50立减10%，优惠码 HIKE10，有效期至2026年12月14日。" in text


def test_without_an_offer_nothing_is_promised() -> None:
    assert describe_offer(NO_OFFER, "en") == ""
    assert "%" not in render_message(_message(offer=NO_OFFER), SLOTS).text


def test_the_same_source_gives_the_same_hash_and_another_text_another() -> None:
    assert source_hash(_message()) == source_hash(_message())
    assert source_hash(_message()) != source_hash(_message(Words("Wet feet", "", "", "", "", "")))


def test_values_cannot_bring_markup() -> None:
    copy = render_message(_message(Words("{{ first_name }}", "", "", "", "", "")), SLOTS | {"first_name": "<b>Kim"})
    assert "<b>Kim" not in copy.html
    assert copy.subject == "<b>Kim"


def test_a_subject_is_one_line() -> None:
    copy = render_message(_message(Words("Hello\r\nBcc: x@y.test", "", "", "", "", "")), SLOTS)
    assert "\n" not in copy.subject
    assert "\r" not in copy.subject


def test_an_unknown_merge_tag_is_refused() -> None:
    with pytest.raises(RenderError):
        render_message(_message(Words("Hi {{ coupon }}", "", "", "", "", "")), SLOTS)


@pytest.mark.parametrize(
    "attack",
    [
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% for i in (1..400) %}{% for j in (1..400) %}x{% endfor %}{% endfor %}",
        "{{ first_name.__class__.__mro__ }}",
        "{{ first_name.__init__.__globals__ }}",
        "{{ now }}",
        "{% if today %}x{% endif %}",
        "{{ unsubscribe_url | append: now }}",
        "{{ 'now' | date: '%s' }}",
        "{{ first_name | safe }}",
        "{% include 'settings' %}",
        "{% render 'settings' %}",
        "{% assign x = 'aaaaaaaaaa' %}" + "{% assign x = x | append: x %}" * 40 + "{{ x }}",
        "{% if " + "a and " * 5000 + "b %}x{% endif %}",
        "{% if true %}" * 200,
        "{{ 'x' | times: 9999999999999999999999 }}" + "{{",
        "{% capture y %}" + "y" * 10_000 + "{% endcapture %}{% for i in (1..499) %}{{ y }}{% endfor %}",
    ],
)
def test_a_template_attack_meets_a_limit(attack: str) -> None:
    with pytest.raises(RenderError):
        fill(attack, SLOTS, is_html=True)


@given(st.text(max_size=200))
def test_what_the_shop_says_of_itself_is_never_read_as_a_template(words: str) -> None:
    sender = Sender(words.replace("\r", ""), "4 Harbour Street", "https://tarnside.test/")
    copy = render_message(compose(WORDS, Frame(NO_OFFER, sender, "en")), SLOTS)
    assert "4 Harbour Street" in copy.text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Kim", "Kim"),
        ("Anne-Marie", "Anne-Marie"),
        ("O’Brien", "O’Brien"),
        ("www.evil.test", ""),
        ("evil.test", ""),
        ("https://evil", ""),
        ("evil．test", ""),
        ("ｅｖｉｌ。ｔｅｓｔ", ""),
        ("Call 0800 123456", ""),
        ("kim@evil.test", ""),
        ("x" * 41, ""),
        ("{{ 7 | times: 7 }}", ""),
        ("Kim\nBcc: all", ""),
        ("12345", ""),
        ("", ""),
    ],
)
def test_a_name_that_is_none_gives_the_default_greeting(name: str, shown: str) -> None:
    customer = Customer(first_name=name)
    assert slots_for(customer, language="en", unsubscribe_url="u", preferences_url="p")["first_name"] == shown


def test_a_chinese_greeting_takes_the_whole_name() -> None:
    customer = Customer(first_name="小明", last_name="王")
    assert slots_for(customer, language="zh", unsubscribe_url="u", preferences_url="p")["first_name"] == "王小明"


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("https://tarnside.test/jackets", True),
        ("https://www.tarnside.test/", True),
        ("https://tarnside.test.evil.test/", False),
        ("https://eviltarnside.test/", False),
        ("https://tarnside.test@evil.test/", False),
        ("javascript:alert(1)//tarnside.test", False),
        ("ftp://tarnside.test/", False),
    ],
)
def test_only_links_to_the_shop_are_its_own(url: str, is_own: bool) -> None:
    assert is_shop_link(url, "https://tarnside.test") is is_own

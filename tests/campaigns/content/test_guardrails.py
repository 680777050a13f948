"""False drafts are blocked, true ones are left alone; each guard-rail by the cases that are easy to get wrong."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.content.guardrails import Finding, check_draft, worst_verdict

CORPUS = [json.loads(line) for line in Path(__file__).with_name("drafts.jsonl").read_text("utf-8").splitlines()]
FACTS: dict[str, Any] = {
    "shop": "Tarnside Outdoor",
    "offer": "10% off your next order",
    "code": "AUTUMN10",
    "percent": "10",
    "amount": None,
    "currency": "EUR",
    "valid_from": "2026-11-23",
    "valid_until": "2026-11-30",
    "send_date": "2026-11-23",
    "min_basket": None,
    "products": [
        {
            "sku": "RB-40",
            "name": "Ridge 40 Backpack",
            "price": "89.00",
            "currency": "EUR",
            "stock": 3,
            "category": "Packs",
        },
        {
            "sku": "FT-3S",
            "name": "Fell 3-Season Tent",
            "price": "249",
            "currency": "EUR",
            "stock": 14,
            "category": "Tents",
        },
    ],
    "policies": ["Free returns within 30 days"],
    "language": "en",
    "merge_tags": ["first_name"],
    "allowed_domains": ["tarnside.test"],
}


@cache
def findings_of(number: int) -> tuple[Finding, ...]:
    """Of the draft in this line of the corpus, checked once for all tests."""
    return tuple(check_draft(CORPUS[number]["facts"], CORPUS[number]["draft"]))


def list_bodies(expect: str, verdict: str) -> list[tuple[str, str]]:
    """Number and text of the drafts of which one thing is expected and that get, or do not get, a verdict."""
    wanted = [(number, entry) for number, entry in enumerate(CORPUS) if entry["expect"] == expect]
    is_not = verdict.startswith("not ")
    return [
        (entry["id"], entry["draft"]["body"])
        for number, entry in wanted
        if (worst_verdict(findings_of(number)) == verdict.removeprefix("not ")) is not is_not
    ]


def judge(body: str, subject: str = "Good to see you again", **facts: Any) -> str:
    return worst_verdict(check_draft(FACTS | facts, {"subject": subject, "preheader": "", "body": body}))


def codes(body: str, subject: str = "Good to see you again", **facts: Any) -> set[str]:
    found = check_draft(FACTS | facts, {"subject": subject, "preheader": "", "body": body})
    return {finding.code for finding in found if finding.verdict == "block"}


def test_every_false_draft_is_blocked() -> None:
    assert sum(entry["expect"] == "block" for entry in CORPUS) >= 300
    assert not list_bodies("block", "not block")


def test_at_most_one_true_draft_in_fifty_is_blocked() -> None:
    true = sum(entry["expect"] == "pass" for entry in CORPUS)
    blocked = list_bodies("pass", "block")
    assert true >= 300 and len(blocked) <= 0.02 * true, blocked


@pytest.mark.parametrize("code", sorted({entry["code"] for entry in CORPUS if "code" in entry}))
def test_each_guard_rail_finds_its_own_and_keeps_quiet_at_what_looks_alike(code: str) -> None:
    """`code` is the finding that must be there with the verdict `expect`, `quiet` the one that must not be there."""
    wanted = [(n, entry) for n, entry in enumerate(CORPUS) if entry.get("code") == code]
    alike = [(n, entry) for n, entry in enumerate(CORPUS) if entry.get("quiet") == code]
    missed = [entry["draft"]["body"] for n, entry in wanted if (code, entry["expect"]) not in _told(n)]
    alarms = [entry["draft"]["body"] for n, entry in alike if code in {found for found, _verdict in _told(n)}]
    assert len(wanted) >= 4 and len(alike) >= 3
    assert missed == [] and alarms == []


def _told(number: int) -> set[tuple[str, str]]:
    return {(finding.code, finding.verdict) for finding in findings_of(number)}


@pytest.mark.parametrize(
    "true",
    ["10% off", "ten percent off", "10 per cent off", "１０％ off", "a tenth off", "10 off with AUTUMN10", "10 %"],
)
def test_the_offered_percentage_may_be_written_in_any_way(true: str) -> None:
    assert judge(f"Here is {true} for you.") == "pass"


@pytest.mark.parametrize(
    "false",
    ["11% off", "twenty percent off", "a fifth off", "half price", "50 off", "two for one", "buy one, get one free"],
)
def test_another_percentage_is_blocked(false: str) -> None:
    assert judge(f"Here is {false} for you.") == "block"


@pytest.mark.parametrize(
    ("text", "percent", "verdict"),
    [
        ("全场八折", 20, "pass"),
        ("全场8折", 20, "pass"),
        ("全场八五折", 15, "pass"),
        ("全场九折", 9, "block"),
        ("全场九折", 10, "pass"),
        ("全场2折", 20, "block"),
        ("全场半价", 50, "pass"),
        ("立减百分之二十", 20, "pass"),
        ("优惠两成", 20, "pass"),
        ("带上三折叠伞出门", 20, "pass"),
    ],
)
def test_chinese_zhe_is_the_share_that_is_paid(text: str, percent: int, verdict: str) -> None:
    facts = {"percent": percent, "offer": "全场优惠", "code": "", "language": "zh", "policies": []}
    assert judge(f"您好，{text}。", subject="好久不见", **facts) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("The Ridge 40 Backpack is €89.", "pass"),
        ("The Ridge 40 Backpack is 89,00 € and the Fell 3-Season Tent is EUR 249.", "pass"),
        ("The Ridge 40 Backpack is eighty-nine euros.", "pass"),
        ("With your code the Ridge 40 Backpack is €80.10.", "pass"),
        ("The Ridge 40 Backpack is €249.", "block"),
        ("The Ridge 40 Backpack is $89.", "block"),
        ("The Ridge 40 Backpack is £79.", "block"),
        ("Take €5 off.", "block"),
    ],
)
def test_a_price_belongs_to_its_product(text: str, verdict: str) -> None:
    assert judge(text) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("10% off until 30 November 2026.", "pass"),
        ("10% off until Monday, November 30th.", "pass"),
        ("10% off until 30.11.", "pass"),
        ("10% off before 1 December.", "pass"),
        ("10% off from 23 to 30 November.", "pass"),
        ("10% off for the next seven days.", "pass"),
        ("10% off until the end of November.", "pass"),
        ("10% off until 24 December.", "block"),
        ("10% off until 2027-11-30.", "block"),
        ("10% off until Sunday.", "block"),
        ("10% off until Tuesday, 30 November.", "block"),
        ("10% off, today only.", "block"),
        ("10% off, ends tomorrow.", "block"),
        ("10% off for 24 hours only.", "block"),
        ("10% off until Christmas.", "block"),
    ],
)
def test_an_end_is_the_end_of_the_offer(text: str, verdict: str) -> None:
    assert judge(text) == verdict


def test_today_only_is_true_on_the_last_day() -> None:
    assert judge("10% off, today only, with AUTUMN10.", send_date="2026-11-30") == "pass"


def test_an_offer_that_is_over_is_blocked() -> None:
    assert codes("10% off with AUTUMN10.", send_date="2026-12-01") == {"expired"}


@pytest.mark.parametrize(
    "text", ["Use code SAVE20.", "Enter COMEBACK at checkout.", "Your code: AUTUMN100.", "No code needed."]
)
def test_another_code_is_blocked(text: str) -> None:
    assert "code" in codes(text)


def test_the_code_of_the_facts_may_be_named() -> None:
    assert judge("Use code AUTUMN10, or autumn10 if you like.") == "pass"


def test_a_code_where_there_is_none_is_blocked() -> None:
    assert "code" in codes("Use your promo code at checkout.", code="")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Only three Ridge 40 Backpacks left.", "pass"),
        ("The Ridge 40 Backpack is almost sold out.", "pass"),
        ("The Fell 3-Season Tent is in stock.", "pass"),
        ("Only two Ridge 40 Backpacks left.", "block"),
        ("The Fell 3-Season Tent is almost sold out.", "block"),
        ("The Ridge 40 Backpack is sold out.", "block"),
    ],
)
def test_stock_is_that_of_the_product(text: str, verdict: str) -> None:
    assert judge(text) == verdict


def test_stock_that_nobody_knows_is_blocked() -> None:
    assert codes("Only three left.", products=[]) == {"stock"}


@pytest.mark.parametrize(
    "text",
    [
        "Free delivery.",
        "A free mug with it.",
        "Our lowest prices.",
        "Lifetime warranty.",
        "Over 10,000 customers.",
        "Rated 5 stars.",
        "We are #1.",
        "Returns within 90 days.",
    ],
)
def test_a_promise_that_no_fact_makes_is_blocked(text: str) -> None:
    assert judge(text) == "block"


def test_a_promise_of_the_policies_may_be_repeated() -> None:
    assert judge("Returns are free for thirty days.") == "pass"


@pytest.mark.parametrize(
    "text",
    ["Feel free to look around.", "In your free time.", "Two frosty mornings.", "It has been a year since June."],
)
def test_a_story_is_no_promise(text: str) -> None:
    assert judge(text) == "pass"


@pytest.mark.parametrize(
    "text",
    [
        "Hi {{ last_name }}.",
        "Hi {name}.",
        "Hi %FNAME%.",
        "Dear [Your Name].",
        "Dear Your Name.",
        "Lorem ipsum.",
        "TODO.",
    ],
)
def test_a_gap_is_blocked(text: str) -> None:
    assert judge(text) == "block"


def test_a_known_merge_tag_passes_with_and_without_a_fall_back() -> None:
    assert judge('Hi {{ first_name }}, or {{ first_name | default: "you" }}.') == "pass"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("See https://www.tarnside.test/packs.", "pass"),
        ("See https://tarnside.test.evil.example/.", "block"),
        ("See https://tarnside.test@evil.example/.", "block"),
        ("See evil.com.", "block"),
        ("Write to me@evil.com.", "block"),
        ("Click javascript:alert(1).", "block"),
        ("<b>Hello</b>", "block"),
        ("Hello &lt;script&gt;", "block"),
        ("Hel\u200blo", "block"),
        ("Hello \u202egnp", "block"),
    ],
)
def test_addresses_and_signs_that_are_not_ours_are_blocked(text: str, verdict: str) -> None:
    assert judge(text) == verdict


def test_the_wrong_language_is_blocked() -> None:
    assert codes("您好，好久不见，欢迎回来看看。") == {"language"}
    assert "language" in codes("Come and see what is new this autumn.", subject="您好", language="zh")
    assert "language" in codes("Wir haben viele neue Sachen für Sie, und die Wege sind im Herbst besonders schön.")


def test_words_for_staff_are_blocked() -> None:
    assert codes("You are at risk of leaving.") == {"scoring"}
    assert codes("Hello, dear high spenders.", segment="High spenders") == {"scoring"}


def test_lengths() -> None:
    assert judge("Hello.", subject="") == "block"
    assert judge("") == "block"
    assert judge("Hello.", subject="Good " * 14) == "warn"
    assert judge("Hello.", subject="Good " * 30) == "block"
    assert judge("Hello there. " * 150) == "warn"
    assert judge("Hello there. " * 400) == "block"


def test_a_composed_message_needs_its_way_out() -> None:
    assert codes("Hello.", is_composed=True) == {"unsubscribe"}
    assert (
        judge("Hello. Unsubscribe: {{ unsubscribe_url }}", is_composed=True, merge_tags=["unsubscribe_url"]) == "pass"
    )


def test_a_composed_message_shows_the_postal_address_of_the_facts() -> None:
    facts = {"is_composed": True, "merge_tags": ["unsubscribe_url"], "postal_address": "4 Harbour Street,\nLeith"}
    assert codes("Hello. Unsubscribe: {{ unsubscribe_url }}", **facts) == {"address"}
    assert judge("Hello. Unsubscribe: {{ unsubscribe_url }} 4 Harbour Street, Leith", **facts) == "pass"


def test_shouting_is_shown() -> None:
    assert judge("Hello!!!") == "warn"


def test_slots_of_a_variant_are_read_too() -> None:
    draft = {
        "subject": "Hello",
        "preheader": "",
        "opening": "Good day.",
        "story": "",
        "invitation": "Take 20% off.",
        "button_label": "Go",
    }
    (finding,) = check_draft(FACTS, draft)
    assert (finding.code, finding.verdict, finding.field, finding.excerpt) == ("percent", "block", "invitation", "20%")


def test_the_excerpt_is_what_the_author_wrote() -> None:
    (finding,) = check_draft(FACTS, {"subject": "Hello", "body": "Take twenty-five per cent off."})
    assert finding.excerpt == "twenty-five per cent"


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"products": "x", "policies": 5, "valid_until": "soon", "percent": "x", "min_basket": [], "shop": None},
        {
            "products": [None, 3, {"name": None, "price": "?", "stock": "low"}],
            "merge_tags": 7,
            "allowed_domains": {"a": 1},
        },
        {"valid_until": 10**30, "send_date": "2026-13-45", "percent": float("nan"), "amount": float("inf")},
    ],
)
@pytest.mark.parametrize(
    "draft",
    [{}, {"subject": None, "body": ["a", 5, None]}, {"subject": 5, "body": "31 February, 十万万, 1/0 off, 99. 99."}],
)
def test_odd_input_raises_nothing(facts: dict[str, Any], draft: dict[str, Any]) -> None:
    assert isinstance(check_draft(facts, draft), list)


DRAFT = {"subject": "It has been a while", "preheader": "", "body": "The paths are muddy again. Come and have a look."}
FIELDS = ["subject", "preheader", "body", "opening", "anything"]
ODD = st.none() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())


def test_a_plain_draft_has_no_findings() -> None:
    assert check_draft(FACTS, DRAFT) == []


@pytest.mark.parametrize(
    "sign", ["\u202e", "\u200b", "\u2066", "\x07", "\ufffd"], ids=["rlo", "zero", "isolate", "bell", "broken"]
)
def test_hidden_characters_are_blocked(sign: str) -> None:
    assert judge(f"Come back{sign} and have a look.") == "block"


@pytest.mark.parametrize("way", ["15%", "１５％", "1\u200b5%", "15 percent", "fifteen per cent", "15&#37;", "𝟏𝟓%"])
def test_a_false_figure_is_seen_however_it_is_written(way: str) -> None:
    assert judge(f"Enjoy {way} off your next order.") == "block"


@given(facts=st.dictionaries(st.sampled_from(list(FACTS)), ODD), draft=st.dictionaries(st.sampled_from(FIELDS), ODD))
def test_no_odd_input_raises(facts: dict[str, Any], draft: dict[str, Any]) -> None:
    assert isinstance(check_draft(facts, draft), list)


@given(body=st.text(max_size=400))
def test_the_same_draft_has_the_same_findings(body: str) -> None:
    assert check_draft(FACTS, DRAFT | {"body": body}) == check_draft(FACTS, DRAFT | {"body": body})

"""Money that a letter works out from its products, their number and the offer, each way with the false figure beside it."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.content.guardrails import check_draft

ENGLISH: dict[str, Any] = {
    "shop": "Northfold Cycles",
    "offer": "Take $25 off orders of $120 or more",
    "code": "RIDE25",
    "amount": 25,
    "currency": "USD",
    "min_basket": 120,
    "products": [
        {"sku": "A", "name": "Lumen 900 Front Light", "price": 79, "currency": "USD", "stock": 38},
        {"sku": "B", "name": "Switchback Pannier 20 L", "price": 64, "currency": "USD", "stock": 12},
        {"sku": "C", "name": "Gravel Bar Tape, pack of 2", "price": 18, "currency": "USD", "stock": 90},
    ],
    "policies": ["Free shipping on orders over $75, otherwise $7.50.", "Returns within 45 days."],
}
CHINESE: dict[str, Any] = {
    "shop": "暖灶厨具",
    "offer": "全场八五折",
    "code": "NUANZAO",
    "percent": 15,
    "currency": "CNY",
    "products": [
        {"sku": "A", "name": "铸铁珐琅锅24cm", "price": 680, "currency": "CNY", "stock": 19},
        {"sku": "B", "name": "樱桃木砧板", "price": 220, "currency": "CNY", "stock": 8},
    ],
    "policies": ["满99元包邮，不满收6元运费。"],
}


def codes(facts: dict[str, Any], body: str, subject: str = "Hello") -> set[str]:
    found = check_draft(facts, {"subject": subject, "preheader": "", "body": body})
    return {finding.code for finding in found if finding.verdict == "block"}


PAIR = "The Lumen 900 Front Light ($79.00) and the Switchback Pannier 20 L ($64.00). "


@pytest.mark.parametrize(
    ("true", "false"),
    [
        (PAIR + "Together that's $143.00.", PAIR + "Together that's $64.00."),
        (PAIR + "With RIDE25 you pay $118.00.", PAIR + "With RIDE25 you pay $113.00."),
        ("Light and pannier: $79.00 + $64.00 = $143.00.", "Light and pannier: $79.00 + $64.00 = $148.00."),
        ("Two Switchback Panniers are $128.00.", "Two Switchback Panniers are $133.00."),
        (
            "Take a pair of the Switchback Pannier 20 L: $128.00, less $25 with RIDE25, makes $103.00.\n\nThat is $51.50 a bag.",
            "Take a pair of the Switchback Pannier 20 L: $128.00, less $25 with RIDE25, makes $103.00.\n\nThat is $56.50 a bag.",
        ),
        ("The Gravel Bar Tape is $18.00, so $9.00 a roll.", "The Gravel Bar Tape is $18.00, so $8.00 a roll."),
        (
            "The Gravel Bar Tape is $18.00 plus $7.50 for shipping, $25.50 at your door.",
            "The Gravel Bar Tape is $18.00 plus $7.50 for shipping, $28.50 at your door.",
        ),
        (
            "The Lumen 900 Front Light and a roll of Gravel Bar Tape come to $97.00: you are $23.00 away from $25 off.",
            "The Lumen 900 Front Light and a roll of Gravel Bar Tape come to $97.00: you are $28.00 away from $25 off.",
        ),
        ("If your order reaches $120, RIDE25 saves you $25.", "If your order reaches $120, RIDE25 saves you $79."),
        ("Shipping is $7.50.", "Shipping is $18.00."),
        ("The Lumen 900 Front Light, $79.00.", "The Lumen 900 Front Light, $75.00."),
    ],
)
def test_english_sums(true: str, false: str) -> None:
    assert codes(ENGLISH, true) == set()
    assert "money" in codes(ENGLISH, false)


@pytest.mark.parametrize(
    ("true", "false"),
    [
        (
            "珐琅锅680元，砧板220元，合计900元，八五折下来765元。",
            "珐琅锅680元，砧板220元，合计900元，八五折下来745元。",
        ),
        ("珐琅锅680元，砧板220元，合计900元。", "珐琅锅680元，砧板220元，合计220元。"),
        ("珐琅锅680元，八五折后578元，省102元。", "珐琅锅680元，八五折后680元，省102元。"),
        ("珐琅锅680元，八五折后578元，省102元。", "珐琅锅680元，八五折后578元，省220元。"),
        ("樱桃木砧板220元。两块砧板440元。", "樱桃木砧板220元。两块砧板220元。"),
        ("铸铁珐琅锅，木头垫着更好。680元一口。", "铸铁珐琅锅，木头垫着更好。650元一口。"),
    ],
)
def test_chinese_sums(true: str, false: str) -> None:
    assert codes(CHINESE, true) == set()
    assert "money" in codes(CHINESE, false)


def test_a_headline_may_say_again_what_the_body_works_out() -> None:
    body = PAIR + "With RIDE25 you pay $118.00, so you keep $25."
    assert codes(ENGLISH, body, "The pair for $118.00") == set()
    assert "money" in codes(ENGLISH, body, "The pair for $108.00")
    assert "money" in codes(ENGLISH, body, "Save $118.00")


def test_the_other_length_of_a_line_of_the_facts_is_blocked() -> None:
    facts = ENGLISH | {"battery": "Lumen 900: 2.5 hours on high, 12 hours on low"}
    assert codes(facts, "On high it lasts 2.5 hours.") == set()
    assert "time" in codes(facts, "On high it lasts 3.5 hours.")


def test_one_before_a_hundred_is_no_eleven_hundred() -> None:
    facts = ENGLISH | {"yardage": "225 m per 100 g"}
    assert codes(facts, "One 100 g skein has 225 m.") == set()
    assert "number" in codes(facts, "One 100 g skein of our yarn has 275 m.")


def test_the_second_at_half_price_is_followed_over_several_products() -> None:
    facts = CHINESE | {"offer": "全场第二件半价", "code": "", "percent": None}
    body = "珐琅锅和砧板各买两件，总价{}元，比原价1800元省450元。"
    assert codes(facts, body.format(1350)) == set()
    assert "money" in codes(facts, body.format(1380))


def test_a_multiple_of_a_figure_of_the_facts() -> None:
    facts = ENGLISH | {"contents": "A packet holds 60 seeds"}
    assert codes(facts, "Three packets give you 180 seeds of our peas.") == set()
    assert "number" in codes(facts, "Three packets give you 190 seeds of our peas.")


def test_a_word_of_a_name_that_means_anything_names_no_product() -> None:
    products = [
        {"sku": "A", "name": "Amber Candle", "price": 26, "currency": "USD", "stock": 34},
        {"sku": "B", "name": "Linen Room Spray", "price": 18, "currency": "USD", "stock": 51},
    ]
    body = "The Amber Candle is for a room that smells of the coast. There are {} on the shelf."
    assert codes(ENGLISH | {"products": products}, body.format(34)) == set()
    assert "stock" in codes(ENGLISH | {"products": products}, body.format(51))

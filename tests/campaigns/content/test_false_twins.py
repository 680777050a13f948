"""What a fact of one thing lends to another: a false letter beside the true one that its words resemble."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.content.guardrails import check_draft

FACTS: dict[str, Any] = {
    "shop": "Tumble Tree Toys",
    "offer": "20% off puzzles",
    "code": "PUZZLE20",
    "percent": 20,
    "currency": "EUR",
    "valid_from": "2027-05-28",
    "valid_until": "2027-06-01",
    "send_date": "2027-05-29",
    "products": [
        {"sku": "A", "name": "Panda Puzzle", "price": 30, "currency": "EUR", "stock": 40, "category": "puzzles"},
        {"sku": "B", "name": "Farm Puzzle", "price": 20, "currency": "EUR", "stock": 14, "category": "puzzles"},
        {"sku": "C", "name": "Wooden Train", "price": 55, "currency": "EUR", "stock": 9, "category": "trains"},
    ],
}
REDUCED = [
    {"sku": "A", "name": "Panda Puzzle", "price": 30, "currency": "EUR", "stock": 40},
    {"sku": "C", "name": "Wooden Train", "price": 55, "old_price": 110, "currency": "EUR", "stock": 9},
]
SPEAKERS = [
    {"sku": "L", "name": "Lark Speaker", "price": 30, "currency": "EUR", "stock": 40},
    {"sku": "R", "name": "Robin Speaker", "price": 55, "currency": "EUR", "stock": 9},
]
CHINESE: dict[str, Any] = {
    "shop": "Tumble Tree Toys",
    "offer": "八折",
    "percent": 20,
    "code": "",
    "currency": "CNY",
    "products": [
        {"sku": "A", "name": "熊猫拼图", "price": 100, "currency": "CNY", "stock": 40},
        {"sku": "B", "name": "木头火车", "price": 500, "currency": "CNY", "stock": 14},
    ],
}


def blocked(body: str, facts: dict[str, Any]) -> set[str]:
    found = check_draft(FACTS | facts, {"subject": "Puzzles", "preheader": "", "body": body})
    return {finding.code for finding in found if finding.verdict == "block"}


Case = tuple[dict[str, Any], str, str, str]
CASES: dict[str, Case] = {
    "the cut of one product, said of the shop": (
        {"offer": "20% off everything", "products": REDUCED},
        "The Wooden Train is 50% off this weekend.",
        "50% off this weekend.",
        "percent",
    ),
    "more than the cut of one product": (
        {"offer": "20% off everything", "products": REDUCED},
        "20% off this weekend.",
        "More than 50% off this weekend.",
        "percent",
    ),
    "the offer taken off what it does not hold for": (
        {},
        "The Panda Puzzle is 30 euros, now 24 euros.",
        "The Wooden Train is 55 euros, now 44 euros.",
        "money",
    ),
    "the price of the product before": (
        {},
        "The Panda Puzzle is 30 euros, the Farm Puzzle is now 16 euros.",
        "The Panda Puzzle is 30 euros, the Farm Puzzle is now 24 euros.",
        "money",
    ),
    "the running time of the other": (
        {"products": SPEAKERS, "policies": ["The Lark plays for 40 hours.", "The Robin plays for 60 hours."]},
        "The Lark plays for 40 hours.",
        "The Lark plays for 60 hours.",
        "time",
    ),
    "a number of a policy, said of the stock": (
        {"policies": ["Order 6 bottles or more and we pack them in straw."], "products": SPEAKERS},
        "Order 6 bottles or more and we pack them in straw.",
        "Only 6 bottles left.",
        "stock",
    ),
    "a number of a policy, said of the stock in Chinese": (
        {**CHINESE, "policies": ["Order 6 bottles or more and we pack them in straw."]},
        "木头火车库存14件。",
        "木头火车仅剩6件。",
        "stock",
    ),
    "send them back is no hemming": (
        {"policies": ["Returns are free, send them back within 30 days."]},
        "退货免费。",
        "我们免费改裤。",
        "free",
    ),
    "recommend is no mending": (
        {"policies": ["Returns are free, we recommend the box it came in."]},
        "退货免费。",
        "我们免费修补。",
        "free",
    ),
    "our service desk is no servicing": (
        {"policies": ["Returns are free at the service desk."]},
        "退货免费。",
        "我们免费保养。",
        "free",
    ),
    "collecting it yourself is no collection": (
        {"policies": ["Free pick up in our store."]},
        "Pick up in our store is free.",
        "免费上门取件。",
        "free",
    ),
    "delivery is no gift": (
        {"offer": "Free UK delivery", "percent": None, "code": ""},
        "Free UK delivery this weekend.",
        "There is a surprise gift in every parcel.",
        "gift",
    ),
    "two days' free delivery is no gift": (
        {"offer": "Free two-day UK shipping", "percent": None, "code": ""},
        "Free two-day UK shipping this weekend.",
        "There is a surprise gift in every parcel.",
        "gift",
    ),
    "配送 is no gift": ({**CHINESE, "offer": "免费配送"}, "免费配送。", "随单附赠小礼品。", "gift"),
    "送货 is no gift": ({**CHINESE, "offer": "送货上门八折"}, "八折。", "随单附赠小礼品。", "gift"),
    "配送 in a policy is no gift": ({**CHINESE, "policies": ["全国配送"]}, "八折。", "随单附赠小礼品。", "gift"),
    "下单送礼": (CHINESE, "八折，送礼正好。", "下单送礼。", "gift"),
    "满100送礼": (CHINESE, "过节送礼正好。", "满100送礼。", "gift"),
    "a gift box for fathers' day is given by the shop": (
        {**CHINESE, "offer": "满100送首次保养"},
        "满100送首次保养。",
        "满100送父亲节礼盒。",
        "gift",
    ),
    "a parcel for mother and child is given by the shop": (
        {**CHINESE, "offer": "满100送首次保养"},
        "满100送首次保养。",
        "满100送母婴礼包。",
        "gift",
    ),
    "every order is cut, and not cut off": (
        {"min_basket": 40, "offer": "20% off from 40 euros"},
        "We cut every order from one board.",
        "We cut every order by 20%.",
        "scope",
    ),
    "everything else is not everything": (
        {},
        "You know everything else about us. 20% off puzzles.",
        "20% off everything else.",
        "scope",
    ),
    "所有产品免费退换": (
        {**CHINESE, "policies": ["Free returns on frames."]},
        "镜架免费退换。",
        "所有产品免费退换。",
        "scope",
    ),
    "您的订单全部包邮": (
        {**CHINESE, "policies": ["满99元包邮"]},
        "满99元的订单全部包邮。",
        "您的订单全部包邮。",
        "scope",
    ),
    "晚上 8点": (
        {**CHINESE, "event": "直播 20:00"},
        "直播晚上 8点开始。",
        "直播早上 8点开始。",
        "hour",
    ),
    "线上8点": ({**CHINESE, "event": "直播 20:00"}, "直播线上8点开始。", "直播线上9点开始。", "hour"),
    "8点提前开抢": ({**CHINESE, "event": "直播 20:00"}, "晚上8点提前开抢。", "晚上9点提前开抢。", "hour"),
    "8点好物": ({**CHINESE, "event": "直播 20:00"}, "晚上8点好物开抢。", "晚上9点好物开抢。", "hour"),
    "one point for every ten euros": (
        {**CHINESE, "policies": ["1 point for every 10 euros."]},
        "You get 1 point for every 10 euros.",
        "木头火车可积500分。",
        "count",
    ),
    "the month of a day in figures": (
        {"event": "Puzzle day on 2027-09-05", "harvest": "Wood cut in October 2026"},
        "Puzzle day is on 5 September 2027.",
        "Puzzle day is on 5 August 2027.",
        "date",
    ),
    "two steps of a return": (
        {},
        "For the first 5 days water it, then let it rest.",
        "For the first 5 days return it, then exchange it.",
        "time",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_only_the_false_letter_is_blocked(case: Case) -> None:
    facts, true, false, code = case
    assert blocked(true, facts) == set()
    assert code in blocked(false, facts)


@pytest.mark.parametrize(
    ("policy", "true"),
    [
        ("1 point for every euro.", "木头火车可积55分。"),
        ("1 point per €1.", "木头火车可积55分。"),
        ("We hem trousers for free.", "我们免费改裤。"),
        ("Repairs are free.", "我们免费修补。"),
        ("We collect old mattresses, free.", "免费上门取件。"),
    ],
)
def test_what_the_facts_do_say_passes(policy: str, true: str) -> None:
    products = [{"sku": "B", "name": "木头火车", "price": 55, "currency": "EUR", "stock": 14}]
    assert blocked(true, {"policies": [policy], "products": products, "offer": ""}) == set()


@pytest.mark.parametrize("said", ["给自己一点好心情，八折。", "一点提前的惊喜，八折。", "8点建议，八折。"])
def test_a_bit_and_a_point_are_no_hours(said: str) -> None:
    assert "hour" not in blocked(said, CHINESE)


@pytest.mark.parametrize("said", ["晚 8点开抢", "今晚8点开抢", "晚上的8点开抢", "下午8点开抢", "8点开抢"])
def test_an_hour_of_the_evening_is_read_as_one(said: str) -> None:
    assert blocked(said, {**CHINESE, "event": "直播 20:00"}) == set()
    assert "hour" in blocked(said, {**CHINESE, "event": "直播 9:00"})

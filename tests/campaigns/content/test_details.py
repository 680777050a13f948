"""What the facts say in further keys of a product, and what follows from their days, sizes and lines: the false twin beside
the true sentence."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.content.guardrails import check_draft

FACTS: dict[str, Any] = {
    "shop": "Hill & Hearth",
    "offer": "10% off pans",
    "code": "PAN10",
    "percent": 10,
    "currency": "EUR",
    "valid_from": "2026-05-18",
    "valid_until": "2026-05-31",
    "send_date": "2026-05-20",
    "products": [
        {
            "sku": "A",
            "name": "Steel pan, 24 cm",
            "price": "70.00",
            "currency": "EUR",
            "stock": 8,
            "category": "pans",
            "weight": "1.4 kg",
            "material": "95% bamboo viscose, 5% elastane",
            "colours": ["sage", "rust", "navy"],
            "hobs": "all hobs including induction",
        },
        {
            "sku": "B",
            "name": "Steel pan, 28 cm",
            "price": "80.00",
            "currency": "EUR",
            "stock": 6,
            "category": "pans",
            "weight": "1.9 kg",
            "sugar": "2.1 g of sugar per 100 ml",
        },
        {
            "sku": "C",
            "name": "Olive oil, 3 L tin",
            "price": "54.00",
            "currency": "EUR",
            "stock": 40,
            "author": "translated from German",
        },
    ],
    "policies": [
        "Delivered on Thursdays and Fridays in chilled boxes.",
        "We take back pans in good condition for store credit.",
        "One code per order; not valid on subscriptions.",
        "Choose delivery every 4, 6 or 8 weeks.",
    ],
    "gift": {"name": "Apron", "value": "32.00"},
    "rating": {"average": 4.8, "count": 412},
    "last_purchase": {"sku": "A", "date": "2026-04-08"},
}


def codes(body: str, subject: str = "Pans", **facts: Any) -> set[str]:
    found = check_draft(FACTS | facts, {"subject": subject, "preheader": "", "body": body})
    return {finding.code for finding in found if finding.verdict == "block"}


@pytest.mark.parametrize(
    ("true", "false", "code"),
    [
        ("The 24 cm pan weighs 1.4 kg.", "The 24 cm pan weighs 1.7 kg.", "number"),
        ("The Steel pan, 24 cm weighs 1.4 kg.", "The Steel pan, 24 cm weighs 1.9 kg.", "detail"),
        ("It is made of 95% bamboo viscose.", "It is made of 95% organic cotton.", "detail"),
        ("It is made of 95% bamboo viscose.", "It is 95% off.", "percent"),
        ("It comes in sage, rust and navy.", "It comes in sage, rust, navy or black.", "detail"),
        ("The tin is translated from the German.", "The tin is translated from the Norwegian.", "detail"),
        (
            "We take back pans in good condition for store credit.",
            "We gladly take back pans in good condition for cash.",
            "detail",
        ),
        ("The code is not valid on subscriptions.", "And yes, the code works on subscriptions too.", "scope"),
        ("It works on induction.", "It does not work on induction.", "detail"),
        ("It has sugar in it.", "It has no added sugar.", "detail"),
        ("Pick a rhythm of four, six or eight weeks.", "Pick a rhythm of two, four or six weeks.", "number"),
        ("An apron worth €32 is in it.", "An apron worth €54 is in it.", "money"),
        ("It has 4.8 stars from 412 customers.", "It has 4.8 stars from 512 customers.", "count"),
        ("It is six weeks since you ordered.", "It is nine weeks since you ordered, and the sale goes on.", "time"),
        ("That is €18 per litre.", "That is €16 per litre.", "money"),
        (
            "Steel pan, 24 cm or 28 cm: we have 14 of them in stock, both sizes together.",
            "Steel pan, 24 cm or 28 cm: we have 15 of them in stock, both sizes together.",
            "stock",
        ),
        ("In chilled boxes, delivered on Thursdays.", "In chilled boxes, delivered on Saturdays.", "weekday"),
        ("The Steel pan, 28 cm was €80, now €72.", "The Steel pan, 28 cm was €80, now €80.", "money"),
        ("That is €63 with the code.", "That is €70 with the code.", "money"),
    ],
)
def test_only_the_false_sentence_is_blocked(true: str, false: str, code: str) -> None:
    assert codes(f"Look at the pans.\n\n{true}") == set()
    assert code in codes(f"Look at the pans.\n\n{false}")


@pytest.mark.parametrize(
    "true",
    [
        "So no pan sits in a depot over the weekend.",
        "Two ways to go about it.",
        "412 customers have left a rating.",
        "The last one may be in your kitchen right now.",
        "It makes a lovely rainy-Tuesday project.",
        "Plant this autumn, show off in July.",
        "The 28 cm one is €80.",
        "You will cook with it for years.",
    ],
)
def test_what_only_looks_like_a_claim_passes(true: str) -> None:
    assert codes(f"Look at the Steel pan, 24 cm.\n\n{true}") == set()


def test_what_the_reader_has_at_home_is_no_stock_of_the_shop() -> None:
    assert "stock" not in codes("We have thought of you.", subject="Running low on oil?")
    assert "stock" in codes("The Olive oil, 3 L tin is running low.")


def test_the_day_after_today_may_be_the_last() -> None:
    assert codes("Come and see.", subject="Tomorrow's the last day", valid_until="2026-05-21") == set()
    assert "deadline" in codes("Come and see.", subject="Tomorrow's the last day")


def test_a_figure_of_a_key_counts_what_the_key_is_called() -> None:
    assert codes("You have 160 points.", member_points=160) == set()
    assert "count" in codes("You have 180 points.", member_points=160)


def test_a_product_says_nothing_through_its_address() -> None:
    products = [{"sku": "A", "name": "Steel pan", "price": "70.00", "url": "https://shop.example/free-shipping"}]
    assert "shipping" in codes("Free shipping on the Steel pan.", products=products)


def test_the_cheaper_one_of_two_is_reduced() -> None:
    facts = {"offer": "Second pan half price", "percent": None, "code": ""}
    assert codes("One Steel pan, 24 cm and one Steel pan, 28 cm together come to €115.", **facts) == set()
    assert "money" in codes("One Steel pan, 24 cm and one Steel pan, 28 cm together come to €110.", **facts)

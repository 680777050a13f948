"""What is misread in a whole letter and not in a claim: sums over sentences, signatures, other things than the offer."""

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
        {"sku": "B", "name": "Farm Puzzle", "price": 20, "currency": "EUR", "stock": 7, "category": "puzzles"},
        {
            "sku": "C",
            "name": "Maple Train",
            "price": 55,
            "old_price": 70,
            "currency": "EUR",
            "stock": 9,
            "category": "trains",
        },
    ],
    "policies": [
        "Free delivery over 40 euros.",
        "We post every order within one working day.",
        "A 50 g pouch of beads is free.",
    ],
    "event": "Puzzle day on 2027-06-05 at 3 pm in our Portland store",
    "harvest": "Wood cut in October 2026",
}


def codes(body: str, **facts: Any) -> set[str]:
    found = check_draft(FACTS | facts, {"subject": "Puzzles", "preheader": "", "body": body})
    return {finding.code for finding in found if finding.verdict == "block"}


@pytest.mark.parametrize(
    ("true", "false", "code"),
    [
        ("With love,\nTumble Tree Toys", "With love,\nMaple Street Toys", "signature"),
        ("Come to our Portland store.", "Come to our Seattle store.", "place"),
        ("Puzzle day is on 5 June at 3 pm.", "Puzzle day is on 5 June at 4 pm.", "hour"),
        ("There is a 50 g pouch in it.", "There is a 90 g pouch in it.", "number"),
        ("The wood was cut in October 2026.", "The wood was cut in September 2026.", "date"),
        ("Children's day: 儿童节是周二", "Children's day: 儿童节是周一", "weekday"),
        ("The Maple Train is 55 euros, it was 70 euros.", "The Maple Train is 55 euros, it was 75 euros.", "money"),
        (
            "Panda Puzzle, Farm Puzzle.\nTogether that is 50 euros.",
            "Panda Puzzle, Farm Puzzle.\nTogether that is 52 euros.",
            "money",
        ),
        (
            "We have 7 of the Farm Puzzle: one of those we love.",
            "We have 6 of the Farm Puzzle: one of those we love.",
            "stock",
        ),
    ],
)
def test_a_letter_is_blocked_for_what_is_false_in_it_alone(true: str, false: str, code: str) -> None:
    assert codes(true) == set()
    assert code in codes(false)


def test_a_policy_is_quoted_though_it_has_no_figure() -> None:
    facts = {"min_basket": 40}
    assert codes("We post every order within one working day.", **facts) == set()
    assert "scope" in codes("20% off every order of puzzles.", **facts) | codes(
        "20% off puzzles on every order.", **facts
    )


def test_a_comma_that_follows_no_digit_is_a_pause_however_wide() -> None:
    facts = {
        "currency": "CNY",
        "products": [{"sku": "S", "name": "龙井50克", "price": 198, "currency": "CNY", "stock": 7}],
    }
    assert codes("龙井50克,198元,库存7罐。", **facts) == codes("龙井50克，198元，库存7罐。", **facts) == set()
    assert "money" in codes("龙井50克,189元。", **facts)


def test_what_stands_before_the_word_that_excepts_is_excepted() -> None:
    products = [
        {"sku": "T", "name": "速干T恤", "price": 100, "currency": "CNY", "stock": 7, "category": "上衣"},
        {"sku": "R", "name": "缓震跑鞋", "price": 500, "currency": "CNY", "stock": 7, "category": "跑鞋"},
    ]
    facts = {"offer": "八折（跑鞋除外）", "currency": "CNY", "products": products, "code": ""}
    assert codes("速干T恤八折，只要80元。", **facts) == set()
    assert "money" in codes("缓震跑鞋八折，只要400元。", **facts)

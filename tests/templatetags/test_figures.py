"""Numbers as staff read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from retention_site.templatetags import figures


@pytest.mark.parametrize(
    ("value", "shown"), [(4218, "4,218"), (0, "0"), (-1200, "−1,200"), (None, "–"), ("", "–"), (float("nan"), "–")]
)
def test_counts_are_grouped_and_unknown_is_a_dash(value: object, shown: str) -> None:
    assert figures.count(value) == shown  # type: ignore[arg-type]


def test_shares_are_written_as_percent() -> None:
    assert figures.percent(0.6139) == "61.4%"
    assert figures.percent(Decimal("0.715"), 0) in {"71%", "72%"}
    assert figures.percent(None) == "–"


def test_differences_carry_their_sign_and_zero_has_none() -> None:
    assert figures.points(0.018) == "+1.8 points"
    assert figures.points(-0.07) == "−7.0 points"
    assert figures.signed_points(-0.0004) == "0.0"
    assert figures.signed(140) == "+140"


def test_money_stands_beside_its_currency() -> None:
    assert figures.money(Decimal("1204.5"), "EUR") == "€1,204.50"
    assert figures.money(Decimal("-3"), "GBP") == "−£3.00"
    assert figures.money(1200, "JPY") == "¥1,200"
    assert figures.money(12, "SEK") == "12.00 SEK"
    assert figures.money(None, "EUR") == "–"


@pytest.mark.parametrize(("amount", "shown"), [(184200, "€184k"), (1840, "€1.8k"), (2_000_000, "€2m"), (72.1, "€72")])
def test_compact_money_fits_a_card(amount: float, shown: str) -> None:
    assert figures.money(amount, "EUR", compact=True) == shown


def test_ranges_say_both_ends() -> None:
    assert figures.between(0.014, 0.038, "points") == "+1.4 to +3.8 points"
    assert figures.between(86, 170) == "86 to 170"
    assert figures.between(6.9, 14.1, "money", "EUR") == "€6.90 to €14.10"
    assert figures.between(None, 3) == "–"


def test_a_change_says_its_direction_without_colour() -> None:
    more_people_leave = figures.delta(140, "count", good="down", note="this week")
    assert "down" in more_people_leave
    assert "↑" in more_people_leave
    assert "+140 this week" in more_people_leave
    assert figures.delta(None) == ""

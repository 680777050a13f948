"""What Home says of all campaigns together."""

from __future__ import annotations

from campaigns.views.telling import ToldLift
from retention_site.home import sum_kept, sum_revenue


def lift(kept: float, low: float, high: float) -> ToldLift:
    return ToldLift("positive", "", 0.02, 0.01, 0.03, kept, low, high, 1000, 100, 0.3, 0.28, None, None)


def test_kept_customers_add_up_and_doubts_as_squares() -> None:
    total = sum_kept([lift(30, 0, 60), lift(40, 0, 80)])
    assert total is not None
    assert (total["total"], total["low"], total["high"]) == (70, 20, 120)
    assert total["is_shown"]


def test_nothing_is_shown_while_the_interval_includes_zero() -> None:
    total = sum_kept([lift(18, -14, 48)])
    assert total is not None
    assert not total["is_shown"]


def test_nothing_measured_is_nothing_said() -> None:
    assert sum_kept([]) is None


def difference(total: float, low: float, high: float, currency: str = "EUR") -> dict[str, object]:
    return {"currency": currency, "revenue": {"difference": {"total": total, "total_low": low, "total_high": high}}}


def test_revenue_adds_up_as_customers_do_in_one_currency_only() -> None:
    both = sum_revenue([difference(300, 0, 600), difference(400, 0, 800), {"currency": "EUR", "revenue": None}])
    assert both == {"total": 700.0, "low": 200.0, "high": 1200.0, "currency": "EUR"}
    assert sum_revenue([difference(1, 0, 2), difference(1, 0, 2, "GBP")]) is None
    assert sum_revenue([]) is None

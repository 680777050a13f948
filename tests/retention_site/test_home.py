"""What Home says of all campaigns together."""

from __future__ import annotations

from campaigns.views.telling import ToldLift
from retention_site.home import sum_kept


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

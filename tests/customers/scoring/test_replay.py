"""A replayed day knows nothing of what came after it, and its figures can be counted again from its people."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from customers.features.builder import ShopData
from customers.scoring.backtest import run_backtest
from customers.scoring.explain import describe_reason
from customers.scoring.replay import Period, find_period, replay_day
from customers.scoring.replay_curves import (
    Costs,
    find_best_threshold,
    trace_gain,
    trace_thresholds,
    weigh_threshold,
)

from .simulated_shop import LAST_AT

CUTOFF = LAST_AT - dt.timedelta(days=60)


@pytest.fixture(scope="module")
def day(shop: ShopData) -> dict[str, Any]:
    return replay_day(shop, cutoff=CUTOFF, horizon_days=60, replicates=50)


def test_a_day_tells_what_the_back_test_says(day: dict[str, Any], shop: ShopData) -> None:
    backtest = run_backtest(shop, cutoff=CUTOFF, horizon_days=60, replicates=50)
    assert (day["customers"], day["left"]) == (backtest.test.height, int(backtest.churned.sum()))
    assert day["estimator"] == backtest.champion
    assert day["figures"]["auc"] == backtest.evaluations[backtest.champion].to_json()["auc"]
    assert day["figures"]["intervals"]["auc"][0] < day["figures"]["auc"] < day["figures"]["intervals"]["auc"][1]
    assert all(date <= (CUTOFF - dt.timedelta(days=60)).date().isoformat() for date in day["train_dates"])


def test_the_same_day_twice_is_the_same(day: dict[str, Any], shop: ShopData) -> None:
    assert replay_day(shop, cutoff=CUTOFF, horizon_days=60, replicates=50) == day


def test_scores_and_reasons_do_not_move_with_what_happened_later(day: dict[str, Any], shop: ShopData) -> None:
    """Half of the customers' later orders vanish: the outcomes change, and nothing that was said of anybody."""
    gone = (pl.col("ordered_at") >= CUTOFF) & (pl.col("customer_id") % 2 == 0)
    other = replay_day(replace(shop, orders=shop.orders.filter(~gone)), cutoff=CUTOFF, horizon_days=60, replicates=50)
    said = [(row["customer"], row["p"], row["terms"], row["by_rule"]) for row in day["people"]]
    assert [(row["customer"], row["p"], row["terms"], row["by_rule"]) for row in other["people"]] == said
    assert other["left"] > day["left"]


def test_what_is_told_of_a_person_is_what_the_orders_say(day: dict[str, Any], shop: ShopData) -> None:
    later = shop.orders.filter(
        (pl.col("ordered_at") >= CUTOFF) & (pl.col("ordered_at") < CUTOFF + dt.timedelta(days=60))
    )
    for person in day["people"]:
        theirs = later.filter(pl.col("customer_id") == person["customer"])
        assert person["left"] == theirs.is_empty()
        assert person["spent"] == pytest.approx(theirs["total"].sum(), abs=0.01)
        assert person["at_stake"] > 0
        assert all(describe_reason(term) for term in person["terms"])
    assert [person["p"] for person in day["people"]] == sorted((person["p"] for person in day["people"]), reverse=True)


def test_the_slider_counts_people_as_counting_does() -> None:
    rng = np.random.default_rng(1)
    p, left = np.round(rng.uniform(size=300), 4), (rng.uniform(size=300) < 0.4).astype(float)
    value, quiet = rng.gamma(2, 30, size=300), rng.permutation(300).astype(float)
    curve = trace_thresholds(left, p, quiet, value)
    for place in (0, 17, 50, 99, 100):
        flagged = [i for i in range(300) if p[i] >= place / 100]
        quietest = sorted(range(300), key=lambda i: -quiet[i])[: len(flagged)]
        assert curve["flagged"][place] == len(flagged)
        assert curve["caught"][place] == sum(left[i] for i in flagged)
        assert curve["value"][place] == pytest.approx(sum(value[i] for i in flagged if left[i]), abs=0.01)
        assert curve["rule_caught"][place] == pytest.approx(sum(left[i] for i in quietest), abs=0.1)


def test_money_is_what_it_says() -> None:
    curve = {"flagged": [10.0] * 101, "caught": [4.0] * 101, "value": [200.0] * 101, "rule_caught": [3.0] * 101}
    weighed = weigh_threshold(curve, 0.5, Costs(Decimal("0.10"), Decimal("2.00"), 0.25))
    assert (weighed.flagged, weighed.caught, weighed.bothered, weighed.missed) == (10, 4, 6, 0)
    assert weighed.won == Decimal("50.00")
    # Ten messages, and two off for six stayers and one kept leaver.
    assert weighed.spent == Decimal("15.00")
    assert weighed.net == Decimal("35.00")


def test_the_best_threshold_is_better_than_every_other(day: dict[str, Any]) -> None:
    costs = Costs(Decimal("1.00"), Decimal("5.00"), 0.2)
    best = find_best_threshold(day["curve"], costs)
    assert all(weigh_threshold(day["curve"], place / 100, costs).net <= best.net for place in range(101))
    useless = find_best_threshold(day["curve"], Costs(Decimal(1000), Decimal(0), 0.0))
    assert useless.flagged == min(int(n) for n in day["curve"]["flagged"])


def test_gain_goes_from_nobody_to_everybody_and_ties_are_split() -> None:
    left = np.array([1.0, 0, 1, 0, 0, 1, 0, 0, 0, 1] * 4)
    flat = trace_gain(left, np.full(40, 0.5), np.arange(40.0))
    assert (flat[0]["caught"], flat[-1]["caught"]) == (0, 1)
    assert flat[10]["caught"] == pytest.approx(0.5)
    perfect = trace_gain(left, left, np.arange(40.0))
    assert perfect[8]["caught"] == 1


def test_the_days_that_can_be_replayed_leave_room_on_both_sides() -> None:
    first, last = dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    assert find_period(first, last, 90) == Period(dt.date(2024, 5, 1), dt.date(2024, 10, 3))
    assert find_period(first, first + dt.timedelta(days=100), 90).is_empty


def test_the_first_and_the_last_day_of_the_period_work(shop: ShopData) -> None:
    first_at, last_at = shop.orders["ordered_at"].min(), shop.orders["ordered_at"].max()
    assert isinstance(first_at, dt.datetime)
    assert isinstance(last_at, dt.datetime)
    period = find_period(first_at, last_at, 60)
    for on in (period.first + dt.timedelta(days=60), period.last):
        cutoff = dt.datetime.combine(on, dt.time(), dt.UTC)
        assert replay_day(shop, cutoff=cutoff, horizon_days=60, replicates=10)["cutoff"] == on.isoformat()


def test_the_bands_of_the_gain_hold_the_curve_and_narrow_with_more_customers() -> None:
    def trace(n: int) -> list[dict[str, float]]:
        rng = np.random.default_rng(4)
        p = rng.uniform(size=n)
        return trace_gain((rng.uniform(size=n) < p).astype(float), p, rng.permutation(n).astype(float))

    few, many = trace(200), trace(5_000)
    for rows in (few, many):
        assert all(row["caught_low"] <= row["caught"] <= row["caught_high"] for row in rows[1:-1])
        assert all(row["rule_low"] <= row["rule"] <= row["rule_high"] for row in rows[1:-1])
        assert (rows[0]["caught_high"], rows[-1]["caught_low"]) == (0, 1)
    assert few[5]["caught_high"] - few[5]["caught_low"] > 3 * (many[5]["caught_high"] - many[5]["caught_low"])
    assert many[5]["caught_low"] > many[5]["rule_high"]


def test_the_interval_of_the_net_is_what_resampled_customers_give() -> None:
    rng = np.random.default_rng(8)
    n, costs = 600, Costs(Decimal("0.30"), Decimal("4.00"), 0.2)
    p = rng.uniform(size=n)
    left, value = (rng.uniform(size=n) < p).astype(float), rng.gamma(1.5, 60, size=n)
    quiet = p + rng.normal(0, 0.3, size=n)
    curve = trace_thresholds(left, p, quiet, value)
    for place in (30, 70):
        told = weigh_threshold(curve, place / 100, costs)
        flagged = p >= place / 100
        each = flagged * (left * value * 0.2 - 0.30 - 4 * np.where(left > 0, 0.2, 1.0))
        by_rule = np.isin(np.arange(n), np.argsort(-quiet)[: int(flagged.sum())])
        lead = left * (flagged.astype(float) - by_rule)
        draws = rng.integers(0, n, size=(4_000, n))
        assert float(told.net) == pytest.approx(each.sum(), abs=0.02)
        assert told.net_reach is not None
        assert float(told.net_reach) == pytest.approx(1.96 * each[draws].sum(axis=1).std(), rel=0.06)
        assert told.lead_reach == pytest.approx(1.96 * lead[draws].sum(axis=1).std(), rel=0.06)
        low, high = told.net_interval or (Decimal(0), Decimal(0))
        assert low < told.net < high


def test_a_curve_of_an_older_release_has_no_interval() -> None:
    curve = {"flagged": [10.0] * 101, "caught": [4.0] * 101, "value": [200.0] * 101, "rule_caught": [3.0] * 101}
    told = weigh_threshold(curve, 0.5, Costs())
    assert (told.net_interval, told.lead_reach) == (None, None)

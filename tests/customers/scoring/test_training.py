from __future__ import annotations

import datetime as dt
import json

import numpy as np
import polars as pl
import pytest

from customers.features.builder import ShopData, build_features
from customers.features.catalogue import SEASON_KEYS
from customers.scoring.artifact import TrainedModel
from customers.scoring.backtest import choose_champion, run_backtest
from customers.scoring.estimators import BoostedTrees
from customers.scoring.snapshots import NotEnoughHistory, Snapshots, choose_columns, plan_dates, take_snapshots
from customers.scoring.training import TrainingResult, fingerprint_data, train_model

from .simulated_shop import FIRST_AT, LAST_AT, simulate_shop

DAY = dt.timedelta(days=1)


def test_label_windows_of_training_end_before_the_test_window_begins() -> None:
    for until in (FIRST_AT + 100 * DAY, FIRST_AT + 400 * DAY, FIRST_AT + 900 * DAY):
        dates = plan_dates(FIRST_AT, until, horizon_days=60, customers=500)

        assert dates == sorted(dates, reverse=True)
        assert max(dates) + 60 * DAY <= until
        assert min(dates) >= FIRST_AT + 30 * DAY
        assert len(dates) <= 12


def test_what_happens_after_the_cutoff_does_not_change_the_model(shop: ShopData) -> None:
    cutoff = LAST_AT - 60 * DAY
    later = shop.orders["ordered_at"] >= cutoff
    changed = ShopData(
        shop.orders.with_columns(total=pl.when(later).then(999.0).otherwise("total")), shop.lines, shop.events
    )

    first = run_backtest(shop, cutoff=cutoff, horizon_days=60, replicates=10)
    second = run_backtest(changed, cutoff=cutoff, horizon_days=60, replicates=10)

    assert np.allclose(first.predictions["blend"], second.predictions["blend"], atol=1e-7)
    assert first.champion == second.champion


def test_the_champion_beats_the_plain_rule_where_there_is_something_to_learn(trained: TrainingResult) -> None:
    figures = trained.metrics["estimators"]

    assert trained.beats_rule
    assert trained.metrics["grade"] == "beats_rule"
    assert figures[trained.estimator]["against_rule"]["interval"][0] > 0
    assert figures[trained.estimator]["auc"] > figures["plain_rule"]["auc"]


def test_a_model_that_does_not_beat_the_rule_is_not_promoted() -> None:
    """Everybody alike: whoever orders and who not is chance, so no model can be better than the rule."""
    rng = np.random.default_rng(2)
    rows = [
        (c, c * 1000 + d, FIRST_AT + int(d) * DAY, 10.0, 0.0, False)
        for c in range(400)
        for d in np.flatnonzero(rng.random(300) < 0.012)
    ]
    orders = pl.DataFrame(rows, schema=simulate_shop(customers=5).orders.schema, orient="row")

    result = train_model(ShopData(orders), until=FIRST_AT + 300 * DAY, horizon_days=60, replicates=100)

    assert not result.beats_rule
    assert result.estimator == result.model.churn.name == "plain_rule"
    assert "plain rule is in use" in " ".join(result.card["limits"])


def test_figures_are_those_of_the_estimator_that_is_in_use(shop: ShopData, trained: TrainingResult) -> None:
    """Where the one in use so far stays, the page must not show how good the other one was."""
    kept = train_model(shop, until=LAST_AT, horizon_days=60, replicates=50, incumbent="rich_logistic")
    told = kept.metrics

    assert (told["appointment"]["reason"], kept.estimator, told["champion"]) == ("kept", "rich_logistic", "blend")
    assert {row["estimator"] for row in told["backtests"]} == {"rich_logistic"}
    assert told["backtests"][0]["auc"] == told["estimators"]["rich_logistic"]["auc"]
    assert told["grade"] == "beats_rule"
    assert told["orders"] != trained.metrics["orders"]


def test_an_average_is_that_of_the_customers_as_they_are_now(shop: ShopData, trained: TrainingResult) -> None:
    now = build_features(shop.orders, shop.lines, shop.events, as_of=LAST_AT)

    for key in ("recency_days", "tenure_days", "order_days", "order_value_mean", "views_90d"):
        assert trained.model.averages[key] == pytest.approx(now[key].mean(), abs=1e-4)


def test_figures_are_json_and_hold_what_the_page_draws(trained: TrainingResult) -> None:
    told = json.loads(json.dumps({**trained.metrics, "card": trained.card}))

    assert sum(row["leavers"] + row["stayers"] for row in told["histogram"]) == told["customers"]
    assert len(told["histogram"]) == 20
    assert {row["feature"] for row in told["drivers"]} <= set(trained.card["features"])
    assert told["backtests"][0]["as_of"] == told["cutoff"]
    for row in told["backtests"]:
        assert 0 <= row["flagged_left"] <= row["flagged"] <= row["customers"]
        assert row["auc_interval"][0] <= row["auc"] <= row["auc_interval"][1]
    for key in ("orders_expected", "orders_actual", "value_expected", "value_actual", "next_order_covered"):
        assert key in told["orders"]


def test_the_same_data_and_seed_give_the_same_model(shop: ShopData, trained: TrainingResult) -> None:
    again = train_model(shop, until=LAST_AT, horizon_days=60, replicates=50)

    assert again.metrics == trained.metrics
    assert again.model.to_bytes() == trained.model.to_bytes()


def test_a_model_out_of_bytes_says_the_same(shop: ShopData, trained: TrainingResult) -> None:
    features = build_features(shop.orders, shop.lines, shop.events, as_of=LAST_AT)
    again = TrainedModel.from_bytes(trained.model.to_bytes())
    p = trained.model.predict_churn(features)

    assert np.allclose(again.predict_churn(features), p, atol=1e-6)
    first, second = trained.model.predict_orders(features, p), again.predict_orders(features, p)
    assert np.allclose(first.value, second.value)
    assert np.allclose(first.next_days, second.next_days, equal_nan=True)


def test_expected_orders_and_dates_agree_with_the_probability(shop: ShopData, trained: TrainingResult) -> None:
    features = build_features(shop.orders, shop.lines, shop.events, as_of=LAST_AT)
    p = trained.model.predict_churn(features)
    expected = trained.model.predict_orders(features, p)

    assert (expected.orders >= 1 - p - 1e-9).all()
    assert (expected.value >= 0).all()
    assert np.isnan(expected.next_days[p > 0.8]).all()
    days = expected.next_days[p <= 0.8]
    assert (np.diff(days, axis=1) >= 0).all()
    assert days.min() >= 0 and days.max() <= 60


def test_totals_come_out_about_right_and_the_interval_covers(trained: TrainingResult) -> None:
    told = trained.metrics["orders"]

    assert told["orders_expected"] == pytest.approx(told["orders_actual"], rel=0.3)
    assert told["value_expected"] == pytest.approx(told["value_actual"], rel=0.3)
    assert told["next_order_covered"] == pytest.approx(0.8, abs=0.1)


def test_the_fingerprint_changes_with_the_data_and_only_with_them(shop: ShopData) -> None:
    def fingerprint(of: ShopData, seed: int = 0) -> str:
        return fingerprint_data(of, until=LAST_AT, horizon_days=60, seed=seed)

    shuffled = ShopData(shop.orders.sample(fraction=1, shuffle=True, seed=1), shop.lines, shop.events)
    fewer = ShopData(shop.orders[1:], shop.lines, shop.events)

    assert fingerprint(shuffled) == fingerprint(shop)
    assert fingerprint(fewer) != fingerprint(shop)
    assert fingerprint(shop, seed=1) != fingerprint(shop)


def test_below_a_thousand_customers_trees_alone_do_not_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """However well trees do on the folds of a small shop, they are not chosen by themselves."""

    def certain(self: BoostedTrees, X: pl.DataFrame) -> np.ndarray:
        left = X["churned"].to_numpy().astype(float)
        return np.column_stack([1 - left, left]).clip(0.01, 0.99)

    monkeypatch.setattr(BoostedTrees, "predict_proba", certain)

    def choose(customers: int) -> str:
        shop = simulate_shop(customers=customers)
        dates = plan_dates(FIRST_AT, LAST_AT, horizon_days=60, customers=customers)[:2]
        train = take_snapshots(shop, dates, horizon_days=60)
        return choose_champion(train, choose_columns(train), seed=0)

    assert choose(600) != "boosted_trees"
    assert choose(1_400) == "boosted_trees"


def test_the_season_is_known_only_after_most_of_a_year(shop: ShopData) -> None:
    dates = plan_dates(FIRST_AT, LAST_AT, horizon_days=60, customers=600)
    snapshots = take_snapshots(shop, dates, horizon_days=60)

    assert not SEASON_KEYS & set(choose_columns(snapshots))
    older = Snapshots((dates[0], dates[0] - 340 * DAY), snapshots.rows)
    assert {"month_sin", "orders_season"} & set(choose_columns(older))


EMPTY = simulate_shop(customers=5).orders[:0]


def same_day(customers: int) -> pl.DataFrame:
    rows = [(c, c, FIRST_AT, 10.0, 0.0, False) for c in range(customers)]
    return pl.DataFrame(rows, schema=EMPTY.schema, orient="row")


def one_order_each(customers: int) -> pl.DataFrame:
    rows = [(c, c, FIRST_AT + (c % 397) * DAY, 10.0, 0.0, False) for c in range(customers)]
    return pl.DataFrame(rows, schema=EMPTY.schema, orient="row")


def silent_year(customers: int) -> pl.DataFrame:
    """Everybody ordered twice in one month, and then nobody for a year."""
    rows = [
        (c, 2 * c + again, FIRST_AT + (c % 15 + 10 * again) * DAY, 10.0, 0.0, False)
        for c in range(customers)
        for again in (0, 1)
    ]
    return pl.DataFrame(rows, schema=EMPTY.schema, orient="row")


@pytest.mark.parametrize(
    ("orders", "says"),
    [
        (EMPTY, "no order yet"),
        (simulate_shop(customers=10).orders, "at least 200 are needed"),
        (same_day(500), "All orders are of one day, 2024-01-01. Orders over at least 58 days"),
        (one_order_each(600), "0 ordered again"),
        (silent_year(600), "of 2024-01-.*before the horizon"),
        (same_day(500).with_columns(total=-pl.col("total"), is_return=True), "refunds alone .500."),
        (simulate_shop(customers=600).orders.with_columns(is_return=True), "refunds alone"),
        (
            simulate_shop(customers=600).orders.filter(pl.col("ordered_at") > LAST_AT - 40 * DAY),
            "at least 200 are needed",
        ),
    ],
    ids=[
        "nothing",
        "ten customers",
        "one day",
        "one order each",
        "silent for a year",
        "refunds of one day",
        "refunds alone",
        "forty days",
    ],
)
def test_a_shop_that_cannot_be_learned_from_is_told_what_is_missing(orders: pl.DataFrame, says: str) -> None:
    with pytest.raises(NotEnoughHistory, match=says):
        train_model(ShopData(orders), until=LAST_AT, horizon_days=30)


def test_too_short_a_history_is_told_how_long_it_has_to_be() -> None:
    with pytest.raises(NotEnoughHistory, match=r"cover 50 days.*at least 90: import older orders"):
        plan_dates(LAST_AT - 50 * DAY, LAST_AT, horizon_days=60, customers=500)


def test_a_shop_where_nobody_comes_back_is_told_so() -> None:
    rows = [(c, c, FIRST_AT + (c % 200) * DAY, 10.0, 0.0, False) for c in range(600)]
    orders = pl.DataFrame(rows, schema=EMPTY.schema, orient="row")

    with pytest.raises(NotEnoughHistory, match="0 ordered again"):
        train_model(ShopData(orders), until=FIRST_AT + 200 * DAY, horizon_days=30)


def test_a_gap_of_a_year_is_survived() -> None:
    shop = simulate_shop(customers=600)
    gap = pl.when(pl.col("ordered_at") < FIRST_AT + 150 * DAY).then(pl.col("ordered_at") - pl.duration(days=365))
    orders = shop.orders.with_columns(ordered_at=gap.otherwise("ordered_at"))

    assert train_model(ShopData(orders), until=LAST_AT, horizon_days=60, replicates=20).horizon_days == 60


def test_a_cutoff_whose_horizon_is_not_over_yet_is_refused(shop: ShopData) -> None:
    with pytest.raises(NotEnoughHistory, match="Choose an earlier cutoff"):
        run_backtest(shop, cutoff=LAST_AT - 10 * DAY, horizon_days=60)


def test_snapshots_hold_each_customer_once_per_date(shop: ShopData) -> None:
    dates = plan_dates(FIRST_AT, LAST_AT, horizon_days=60, customers=500)[:3]

    rows = take_snapshots(shop, dates, horizon_days=60).rows

    known = [shop.orders.filter(pl.col("ordered_at") < date)["customer_id"].n_unique() for date in dates]
    assert rows.height == sum(known)

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from django.utils import translation

from customers.features.builder import ShopData, build_features
from customers.features.catalogue import FEATURES, THEMES
from customers.scoring.explain import describe_reason, describe_value, explain_customers
from customers.scoring.training import TrainingResult

from .simulated_shop import LAST_AT


@pytest.fixture(scope="module")
def features(shop: ShopData) -> pl.DataFrame:
    return build_features(shop.orders, shop.lines, shop.events, as_of=LAST_AT)


def test_each_customer_gets_at_most_three_reasons_of_different_themes(
    trained: TrainingResult, features: pl.DataFrame
) -> None:
    told = explain_customers(trained.model, features)

    assert told["customer_id"].equals(features["customer_id"])
    for reasons in told["reasons"]:
        themes = [reason["theme"] for reason in json.loads(reasons)]
        assert len(themes) == len(set(themes)) <= 3
        assert set(themes) <= set(THEMES)


def test_who_knows_the_predictions_gets_the_same_reasons(trained: TrainingResult, features: pl.DataFrame) -> None:
    churn = trained.model.predict_churn(features)

    assert explain_customers(trained.model, features, churn).equals(explain_customers(trained.model, features))


def test_a_reason_carries_the_customers_number_and_the_shops_average(
    trained: TrainingResult, features: pl.DataFrame
) -> None:
    told = explain_customers(trained.model, features)

    for row, reasons in zip(features.to_dicts(), told["reasons"], strict=True):
        for reason in json.loads(reasons):
            value = row[reason["feature"]]
            assert reason["value"] == (None if value is None else pytest.approx(value, abs=0.001))
            assert reason["average"] == pytest.approx(trained.model.averages[reason["feature"]], abs=0.001)
            assert reason["currency"] == "EUR"


def test_points_say_how_far_the_probability_moves(trained: TrainingResult, features: pl.DataFrame) -> None:
    """Taking a theme's contributions away moves the probability by its points."""
    p = trained.model.predict_churn(features)
    parts = trained.model.contributions(features)
    told = explain_customers(trained.model, features)

    for i, reasons in enumerate(told["reasons"]):
        for reason in json.loads(reasons):
            moved = sum(part[i] for key, part in parts.items() if _theme(key) == reason["theme"])
            without = 1 / (1 + np.exp(-(np.log(p[i] / (1 - p[i])) - moved)))
            assert reason["points"] == pytest.approx(100 * (p[i] - without), abs=0.1)


def test_the_main_reason_pushes_towards_leaving(trained: TrainingResult, features: pl.DataFrame) -> None:
    told = explain_customers(trained.model, features)

    assert told["main_reason"].n_unique() > 1
    for reasons, main in told.select("reasons", "main_reason").iter_rows():
        strongest = max(json.loads(reasons), key=lambda reason: reason["points"], default={"points": 0.0})
        if strongest["points"] >= 2.1:
            assert main == strongest["theme"]
        elif 0 < strongest["points"] < 1.9:
            assert main == ""


def test_a_reason_reads_as_a_sentence() -> None:
    reason = {
        "feature": "recency_days",
        "theme": "rhythm",
        "value": 64.2,
        "average": 90.1,
        "typical": 41.0,
        "points": 19.0,
    }

    with translation.override("en"):
        assert describe_reason(reason) == "64 days since the last order; usually orders every 41 days"
        assert describe_reason({**reason, "typical": None}) == "64 days since the last order; the average is 90 days"
        assert describe_reason({**reason, "value": 1.0}).startswith("1 day since")


def test_the_median_is_told_where_the_average_would_mislead() -> None:
    """47 products are more than most have, though a few wholesalers pull the average up to 60."""
    reason = {"feature": "distinct_products", "value": 47.0, "average": 60.0, "median": 34.0, "points": -9.7}

    with translation.override("en"):
        assert describe_reason(reason) == (
            "47 products so far; the average is 60 products (half of all customers: up to 34 products)"
        )
        assert describe_reason({**reason, "median": None}) == "47 products so far; the average is 60 products"
        assert "243 days or more" in describe_reason(
            {"feature": "tenure_days", "value": 230.0, "average": 216.0, "median": 243.0}
        )


def test_a_reason_has_the_median_where_the_value_lies_between_it_and_the_average(
    trained: TrainingResult, features: pl.DataFrame
) -> None:
    reasons = [each for told in explain_customers(trained.model, features)["reasons"] for each in json.loads(told)]
    between = [each for each in reasons if each["median"] is not None]

    assert 0 < len(between) < len(reasons) / 2
    for reason in between:
        low, high = sorted((reason["median"], reason["average"]))
        assert low <= reason["value"] <= high
    for reason in reasons:
        if reason["median"] is None and reason["value"] is not None:
            median = features[reason["feature"]].median()
            assert (reason["value"] - reason["average"]) * (reason["value"] - median) > -0.001


def test_what_is_missing_is_said_in_words() -> None:
    with translation.override("en"):
        assert describe_reason({"feature": "days_since_visit", "value": None, "average": 30.0}) == (
            "No visit in the last 180 days"
        )
        assert describe_reason({"feature": "views_30d", "value": 0.0, "average": 4.25}) == (
            "Viewed products 0 times in the last 30 days; the average is 4.2 times"
        )


def test_money_shares_and_ratios_have_their_units() -> None:
    with translation.override("en"):
        assert "£1,072" in describe_reason(
            {"feature": "order_value_last", "value": 1072.2, "average": 434.0, "currency": "GBP"}
        )
        assert "33%" in describe_reason({"feature": "return_share", "value": 0.333, "average": 0.02})


@pytest.mark.parametrize(
    ("unit", "value", "says"),
    [
        ("share", -0.0, "0%"),
        ("share", -0.001, "0%"),
        ("money", -0.04, "€0"),
        ("number", -0.04, "0"),
        ("share", 0.125, "12%"),
    ],
)
def test_nought_has_no_sign(unit, value, says) -> None:  # type: ignore[no-untyped-def]
    """Nobody sends back -0% of what was bought."""
    with translation.override("en"):
        assert describe_value(unit, value, "EUR") == says


@pytest.mark.parametrize(
    ("value", "currency", "says"),
    [
        (1342.6, "EUR", "€1,343"),
        (0.5, "GBP", "£0.5"),
        (1072.0, "SEK", "1,072 SEK"),
        (-12.0, "USD", "−$12"),
        (7.0, "", "7"),
    ],
)
def test_money_is_told_as_on_every_page(value: float, currency: str, says: str) -> None:
    assert describe_value("money", value, currency) == says


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.key)
@pytest.mark.parametrize("value", [None, 0.0, 1.0, 12.345])
def test_every_feature_can_be_told(feature, value) -> None:  # type: ignore[no-untyped-def]
    for language in ("en", "zh-hans"):
        with translation.override(language):
            told = describe_reason(
                {"feature": feature.key, "value": value, "average": 2.5, "typical": None, "points": 3.0}
            )
        assert told and "%(" not in told


def _theme(key: str) -> str:
    return next(feature.theme for feature in FEATURES if feature.key == key)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_large_numbers_are_grouped_as_everywhere_else(language: str) -> None:
    with translation.override(language):
        assert describe_value("money", 1195.4, "EUR") == "€1,195"
        assert describe_value("number", 1234.56) == "1,234.6"

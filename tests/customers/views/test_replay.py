"""The page of a replayed day, and what the Predictions page says of drift and of groups."""

from __future__ import annotations

import datetime as dt
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from customers.models import (
    Customer,
    DriftReport,
    FairnessReport,
    ModelVersion,
    Order,
    Replay,
    SensitiveAttributes,
)
from customers.scoring import replays

pytestmark = pytest.mark.django_db
ADDRESS = "/predictions/replay/"
ON = dt.date(2026, 3, 1)


@pytest.fixture
def page(client: Client, marketer: User) -> Client:
    client.force_login(marketer)
    return client


@pytest.fixture
def anna(db: None) -> Customer:
    """A shop that has sold since long before the day, and sells still."""
    anna = Customer.objects.create(external_id="K-1", first_name="Anna", last_name="Lind")
    for days in (0, 700):
        at = dt.datetime(2026, 7, 1, tzinfo=dt.UTC) - dt.timedelta(days=days)
        Order.objects.create(external_id=f"o{days}", customer=anna, currency="EUR", total=40, ordered_at=at)
    return anna


@pytest.fixture
def done(anna: Customer) -> Replay:
    interval = {name: [0.7, 0.8] for name in ("auc", "brier", "ece", "lift10")}
    figures = {"auc": 0.75, "brier": 0.2, "ece": 0.05, "lift10": 1.6, "intervals": interval}
    person = {
        "customer": anna.pk, "p": 0.83, "at_stake": 62.5, "quiet_days": 91.0, "by_rule": True, "left": True, "orders": 0,
        "spent": 0.0, "next_in_days": None, "terms": [{"feature": "recency_days", "value": 91.0, "average": 60.0}],
    }  # fmt: skip
    gone = person | {"customer": 999_999_999, "p": 0.9}
    flagged = [10] * 61 + [4] * 40
    result = {
        "cutoff": ON.isoformat(), "horizon_days": 90, "customers": 10, "left": 5, "estimator": "blend",
        "grade": "beats_rule", "rule_days": 53.0, "train_dates": ["2025-11-01"], "figures": figures,
        "rule_figures": figures | {"auc": 0.7}, "tenth": {"customers": 1, "left": 1, "rule_left": 0},
        "calibration": [{"predicted": 0.4, "observed": 0.5, "low": 0.24, "high": 0.76, "customers": 10}],
        "gain": [{"share": n / 20, "caught": n / 20, "rule": n / 20} | {
            f"{key}_{end}": n / 20 for key in ("caught", "rule") for end in ("low", "high")} for n in range(21)],
        "curve": {"flagged": flagged, "caught": [5] * 61 + [3] * 40, "value": [300] * 61 + [200] * 40,
                  "squares": [18000] * 61 + [14000] * 40, "rule_caught": [5] * 61 + [2] * 40,
                  "both_caught": [5] * 61 + [2] * 40},
        "people": [gone, person], "currency": "EUR", "warnings": [],
    }  # fmt: skip
    return Replay.objects.create(
        on=ON, horizon_days=90, fingerprint=replays.fingerprint_orders(ON, 90), status="done", result=result
    )


def read(page: Client, address: str) -> str:
    answer = page.get(address)
    assert answer.status_code == 200
    return " ".join(unescape(answer.content.decode()).split())


def test_a_day_that_is_known_is_answered_at_once(page: Client, done: Replay) -> None:
    told = read(page, f"{ADDRESS}?on=2026-03-01&threshold=70")
    assert "<b>4</b> customers would have been flagged: <b>3</b> who left, and <b>1</b> who would have stayed" in told
    assert "Anna Lind" in told
    assert "91 days since the last order" in told
    assert told.count("flagged too") == 1  # whoever was erased since is not told of
    page.post(f"{ADDRESS}requests/", {"on": "2026-03-01"})
    assert Replay.objects.count() == 1


def test_the_costs_are_the_marketers(page: Client, done: Replay) -> None:
    told = read(page, f"{ADDRESS}?on=2026-03-01&threshold=70&message=1&discount=2&success=50")
    # 200 at stake, half of it kept; four messages, and two off for one stayer and one and a half leavers.
    assert "€100.00" in told
    assert "€9.00" in told
    assert "€91.00" in told


def test_the_grade_is_told_in_words_and_every_plot_has_its_interval(page: Client, done: Replay) -> None:
    told = read(page, f"{ADDRESS}?on=2026-03-01&threshold=70")
    assert "Better than the plain rule, beyond doubt." in told
    assert "the higher risk in 75 of 100 such pairs, the rule in 70; a coin would in 50." in told
    assert "Of the 1 with the highest scores 1 left, of as many of the quietest 0." in told
    assert "What it said was 5.0 points off what happened, on average." in told
    assert told.count('class="reach"') == 1
    assert "by-model-band" in told
    assert "by-rule-band" in told
    assert "23.1% to 88.2%" in told  # Wilson's interval of three of five leavers
    assert "Net, by where the line is drawn" in told


def test_a_day_replayed_by_an_older_release_still_shows(page: Client, done: Replay) -> None:
    for row in done.result["gain"]:
        for name in ("caught_low", "caught_high", "rule_low", "rule_high"):
            del row[name]
    for name in ("squares", "both_caught"):
        del done.result["curve"][name]
    del done.result["tenth"]
    done.save()
    assert "would have been flagged" in read(page, f"{ADDRESS}?on=2026-03-01")


@pytest.mark.parametrize("costs", ["message=-1", "success=900", "threshold=x", "discount=nan", "message=1e99"])
def test_odd_costs_are_said_and_do_not_break_the_page(page: Client, done: Replay, costs: str) -> None:
    assert "would have been flagged" in read(page, f"{ADDRESS}?on=2026-03-01&{costs}")


@pytest.mark.parametrize(
    ("on", "words"),
    [
        ("2020-01-01", "before the shop's first order"),
        ("2026-06-30", "are not over in the data"),
        ("2026-02-31", "That is not a day"),
        ("yesterday", "That is not a day"),
    ],
)
def test_a_bad_day_gets_a_clear_sentence(page: Client, anna: Customer, on: str, words: str) -> None:
    assert words in read(page, f"{ADDRESS}?on={on}")
    assert page.post(f"{ADDRESS}requests/", {"on": on}).status_code == 302
    assert not Replay.objects.exists()


def test_asking_puts_the_day_in_the_queue_and_shows_that_it_waits(page: Client, anna: Customer) -> None:
    answer = page.post(f"{ADDRESS}requests/", {"on": "2026-03-01"}, follow=True)
    assert "Waiting for a worker" in answer.content.decode()
    assert Replay.objects.get().status == "waiting"
    Replay.objects.update(status="failed", error="There are 2 customers.")
    assert "There are 2 customers." in read(page, f"{ADDRESS}?on=2026-03-01")


def test_support_neither_sees_nor_asks(client: Client, support_agent: User, anna: Customer) -> None:
    client.force_login(support_agent)
    assert client.get(ADDRESS).status_code == 403
    assert client.post(f"{ADDRESS}requests/", {"on": "2026-03-01"}).status_code == 403


@pytest.fixture
def model(anna: Customer) -> ModelVersion:
    at = timezone.now()
    return ModelVersion.objects.create(
        version=1, status="champion", estimator="blend", horizon_days=90, trained_at=at, data_from=at, data_until=at,
        metrics={"estimator": "blend", "cutoff": "2026-03-01"}, card={"limits": [], "warnings": []}, artifact=b"",
    )  # fmt: skip


@pytest.fixture
def moved(model: ModelVersion) -> DriftReport:
    score = {"psi": 0.31, "noise": 0.01, "verdict": "moved", "mean_then": 0.4, "mean_now": 0.6}
    past = {"as_of": "2026-01-01", "version": 1, "customers": 900, "expected": 0.4, "observed": 0.52, "low": 0.49,
            "high": 0.55, "calibration_error": 0.12, "verdict": "off",
            "bins": [{"predicted": 0.4, "observed": 0.52, "customers": 900}]}  # fmt: skip
    figures: dict[str, Any] = {
        "then": "2026-01-01", "now": "2026-06-30", "customers_then": 900, "customers_now": 950, "score": score,
        "features": [score | {"feature": "recency_days"}], "past": past,
    }  # fmt: skip
    alarms = ["score_moved", "past_off"]
    return DriftReport.objects.create(model=model, as_of=timezone.now(), figures=figures, alarms=alarms)


def test_drift_is_told_on_predictions_and_at_home(client: Client, analyst: User, moved: DriftReport) -> None:
    client.force_login(analyst)
    told = read(client, "/predictions/")
    assert "stability index 0.31" in told
    assert "40.0% of 900 customers were expected to leave; 52.0% did (49.0% to 55.0%)" in told
    assert "Past scores did not come true: 40% were expected to leave, 52% did." in read(client, "/")


def test_a_marketer_has_no_task_of_it_at_home(page: Client, moved: DriftReport) -> None:
    assert "Past scores did not come true" not in read(page, "/")


def test_a_group_that_is_treated_differently_is_warned_of(client: Client, analyst: User, model: ModelVersion) -> None:
    rate = {"value": 0.3, "low": 0.2, "high": 0.4, "of": 100}
    even = {"value": 0.0, "low": -0.1, "high": 0.1, "is_beyond": False}
    uneven = {"value": 0.6, "low": 0.5, "high": 0.7, "is_beyond": True}
    group = {
        "name": "DE", "customers": 100, "selection": rate, "false_negative": rate, "false_positive": rate,
        "predicted": 0.4, "observed": 0.4, "proxies": [{"feature": "recency_days", "auc": 0.8, "low": 0.7}],
        "gaps": {"selection": uneven, "false_negative": even, "false_positive": even, "calibration": even},
    }  # fmt: skip
    figures = {"customers": 120, "threshold": 0.6, "groups": [group], "left_out_groups": 1, "left_out_customers": 20}
    FairnessReport.objects.create(model=model, attribute="country", figures=figures, warnings=1)
    client.force_login(analyst)
    assert "No attribute of your customers is marked" in read(client, "/predictions/")

    client.post("/predictions/sensitive-attributes/", {"keys": ["country", "nonsense"]})

    told = read(client, "/predictions/")
    assert SensitiveAttributes.objects.get().keys == ["country"]
    assert (
        told.count("Country Germany: flagged 0.60 times as often as the others (0.50 to 0.70).") == 2
    )  # and in the card
    assert "The model treats a group differently" in told
    assert "1 group of fewer than 30 (20 customers) is left out." in told
    assert "Days since the last order (Germany, AUC 0.80)" in told
    assert "Country: 1 group compared; 1 proxy found" in told

    card = read(client, "/predictions/card/1/")
    assert "Country Germany: flagged 0.60 times as often as the others (0.50 to 0.70)." in card
    assert "Days since the last order (Germany, AUC 0.80)" in card
    assert "−10.0 … +10.0" in card  # told less left
    whole = client.get("/predictions/card/1.json").json()
    assert whole["fairness"][0]["groups"] == figures["groups"]
    assert (whole["fairness"][0]["warnings"], whole["fairness_missing"], whole["drift"]) == (1, [], None)


def test_the_card_of_a_version_tells_its_last_drift(client: Client, analyst: User, moved: DriftReport) -> None:
    client.force_login(analyst)
    for address in ("/predictions/", "/predictions/card/1/"):
        assert "stability index 0.31, where 0.25 calls for a look" in read(client, address)
    assert "stability index of the scores 0.31" in read(client, "/predictions/")
    drift = client.get("/predictions/card/1.json").json()["drift"]
    assert (drift["alarms"], drift["score"]["psi"]) == (["score_moved", "past_off"], 0.31)
    assert client.get("/predictions/card/2/").status_code == 404


def test_a_card_is_not_for_support(client: Client, support_agent: User, model: ModelVersion) -> None:
    client.force_login(support_agent)
    assert client.get("/predictions/card/1/").status_code == 403
    assert client.get("/predictions/card/1.json").status_code == 403

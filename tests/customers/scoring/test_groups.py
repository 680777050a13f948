"""What the shop holds to be sensitive, and the reports that follow from it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from customers.features.builder import ShopData
from customers.models import Customer, FairnessReport, ModelVersion, SensitiveAttributes
from customers.scoring import groups
from customers.scoring.snapshots import NotEnoughHistory
from customers.scoring.training import TrainingResult

from .simulated_shop import LAST_AT, store_model, store_shop

NOW = LAST_AT + dt.timedelta(hours=9)

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(db: None, shop: ShopData, trained: TrainingResult) -> ModelVersion:
    """A shop with two countries and an attribute with a quote in its name, independent of what people do."""
    store_shop(shop)
    people = list(Customer.objects.order_by("pk"))
    for place, customer in enumerate(people):
        customer.country = "GB" if place % 3 else "DE"
        customer.attributes = {"o'clock": "early" if place % 2 else "late"} if place % 5 else {}
    Customer.objects.bulk_update(people, ["country", "attributes"])
    return store_model(trained, trained_at=NOW)


def test_an_analyst_marks_what_is_there(model: ModelVersion, analyst: User) -> None:
    assert groups.list_attributes() == ["country", "language", "o'clock"]
    assert groups.read_sensitive() == []
    assert groups.mark_sensitive(analyst, ["o'clock", "country", "shoe size"], now=NOW)
    assert groups.read_sensitive() == ["country", "o'clock"]
    assert not groups.mark_sensitive(analyst, ["country", "o'clock"], now=NOW)
    assert groups.mark_sensitive(analyst, [], now=NOW)
    assert SensitiveAttributes.objects.count() == 2


def test_a_marketer_does_not_decide_what_is_sensitive(model: ModelVersion, marketer: User) -> None:
    with pytest.raises(PermissionDenied):
        groups.mark_sensitive(marketer, ["country"], now=NOW)


def test_each_marked_attribute_gets_one_report(model: ModelVersion, analyst: User) -> None:
    assert groups.review_groups(threshold=0.6) == 0
    groups.mark_sensitive(analyst, ["country", "o'clock"], now=NOW)
    assert groups.missing_reports() == ["country", "o'clock"]

    assert groups.review_groups(threshold=0.6) == 2
    assert groups.review_groups(threshold=0.6) == 0

    country, clock = groups.read_reports(model)
    names = [group["name"] for group in country.figures["groups"]]
    assert names == ["GB", "DE"]
    assert {group["name"] for group in clock.figures["groups"]} == {"early", "late", ""}
    assert sum(group["customers"] for group in country.figures["groups"]) == model.metrics["customers"]
    overall = sum(group["observed"] * group["customers"] for group in country.figures["groups"])
    assert overall / model.metrics["customers"] == pytest.approx(model.metrics["churn_rate"], abs=1e-3)
    assert [group["proxies"] for group in country.figures["groups"]] == [[], []]

    groups.mark_sensitive(analyst, ["country"], now=NOW)
    assert groups.read_reports(model) == [country]
    assert FairnessReport.objects.count() == 2


def test_what_cannot_be_judged_is_not_worked_out_again_every_five_minutes(
    model: ModelVersion, analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups.mark_sensitive(analyst, ["o'clock"], now=NOW)
    tries: list[dt.datetime] = []

    def refuse(shop: ShopData, *, cutoff: dt.datetime, **_settings: object) -> None:
        tries.append(cutoff)
        raise NotEnoughHistory("too few")

    with monkeypatch.context() as patched:
        patched.setattr(groups, "run_backtest", refuse)
        assert [groups.review_groups(threshold=0.6) for _time in range(3)] == [0, 0, 0]
    assert len(tries) == 1
    assert groups.missing_reports() == ["o'clock"]

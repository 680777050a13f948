"""From finished campaigns in the database to people's places: what is pooled, what is known of whom, and what is not said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.test import Client

from campaigns.models import AudienceMember, Campaign, UpliftKind, UpliftStudy
from campaigns.outcomes.rollup import store_result
from campaigns.outcomes.whom import threshold
from campaigns.outcomes.whom.gathering import COLUMNS, gather_pool
from campaigns.outcomes.whom.kinds import list_finished
from campaigns.outcomes.whom.placing import place_all, place_customers
from campaigns.outcomes.whom.study import study_all, study_kind
from customers.ingest.clock import choose_as_of
from customers.models import Customer, Order, Reaction
from tests.campaigns.arrange import NOW
from tests.campaigns.outcomes.whom.shop import DAY, SENT, finish_campaign, make_shop, score_everybody

pytestmark = pytest.mark.django_db


@pytest.fixture
def low_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arithmetic of the threshold has tests of its own; here some hundred people have to do."""
    monkeypatch.setattr(threshold, "LEAST_DIFFERENCE", 0.5)


@pytest.fixture
def customers() -> list[Customer]:
    return make_shop()


def _buy(customer: Customer, days: float, name: str) -> None:
    Order.objects.create(external_id=name, customer=customer, currency="EUR", total=70, ordered_at=SENT + days * DAY)


def test_with_too_little_it_says_how_much_is_missing(customers: list[Customer]) -> None:
    finish_campaign(customers[:100])
    assert study_kind(UpliftKind.OFFER, now=NOW)
    study = UpliftStudy.objects.get()
    assert (study.status, study.figures, study.artifact) == ("too_little", {}, None)
    assert study.need["people"] == 100 and study.need["people_missing"] > 5000
    assert study.need["campaigns_missing"] > 50
    assert not study_kind(UpliftKind.OFFER, now=NOW + DAY)  # the same campaigns are looked at once
    assert place_all(now=NOW) == 0 and not Reaction.objects.exists()


def test_only_finished_sound_campaigns_of_the_kind_are_pooled(customers: list[Customer]) -> None:
    past = finish_campaign(customers)
    finish_campaign(customers[:100], offer="none", name="Note")
    tried = finish_campaign(customers[:100], name="Test")
    Campaign.objects.filter(pk=tried.pk).update(is_test_audience=True)
    running = finish_campaign(customers[:100], name="Running")
    Campaign.objects.filter(pk=running.pk).update(sending_started_at=NOW - 10 * DAY)
    torn = finish_campaign(customers[:200], name="Torn", share=0.1)  # a half is held out, as nobody meant it
    found = list_finished(UpliftKind.OFFER, now=NOW)
    assert {each.campaign.pk: each.is_sound for each in found} == {past.pk: True, torn.pk: False}
    assert [each.campaign.name for each in list_finished(UpliftKind.MESSAGE, now=NOW)] == ["Note"]
    study_kind(UpliftKind.OFFER, now=NOW)
    assert UpliftStudy.objects.get().campaigns == [past.pk]


def test_the_rate_is_that_of_orders_and_no_campaign_costs_a_query_of_its_own(
    customers: list[Customer], django_assert_num_queries: Any
) -> None:
    campaign = finish_campaign(customers)  # whose people were expected to leave in six of ten cases, whatever they did
    held = AudienceMember.objects.filter(campaign=campaign, arm="holdout")
    ordered = held.filter(customer__orders__ordered_at__gte=SENT).count()
    (counted,) = list_finished(UpliftKind.OFFER, now=NOW)
    assert counted.counts.rate == pytest.approx(ordered / held.count())
    for name in ("Second", "Third"):
        finish_campaign(customers[:100], name=name)
    for each in Campaign.objects.all():
        store_result(each, now=NOW)
    with django_assert_num_queries(2):  # the campaigns with their offers, and their newest results
        found = list_finished(UpliftKind.OFFER, now=NOW)
    assert len(found) == 3 and counted.counts in [each.counts for each in found]


@pytest.mark.usefixtures("low_bar")
def test_an_order_that_arrives_late_is_no_reason_to_learn_anew(customers: list[Customer]) -> None:
    finish_campaign(customers)
    study_kind(UpliftKind.OFFER, now=NOW)
    _buy(customers[0], 6, "late")
    assert not study_kind(UpliftKind.OFFER, now=NOW)


@pytest.mark.usefixtures("low_bar")
def test_a_late_order_that_moves_which_campaigns_say_most_is_no_reason_either(customers: list[Customer]) -> None:
    """Of ten held out nobody had ordered; that four of them had makes that campaign more doubtful than it is worth."""
    large, held = finish_campaign(customers[:540]), customers[540:550]
    small = finish_campaign(customers[540:], name="Small", share=0.1, held=len(held))
    Order.objects.filter(customer__in=held, ordered_at__gte=SENT).delete()
    study_kind(UpliftKind.OFFER, now=NOW)
    assert set(UpliftStudy.objects.in_use(UpliftKind.OFFER).get().campaigns) == {large.pk, small.pk}
    for customer in held[:4]:
        _buy(customer, 6, f"late {customer.pk}")
    finished = list_finished(UpliftKind.OFFER, now=NOW)
    chosen = threshold.choose_informative([each.counts for each in finished])
    assert [finished[place].campaign for place in chosen] == [large]
    assert not study_kind(UpliftKind.OFFER, now=NOW)


def test_what_was_known_is_that_of_the_day_and_no_future_changes_it(customers: list[Customer]) -> None:
    finish_campaign(customers)
    before = gather_pool(list_finished(UpliftKind.OFFER, now=NOW), now=NOW)
    quiet = Customer.objects.exclude(orders__ordered_at__gte=SENT).order_by("pk").first()
    assert quiet is not None
    place = int(np.flatnonzero(before.customer == quiet.pk)[0])
    assert before.kept[place] == 0
    _buy(quiet, 3, "in the window")
    _buy(quiet, 60, "long after it")
    after = gather_pool(list_finished(UpliftKind.OFFER, now=NOW), now=NOW)
    assert np.array_equal(before.x, after.x, equal_nan=True)
    assert after.kept[place] == 1 and after.gross[place] == 70  # the order after the window counts in nothing
    assert np.delete(after.kept, place) == pytest.approx(np.delete(before.kept, place))
    _buy(quiet, -1, "the day before")
    known = gather_pool(list_finished(UpliftKind.OFFER, now=NOW), now=NOW)
    recency = COLUMNS.index("recency_days")
    assert known.x[place, recency] == pytest.approx(1) and before.x[place, recency] > 10


def test_both_arms_count_as_the_results_do(customers: list[Customer]) -> None:
    campaign = finish_campaign(customers)
    pool = gather_pool(list_finished(UpliftKind.OFFER, now=NOW), now=NOW)
    assert pool.treated.sum() == AudienceMember.objects.filter(campaign=campaign, arm="treatment").count()
    bought = Order.objects.filter(ordered_at__gte=SENT)
    assert pool.kept.sum() == bought.count()
    assert pool.discount.sum() == sum(order.discount for order in bought)
    assert pool.gross.sum() == sum(order.total + order.discount for order in bought)
    assert set(pool.find_propensity()) == {0.5}


@pytest.mark.usefixtures("low_bar")
def test_everybody_is_placed_and_nothing_is_said_that_the_interval_does_not_allow(
    customers: list[Customer], client: Client, marketer: object
) -> None:
    finish_campaign(customers)
    score_everybody(customers)
    assert study_all(now=NOW) == 2  # and of campaigns without an offer there is too little
    study = UpliftStudy.objects.in_use(UpliftKind.OFFER).get()
    assert place_all(now=NOW) == len(customers)
    assert place_all(now=NOW) == 0
    placed = Reaction.objects.filter(kind="offer")
    assert {row.study for row in placed} == {study.version}
    for row in placed:
        if row.group == "persuadable":
            assert row.effect_low > 0
        elif row.group == "do_not_disturb":
            assert row.effect_high < 0
        else:
            assert row.effect_low <= 0 <= row.effect_high
    place_customers(study, as_of=SENT)  # as they stood then, those who ordered lately are the ones who are moved
    lately = Reaction.objects.filter(customer__in=[customer.pk for customer in customers[1::2]])
    assert lately.filter(group="persuadable").count() > 0.9 * lately.count()
    client.force_login(marketer)  # type: ignore[arg-type]
    said = client.get("/reports/whom/").content.decode()
    assert "per 1,000 people" in said and "persuadable" in said and "in use" in said
    halves = study.figures["halves"]["difference"]
    assert halves["low"] > 0 and f"by <strong>+{100 * halves['value']:.1f} points</strong>" in said
    dearer = client.get("/reports/whom/?margin=1&cost=50").content.decode()
    assert "Write to <strong>nobody</strong>" in dearer


@pytest.mark.usefixtures("low_bar")
def test_a_newer_study_replaces_the_one_in_use_and_people_are_placed_anew(customers: list[Customer]) -> None:
    finish_campaign(customers)
    score_everybody(customers)
    study_kind(UpliftKind.OFFER, now=NOW)
    place_all(now=NOW)
    finish_campaign(customers, name="Second", seed=4)
    assert study_kind(UpliftKind.OFFER, now=NOW)
    assert list(UpliftStudy.objects.order_by("version").values_list("status", flat=True)) == ["retired", "in_use"]
    Customer.objects.filter(pk=customers[0].pk).first().score.delete()  # type: ignore[union-attr]
    place_customers(UpliftStudy.objects.in_use("offer").get(), as_of=choose_as_of(NOW))
    assert set(Reaction.objects.values_list("study", flat=True)) == {2}
    assert not Reaction.objects.filter(customer=customers[0]).exists()  # nobody knows their probability any more


def test_the_page_says_what_is_missing_and_what_public_experiments_showed(
    customers: list[Customer], client: Client, marketer: object
) -> None:
    client.force_login(marketer)  # type: ignore[arg-type]
    assert "No campaign of this kind has been looked at yet" in client.get("/reports/whom/").content.decode()
    finish_campaign(customers[:100])
    study_kind(UpliftKind.OFFER, now=NOW)
    said = client.get("/reports/whom/").content.decode()
    assert "Not enough data yet" in said and "more people" in said and "100 people" in said
    assert "no model of the effect ranked people better beyond doubt" in said and "at most 3%" in said
    assert client.get("/reports/whom/?kind=message&margin=x&cost=-1").status_code == 200


def test_the_customers_page_says_the_group_its_reason_and_its_doubt(client: Client, marketer: object) -> None:
    (anna,) = make_shop(1)
    client.force_login(marketer)  # type: ignore[arg-type]
    address = f"/customers/{anna.pk}/"
    assert "Whether to write to them" not in client.get(address).content.decode()
    Reaction.objects.create(
        customer=anna, kind="offer", group="not_known", band=3, score=0.2, study=1, as_of=NOW, effect=0.012,
        effect_low=-0.03, effect_high=0.054, rate=0.41, rate_low=0.36, rate_high=0.46,
    )  # fmt: skip
    said = client.get(address).content.decode()
    assert "not known" in said and "cannot be told yet" in said
    assert "41% ordered without a message" in said and "changed that by +1.2 points" in said

"""What a campaign used up and what it comes to: discounts, messages, tokens, minutes, and what is not known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from pytest_django import DjangoAssertNumQueries, Settings

from campaigns.models import Campaign, CampaignResult, CostRates, Message, MessageStatus, Offer
from campaigns.outcomes.attribution import measure_campaign
from campaigns.outcomes.pricing import enter_minutes, price_spending, read_rates, save_rates
from campaigns.outcomes.reports.cost import read_cost_report
from campaigns.outcomes.reports.ledger import read_ledger
from campaigns.outcomes.rollup import store_all_results, store_result
from campaigns.outcomes.worth import NUMBERS
from customers.models import AuditAction, AuditEntry, Customer, Order
from llm.models import LlmPastSpend
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
END = NOW + 61 * DAY


def _start(treated: int, held: int, *, prefix: str = "c") -> tuple[Campaign, list[Customer]]:
    people = arrange.make_customers(treated + held, prefix=prefix)
    cast = arrange.make_cast()
    campaign = arrange.make_campaign(
        cast.marketer, people[:treated], held_out=people[treated:], name=f"Autumn {prefix}"
    )
    arrange.start(campaign, cast)
    Campaign.objects.filter(pk=campaign.pk).update(sending_started_at=NOW)
    campaign.refresh_from_db()
    return campaign, people


def _buy(customer: Customer, days: float = 5, total: int = 80, **fields: Any) -> None:
    Order.objects.create(
        external_id=f"{customer.external_id}-{days}-{total}", customer=customer, ordered_at=NOW + days * DAY, total=total,
        **{"currency": "EUR", **fields},
    )  # fmt: skip


@pytest.fixture
def campaign() -> Campaign:
    """Forty are written to, forty held out. Of the first, 20 use the code and 4 order without it; of the others 8 order."""
    campaign, people = _start(40, 40)
    for person in people[:20]:
        _buy(person, discount=20, discount_code="back10")
    for person in (*people[20:24], *people[40:48]):
        _buy(person, total=100)
    return campaign


def _spend(campaign: Campaign) -> dict[str, Any]:
    found: dict[str, Any] = measure_campaign(campaign, as_of=END)["spending"]
    return found


def _save(user: User, **values: Any) -> CostRates:
    known = {"margin_share": None, "staff_hour": None, "delivery": None, "model_exchange": None, "message_prices": {}}
    return save_rates(user, known | values, now=NOW)


def test_both_arms_are_summed_as_a_plain_reading_does(campaign: Campaign) -> None:
    spending = _spend(campaign)
    rows = [[80.0, 20.0, 20.0, 1.0, 1.0]] * 20 + [[100.0, 0.0, 0.0, 0.0, 1.0]] * 4 + [[0.0] * 5] * 16
    assert spending["treated"]["n"] == 40
    assert spending["treated"]["means"] == pytest.approx(np.mean(rows, axis=0))
    assert np.array(spending["treated"]["spread"]) == pytest.approx(np.cov(np.array(rows).T))
    assert spending["holdout"]["means"][NUMBERS.index("redeemed")] == 0


def test_other_codes_orders_outside_the_window_and_foreign_money_are_no_redemptions(campaign: Campaign) -> None:
    before = _spend(campaign)["treated"]["means"][2]
    people = list(Customer.objects.order_by("pk"))
    _buy(people[30], discount=50, discount_code="OTHER")
    _buy(people[31], days=70, discount=50, discount_code="BACK10")
    _buy(people[32], discount=50, discount_code="BACK10", currency="SEK")
    _buy(people[33], discount=50)
    assert _spend(campaign)["treated"]["means"][2] == pytest.approx(before)


def test_an_offer_of_money_without_a_code_is_used_by_any_discount_without_one(campaign: Campaign) -> None:
    Offer.objects.filter(campaign=campaign).update(code="")
    people = list(Customer.objects.order_by("pk"))
    _buy(people[30], discount=50)
    assert _spend(campaign)["treated"]["means"][2] == pytest.approx(50 / 40)


def test_only_messages_that_a_provider_took_are_on_the_bill(campaign: Campaign) -> None:
    messages = list(Message.objects.filter(campaign=campaign).order_by("pk"))
    assert len(messages) == 40
    for message, status in zip(messages, [MessageStatus.DELIVERED] * 30 + [MessageStatus.FAILED] * 10, strict=True):
        Message.objects.filter(pk=message.pk).update(status=status, route="postmark")
    assert _spend(campaign)["sent"] == [{"channel": "email", "route": "postmark", "number": 30}]


def test_work_is_estimated_up_to_the_approval_and_a_person_may_know_better(campaign: Campaign, analyst: User) -> None:
    trail = AuditEntry.objects.filter(object_kind="campaign", object_id=str(campaign.pk), actor_id__isnull=False)
    people = trail.values("actor_id").distinct().count()
    assert trail.filter(action=AuditAction.CAMPAIGN_APPROVED).exists()
    assert _spend(campaign)["minutes"] == pytest.approx(5 * people, abs=1)
    store_result(campaign, now=END)
    mara = User.objects.get(username="mara")
    _save(analyst, staff_hour=Decimal(60))
    enter_minutes(mara, campaign, 90, now=NOW)
    line = read_ledger().lines[0]
    assert (line.minutes, line.is_entered) == (90, True)
    assert line.costs is not None
    assert line.costs.staff == 90
    enter_minutes(mara, campaign, None, now=NOW)
    assert not read_ledger().lines[0].is_entered
    with pytest.raises(PermissionDenied):
        enter_minutes(analyst, campaign, 5, now=NOW)


def test_what_has_no_price_is_not_known_instead_of_nothing(
    campaign: Campaign, analyst: User, settings: Settings
) -> None:
    LlmPastSpend.objects.create(scope=f"campaign:{campaign.pk}", on=NOW.date(), tokens=5_000, cost=Decimal("0.30"))
    settings.LLM_PRICE_CURRENCY = "USD"
    spending = _spend(campaign) | {"sent": [{"channel": "email", "route": "postmark", "number": 30}], "minutes": 30.0}
    assert spending["tokens"] == 5_000
    costs = price_spending(spending, read_rates(), minutes=None, currency="EUR")
    assert costs.missing == ["sending", "model", "staff"]
    assert costs.total == pytest.approx(400)
    rates = _save(
        analyst, staff_hour=Decimal(40), model_exchange=Decimal("0.9"),
        message_prices={"email": "0.001", "email/postmark": "0.01"},
    )  # fmt: skip
    costs = price_spending(spending, rates, minutes=None, currency="EUR")
    assert (costs.sending, costs.model, costs.staff) == (pytest.approx(0.3), pytest.approx(0.27), pytest.approx(20))
    assert price_spending(spending, rates, minutes=None, currency="USD").model == pytest.approx(0.3)


def test_free_delivery_costs_what_a_delivery_costs(campaign: Campaign, analyst: User) -> None:
    Offer.objects.filter(campaign=campaign).update(kind=Offer.Kind.FREE_SHIPPING, value=None)
    rates = _save(analyst, delivery=Decimal(6))
    assert price_spending(_spend(campaign), rates, minutes=0, currency="EUR").delivery == pytest.approx(20 * 6)
    Offer.objects.filter(campaign=campaign).update(code="")
    assert price_spending(_spend(campaign), rates, minutes=0, currency="EUR").delivery is None


def test_the_newest_prices_count_and_the_same_ones_make_no_number(analyst: User, marketer: User) -> None:
    assert _save(analyst, staff_hour=Decimal(30)).number == 1
    assert _save(analyst, staff_hour=Decimal(30)).number == 1
    assert _save(analyst, staff_hour=Decimal(31)).number == 2
    assert read_rates().staff_hour == 31
    with pytest.raises(PermissionDenied):
        _save(marketer, staff_hour=Decimal(1))


def test_the_cost_of_one_customer_kept_and_what_was_left(campaign: Campaign, analyst: User) -> None:
    store_result(campaign, now=END)
    _save(analyst, margin_share=Decimal("0.5"), staff_hour=Decimal(0), message_prices={"email": "0"})
    report = read_cost_report()
    assert report.costs is not None
    assert report.kept is not None
    assert report.per_kept is not None
    assert (report.costs.value, report.kept.value) == (pytest.approx(400), pytest.approx(24 - 8))
    assert report.per_kept.verdict == "bounded"
    assert report.per_kept.value == pytest.approx(25)
    # Half of (20 orders of 100 and 4 of 100), less 400 of discounts; against half of 8 orders of 100.
    assert report.net is not None
    assert report.net.value == pytest.approx(0.5 * 2_400 - 400 - 0.5 * 800)
    assert [row.month for row in report.months] == [NOW.date().replace(day=1)]


def test_while_it_is_counted_a_campaign_is_in_no_sum(campaign: Campaign) -> None:
    store_result(campaign, now=NOW + 5 * DAY)
    report = read_cost_report()
    assert (report.campaigns, report.open, report.costs, report.per_kept) == (0, 1, None, None)


def test_a_result_without_costs_is_measured_once_more(campaign: Campaign) -> None:
    store_result(campaign, now=END)
    for result in CampaignResult.objects.all():
        del result.figures["spending"]
        result.save()
    assert read_cost_report().campaigns == 0
    assert store_all_results(now=END + 300 * DAY) == 1
    assert read_cost_report().campaigns == 1
    assert store_all_results(now=END + 301 * DAY) == 0


def test_the_report_asks_as_often_for_many_campaigns_and_people_as_for_few(
    campaign: Campaign, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    store_result(campaign, now=END)
    with django_assert_num_queries(4) as asked:
        read_cost_report()
    for prefix in ("d", "e", "f"):
        other, _people = _start(60, 30, prefix=prefix)
        store_result(other, now=END)
    with django_assert_num_queries(len(asked)):
        assert read_cost_report().campaigns == 4

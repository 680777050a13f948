"""The reports' figures: all campaigns corrected and pooled, what was added over time, and who was given what."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns.models import (
    AudienceMember,
    Campaign,
    CampaignKind,
    CampaignResult,
    CampaignStatus,
    Entry,
    GroupsGiven,
    Message,
    MessageStatus,
    Offer,
    Variant,
)
from campaigns.outcomes.estimates import check_ratio
from campaigns.outcomes.lift import estimate_lift
from campaigns.outcomes.ratio import Bounded
from campaigns.outcomes.reports.cost import read_cost_report
from campaigns.outcomes.reports.fairness import count_groups, count_missing_groups, read_fairness_report
from campaigns.outcomes.reports.lift import read_lift_report
from campaigns.outcomes.reports.retention import read_retention_report
from campaigns.outcomes.reports.rows import list_lift_rows
from customers.models import Customer, Order, SensitiveAttributes
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
LATER = NOW + 70 * DAY


def _measured(name: str, *counts: int, days: int = 0, is_complete: bool = True) -> Campaign:
    """A campaign whose result says (treated, who ordered, held out, who ordered)."""
    campaign = arrange.make_campaign(arrange.make_cast().marketer, [], name=name)
    at = NOW + days * DAY
    Campaign.objects.filter(pk=campaign.pk).update(sending_started_at=at)
    figures: dict[str, Any] = {
        "retention": estimate_lift(*counts, is_complete=is_complete).as_json(),
        "window_start": at.isoformat(),
        "currency": "EUR",
        "any_look": {"points": 1.0, "low": -9.0, "high": 11.0, "verdict": "", "weeks": None},
    }
    CampaignResult.objects.create(campaign=campaign, day=at.date(), figures=figures, measured_at=at)
    return campaign


def test_a_campaign_that_is_clear_alone_may_be_none_among_many() -> None:
    _measured("Alone", 2_000, 440, 1_000, 185)
    assert [line.verdict for line in read_lift_report().lines] == ["more"]
    for number in range(9):
        _measured(f"Nothing {number}", 2_000, 400, 1_000, 200, days=number + 1)
    report = read_lift_report()
    found = {line.line.campaign.name: line for line in report.lines}
    assert found["Alone"].verdict == ""
    assert found["Alone"].holm is not None
    assert found["Alone"].line.retention["verdict"] == "positive"
    assert (report.better, report.worse, report.open) == (0, 0, 0)


def test_a_loss_is_said_as_plainly_and_what_is_counted_is_in_no_mean() -> None:
    _measured("Good", 2_000, 600, 1_000, 200)
    _measured("Bad", 2_000, 200, 1_000, 200, days=1)
    _measured("Open", 2_000, 900, 1_000, 100, days=2, is_complete=False)
    report = read_lift_report()
    assert [(line.line.campaign.name, line.verdict) for line in report.lines] == [
        ("Open", "open"), ("Bad", "fewer"), ("Good", "more"),
    ]  # fmt: skip
    assert report.lines[0].shown == Bounded(1.0, -9.0, 11.0)
    assert report.pooled is not None
    assert (report.pooled.campaigns, report.pooled.p_value < 0.001) == (2, True)
    assert report.pooled.low < 0 < report.pooled.high


def test_before_the_end_no_interval_of_one_look_is_shown(client: Client, analyst: User) -> None:
    campaign = _measured("Open", 600, 20, 100, 2, is_complete=False)
    result = CampaignResult.objects.get(campaign=campaign)
    revenue = {
        "treated_mean": 9.0,
        "holdout_mean": 1.0,
        "difference": {"total": 5_432, "total_low": 2_100, "total_high": 8_900},
    }
    result.figures |= {"any_look": None, "revenue": revenue}
    result.save()
    (line,) = read_lift_report().lines
    assert (line.verdict, line.shown) == ("open", None)
    client.force_login(analyst)
    low, high = (f"{line.line.retention[end]:+.1f}".replace("-", "\u2212") for end in ("low", "high"))
    for page in (reverse("campaigns:report-lift"), reverse("campaigns:result", args=[campaign.pk])):
        words = client.get(page).content.decode()
        assert not [number for number in (low, high, "5.4k", "2.1k") if number in words]
    assert "Too few have ordered yet for an interval." in words


def test_a_campaign_whose_arms_are_not_as_they_were_drawn_stands_in_no_sum() -> None:
    _measured("Good", 2_000, 600, 1_000, 200)
    broken = _measured("Broken", 2_000, 900, 400, 40, days=1)
    result = CampaignResult.objects.get(campaign=broken)
    result.figures["sample_ratio"] = check_ratio(2_000, 400, 1 / 3)
    result.save()
    lift, cost = read_lift_report(), read_cost_report()
    assert [(line.verdict, line.holm is None) for line in lift.lines] == [("unsound", True), ("more", False)]
    assert (lift.better, lift.open, lift.unsound, lift.pooled) == (1, 0, 1, None)
    assert (cost.open, cost.unsound) == (0, 1)
    assert read_retention_report(LATER).campaigns == 1
    assert [row["verdict"] for row in list_lift_rows(lift)] == ["unsound", "more"]


def test_what_campaigns_added_stands_in_the_month_in_which_they_began() -> None:
    _measured("One", 1_000, 300, 1_000, 200)
    _measured("Two", 1_000, 250, 1_000, 200, days=1)
    _measured("Three", 500, 150, 500, 160, days=20)
    report = read_retention_report(LATER)
    assert [(row.month.month, row.campaigns, row.treated) for row in report.months] == [(11, 2, 2_000), (12, 1, 500)]
    assert report.months[0].kept.value == pytest.approx(150)
    assert report.months[-1].total.value == pytest.approx(140)
    assert report.kept == report.months[-1].total
    assert report.newest is None


def test_the_retention_rate_is_the_one_of_home() -> None:
    people = arrange.make_customers(8)
    for number, customer in enumerate(people):
        for days in (-100, -20) if number < 6 else (-100,):
            Order.objects.create(
                external_id=f"{number}/{days}", customer=customer, ordered_at=NOW + days * DAY, total=10, currency="EUR"
            )
    newest = read_retention_report(NOW).newest
    assert newest is not None
    assert (newest.share.count, newest.share.of) == (6, 8)
    assert newest.share.low < 0.75 < newest.share.high


@pytest.fixture
def countries(analyst: User) -> list[Customer]:
    """Eighty people of two countries; the attribute is marked."""
    people = arrange.make_customers(80)
    for number, customer in enumerate(people):
        customer.country = "Ireland" if number % 2 else "Scotland"
    Customer.objects.bulk_update(people, ["country"])
    SensitiveAttributes.objects.create(keys=["country"], changed_by=analyst, changed_at=NOW)
    return people


def _send(people: list[Customer], held_out: list[Customer], *, name: str = "Autumn", at: dt.datetime = NOW) -> Campaign:
    campaign = arrange.make_campaign(arrange.make_cast().marketer, people, held_out=held_out, name=name)
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.SENT, sending_started_at=at)
    text = Variant.objects.get(archetype__campaign=campaign)
    Message.objects.bulk_create(
        Message(campaign=campaign, customer=customer, variant=text, status=MessageStatus.DELIVERED)
        for customer in people
    )
    campaign.refresh_from_db()
    return campaign


def _use(customer: Customer, discount: int, at: dt.datetime, code: str = "BACK10") -> None:
    Order.objects.create(
        external_id=f"{customer.pk}/{at}/{discount}", customer=customer, ordered_at=at, total=50, currency="EUR",
        discount=discount, discount_code=code,
    )  # fmt: skip


def test_each_group_is_counted_as_a_plain_reading_does(countries: list[Customer]) -> None:
    """Two campaigns in two months; half of the second's people are in both."""
    first = _send(countries[:60], countries[60:])
    second = _send(countries[40:], [], name="Winter", at=NOW + 40 * DAY)
    for place, discount, day in ((0, 10, 3), (1, 4, 3), (2, 8, 3), (45, 5, 3), (45, 7, 42), (70, 9, 3)):
        _use(countries[place], discount, NOW + day * DAY)
    Message.objects.filter(campaign=second, customer=countries[79]).update(status=MessageStatus.BOUNCED)
    row = count_groups("country", now=LATER)
    found = {(each["month"], each["name"]): each for each in row.rows}

    given: dict[tuple[str, str, int], float] = defaultdict(float)
    reached: set[tuple[str, str, int]] = set()
    for campaign in (first, second):
        opens = campaign.sending_started_at
        assert opens is not None
        for member in AudienceMember.objects.filter(campaign=campaign).select_related("customer"):
            for month in ("", f"{opens:%Y-%m}-01"):
                key = (month, member.customer.country, member.customer_id)
                orders = Order.objects.filter(customer=member.customer, discount_code="BACK10")
                window = orders.filter(ordered_at__gte=opens, ordered_at__lt=min(opens + 60 * DAY, LATER))
                given[key] += sum(float(o.discount) for o in window) if member.arm == "treatment" else 0.0
                if Message.objects.filter(campaign=campaign, customer=member.customer, status="delivered").exists():
                    reached.add(key)
    assert set(found) == {(month, name) for month, name, _customer in given}
    for (month, name), each in found.items():
        mine = {key: value for key, value in given.items() if key[:2] == (month, name)}
        assert each["people"] == len(mine)
        assert each["reached"] == sum(key in reached for key in mine)
        assert each["redeemed"] == pytest.approx(sum(mine.values()))
        assert each["users"] == sum(value > 0 for value in mine.values())
        assert each["squares"] == pytest.approx(sum(value**2 for value in mine.values()))


def test_a_group_that_got_clearly_less_is_marked_and_a_small_one_never_told(countries: list[Customer]) -> None:
    scots, irish = countries[::2], countries[1::2]
    few = arrange.make_customers(10, prefix="few")
    Customer.objects.filter(pk__in=[one.pk for one in few]).update(country="Orkney")
    _send(scots + irish[:8] + few, irish[8:])
    for number, customer in enumerate(scots):
        _use(customer, 20 + number % 3, NOW + 2 * DAY)
    (report,) = read_fairness_report(LATER)
    assert [group.name for group in report.whole.groups] == ["Ireland", "Scotland"]
    assert [group.name for group in report.low] == ["Ireland"]
    assert (report.whole.left_out_groups, report.whole.left_out_people) == (1, 10)
    assert report.whole.groups[1].nominal == pytest.approx(sum(20 + n % 3 for n in range(40)) / 40)
    assert report.whole.groups[1].nominal_ratio.value is None, "the Irish have no user to be held against"
    assert [month.month for month in report.months] == [dt.date(2026, 11, 1)]


def test_a_discount_that_few_used_is_not_compared(countries: list[Customer]) -> None:
    _send(countries, [])
    for customer in countries[:18]:
        _use(customer, 10, NOW + 2 * DAY)
    (report,) = read_fairness_report(LATER)
    assert [group.nominal_ratio.value for group in report.whole.groups] == [None, None]
    for customer in countries[18:40]:
        _use(customer, 10, NOW + 2 * DAY)
    count_groups("country", now=LATER)
    (report,) = read_fairness_report(LATER)
    assert [group.nominal_ratio.value for group in report.whole.groups] == [pytest.approx(1.0)] * 2


def test_in_a_live_campaign_the_month_is_that_of_the_first_entry(countries: list[Customer]) -> None:
    campaign = _send([], [])
    Campaign.objects.filter(pk=campaign.pk).update(kind=CampaignKind.TRIGGERED)
    for number, customer in enumerate(countries):
        for entry, days in ((1, 1 if number < 40 else 45), (2, 60)):
            Entry.objects.create(
                campaign=campaign, customer=customer, number=entry, cause=f"{entry}", arm="treatment",
                entered_at=NOW + days * DAY,
            )  # fmt: skip
    rows = count_groups("country", now=LATER).rows
    assert {(row["month"], row["people"]) for row in rows} == {("", 40), ("2026-11-01", 20), ("2027-01-01", 20)}


def test_campaigns_without_an_offer_give_nothing(countries: list[Customer]) -> None:
    campaign = _send(countries, [])
    Offer.objects.filter(campaign=campaign).update(kind=Offer.Kind.NONE)
    assert count_groups("country", now=LATER).rows == []


def test_groups_are_counted_once_a_day_and_yesterday_s_row_goes(countries: list[Customer]) -> None:
    _send(countries, [])
    assert [count_missing_groups(LATER), count_missing_groups(LATER)] == [1, 0]
    assert count_missing_groups(LATER + DAY) == 1
    assert GroupsGiven.objects.count() == 1


def test_several_attributes_are_counted_at_once_as_each_alone(countries: list[Customer], analyst: User) -> None:
    _send(countries, [])
    Customer.objects.filter(pk__in=[each.pk for each in countries[:50]]).update(
        language="fr", attributes={"size's": "L"}
    )
    SensitiveAttributes.objects.create(keys=["country", "language", "size's"], changed_by=analyst, changed_at=NOW + DAY)
    _use(countries[0], 10, NOW + 3 * DAY)
    with CaptureQueriesContext(connection) as asked:
        assert count_missing_groups(LATER) == 3
    assert sum("arrived AS (" in query["sql"] for query in asked) == 1
    together = {row.attribute: row.rows for row in GroupsGiven.objects.all()}
    assert {key: len(rows) for key, rows in together.items()} == {"country": 4, "language": 4, "size's": 4}
    for key, rows in together.items():
        assert count_groups(key, now=LATER).rows == rows


def test_a_kept_day_costs_the_page_as_many_queries_with_many_people(
    countries: list[Customer], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _send(countries, [])
    count_groups("country", now=LATER)
    with django_assert_num_queries(2):
        read_fairness_report(LATER)
    _send(arrange.make_customers(200, prefix="more"), [], name="Winter")
    count_groups("country", now=LATER)
    with django_assert_num_queries(2):
        assert sum(group.eligible for group in read_fairness_report(LATER)[0].whole.groups) == 280

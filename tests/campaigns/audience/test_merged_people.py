"""What went to one of the two ids of a person went to that person: for what they asked for, and for how a consent is used."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

from campaigns.audience.eligibility import exclusion_case_sql, exclusion_params
from campaigns.audience.lapsing import find_lapse, lapse_consents
from campaigns.models import Campaign, CountryRule, Message
from customers.ingest.preferences import save_preference
from customers.merging.merge import merge_customers
from customers.models import ConsentRecord, Customer
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

DAY = dt.timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(cast: Cast) -> list[Customer]:
    """Two rows of one person, who got a message yesterday by the first of them."""
    first, second = arrange.make_customers(2)
    Customer.objects.filter(pk=second.pk).update(email=first.email)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, [first], name="Before"), cast)
    Message.objects.filter(campaign=campaign).update(status="accepted", sending_at=NOW - DAY)
    return [first, second]


@pytest.fixture
def campaign(cast: Cast, people: list[Customer]) -> Campaign:
    """The next one."""
    return arrange.make_campaign(cast.marketer, people[1:], name="Next")


def why_not(campaign: Campaign, customer: Customer) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {exclusion_case_sql('c')} FROM customers_customer c WHERE c.id = %(who)s",
            exclusion_params(campaign, now=NOW) | {"who": customer.pk},
        )
        return str(cursor.fetchone()[0])


def merge(people: list[Customer]) -> Customer:
    merge_customers(people[0].pk, people[1].pk, reason="staff", actor=None, now=NOW)
    return people[1]


def test_who_wants_one_message_a_month_had_it_by_the_other_id(people: list[Customer], campaign: Campaign) -> None:
    save_preference(people[1], {"most_per_month": 1}, source="test", now=NOW)
    assert why_not(campaign, people[1]) == ""
    assert why_not(campaign, merge(people)) == "capped"


def test_an_objection_that_came_with_a_merge_is_one_since_the_audience_was_frozen(
    people: list[Customer], campaign: Campaign
) -> None:
    """What the message says was chosen by the profile of one who had not objected."""
    save_preference(people[0], {"objects_to_profiling_at": NOW - 9 * DAY}, source="test", now=NOW - 9 * DAY)
    Campaign.objects.filter(pk=campaign.pk).update(audience_frozen_at=NOW - DAY)
    campaign.refresh_from_db()
    assert why_not(campaign, people[1]) == ""
    assert why_not(campaign, merge(people)) == "objected"


def test_who_had_objected_themselves_is_written_to_as_before(people: list[Customer], campaign: Campaign) -> None:
    for person in people:
        save_preference(person, {"objects_to_profiling_at": NOW - 9 * DAY}, source="test", now=NOW - 9 * DAY)
    Campaign.objects.filter(pk=campaign.pk).update(audience_frozen_at=NOW - DAY)
    campaign.refresh_from_db()
    assert why_not(campaign, merge(people)) == ""


def test_a_consent_that_was_used_by_the_other_id_lies_unused_by_neither(
    people: list[Customer], campaign: Campaign
) -> None:
    with arrange.ledger_open():
        ConsentRecord.objects.filter(customer=people[0]).update(recorded_at=NOW - 900 * DAY)
        ConsentRecord.objects.filter(customer=people[1]).delete()
    CountryRule.objects.all().delete()
    CountryRule.objects.create(country="", unused_months=12)
    person = merge(people)
    assert why_not(campaign, person) == ""
    lapses_at = find_lapse(person, "email")
    assert lapses_at is not None and lapses_at > NOW + 300 * DAY
    assert lapse_consents(NOW) == 0

"""When consents lapse: what the sweep writes down is what the freeze and the mark judge themselves."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.audience.eligibility import exclusion_case_sql, exclusion_params
from campaigns.audience.lapsing import find_lapse, lapse_consents
from campaigns.models import Archetype, Campaign, CountryRule, Message, Variant
from customers.models import Channel, ConsentRecord, Customer
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    CountryRule.objects.all().delete()
    CountryRule.objects.create(country="DE", names=["germany"], consent_months=24, unused_months=12, existing_months=6)
    CountryRule.objects.create(country="")
    return arrange.make_campaign(arrange.make_cast().marketer)


def give(campaign: Campaign, country: str, days_ago: float, *, used: float | None = None, **fields: object) -> Customer:
    number = Customer.objects.count()
    customer = Customer.objects.create(external_id=f"p{number}", email=f"p{number}@shopper.test", country=country)
    ConsentRecord.objects.create(
        customer=customer, recorded_at=NOW - dt.timedelta(days=days_ago),
        **{"status": "given", "legal_basis": "consent", "source": "t"} | fields,
    )  # fmt: skip
    if used is not None:
        Message.objects.create(
            campaign=campaign, customer=customer, variant=Variant.objects.get(), status="accepted",
            sending_at=NOW - dt.timedelta(days=used), channel=fields.get("channel", "email"),
        )  # fmt: skip
    return customer


def judge(campaign: Campaign, customer: Customer, channel: str = "email") -> str:
    Customer.objects.filter(pk=customer.pk).update(phone="+447700900123")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {exclusion_case_sql('c', channel=channel)} FROM customers_customer c WHERE c.id = %(id)s",
            exclusion_params(campaign, now=NOW) | {"id": customer.pk},
        )
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("days_ago", "used", "reason"),
    [
        (360, None, ""),
        (370, None, "country_rule"),
        (370, 200, ""),
        (370, 368, "country_rule"),
        (740, 20, "country_rule"),
    ],
)
def test_a_consent_lapses_unused_or_too_old(
    campaign: Campaign, days_ago: float, used: float | None, reason: str
) -> None:
    customer = give(campaign, "Germany", days_ago, used=used)
    assert judge(campaign, customer) == reason
    assert lapse_consents(NOW) == bool(reason)
    assert judge(campaign, customer) == ("no_consent" if reason else "")
    assert lapse_consents(NOW) == 0, "running it again writes nothing"


def test_a_message_on_another_channel_is_no_use_of_this_consent(campaign: Campaign) -> None:
    customer = give(campaign, "DE", 400, used=10)
    ConsentRecord.objects.create(
        customer=customer, channel="sms", status="given", legal_basis="consent", source="t",
        recorded_at=NOW - dt.timedelta(days=400),
    )  # fmt: skip
    assert (judge(campaign, customer), judge(campaign, customer, "sms")) == ("", "country_rule")
    assert lapse_consents(NOW) == 1
    assert customer.consents.latest("pk").channel == Channel.SMS


def test_the_record_says_when_it_lapsed_and_a_later_yes_counts(campaign: Campaign) -> None:
    customer = give(campaign, "Germany", 400)
    lapses_at = find_lapse(customer, "email")
    lapse_consents(NOW)
    record = customer.consents.latest("pk")
    assert (record.status, record.source, record.recorded_at) == ("expired", "country rule", lapses_at)
    assert record.recorded_at < NOW - dt.timedelta(days=30)
    assert record.proof["unused_months"] == 12 and record.proof["used_at"] is None
    assert find_lapse(customer, "email") is None
    ConsentRecord.objects.create(
        customer=customer, status="given", legal_basis="consent", source="t", recorded_at=NOW - dt.timedelta(days=3)
    )
    assert judge(campaign, customer) == ""


def test_what_does_not_stand_does_not_lapse(campaign: Campaign) -> None:
    give(campaign, "Germany", 900, status="withdrawn")
    give(campaign, "Germany", 900, is_test=True)
    give(campaign, "Atlantis", 9_000)
    assert lapse_consents(NOW) == 0
    CountryRule.objects.update(consent_months=None, existing_months=None, unused_months=None)
    assert lapse_consents(NOW) == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    months=st.tuples(*[st.none() | st.integers(1, 30)] * 3),
    days_ago=st.integers(0, 1_000),
    used=st.none() | st.integers(0, 1_000),
    basis=st.sampled_from(["consent", "existing_customer"]),
)
def test_the_sweep_and_the_freeze_agree(
    campaign: Campaign, months: tuple[int | None, ...], days_ago: int, used: int | None, basis: str
) -> None:
    CountryRule.objects.filter(country="DE").update(
        consent_months=months[0], existing_months=months[1], unused_months=months[2]
    )
    # Month ends apart: the month of a 31st has no end that both ways of counting call the same.
    customer = give(campaign, "DE", days_ago, used=used, legal_basis=basis)
    refused = judge(campaign, customer) == "country_rule"
    lapses_at = find_lapse(customer, "email")
    if lapses_at is None or abs(lapses_at - NOW) > dt.timedelta(days=4):
        assert refused == (lapses_at is not None and lapses_at <= NOW)
    assert Archetype.objects.exists()

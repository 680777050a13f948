"""Freezing: who is in, who is held out, who is left out and why."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries, Settings

from campaigns.audience.archetypes import describe_people, label_archetype
from campaigns.audience.freeze import EmptyAudience, freeze_audience
from campaigns.audience.holdout import draws_holdout
from campaigns.models import (
    Archetype,
    AudienceMember,
    Campaign,
    CampaignStatus,
    Message,
    TransitionConflict,
    Variant,
)
from customers.ingest.consent import suppress_address, withdraw_consents
from customers.models import ConsentRecord, Customer, CustomerEvent, ensure_event_partitions

from .conftest import NOW, MakeCustomer

pytestmark = pytest.mark.django_db


def reason_of(campaign: Campaign, customer: Customer) -> str:
    return AudienceMember.objects.get(campaign=campaign, customer=customer).exclusion_reason


def write_event(customer: Customer, kind: str, at: dt.datetime, number: str, **properties: str) -> None:
    ensure_event_partitions(at.date(), at.date())
    CustomerEvent.objects.create(
        source="test", external_id=number, occurred_at=at, customer=customer, kind=kind, properties=properties
    )


@pytest.fixture
def crowd(make_customer: MakeCustomer) -> list[Customer]:
    return [make_customer(f"c{number}", score={"interest": "Jackets"}) for number in range(60)]


def test_everybody_has_the_arm_that_the_seed_draws(campaign: Campaign, crowd: list[Customer], marketer: User) -> None:
    counts = freeze_audience(campaign, now=NOW, actor=marketer)
    arms = dict(AudienceMember.objects.filter(campaign=campaign).values_list("customer_id", "arm"))
    assert arms == {c.pk: "holdout" if draws_holdout("5eed", c.pk, 0.2) else "treatment" for c in crowd}
    assert counts.matched == 60 == counts.treatment + counts.holdout
    assert campaign.audience_counts == counts.as_json()
    assert campaign.audience_frozen_at == NOW


def test_freezing_twice_changes_nothing(campaign: Campaign, crowd: list[Customer]) -> None:
    rows = AudienceMember.objects.filter(campaign=campaign).order_by("customer")
    columns = ("customer_id", "arm", "archetype_id", "exclusion_reason")
    freeze_audience(campaign, now=NOW, actor=None)
    first = list(rows.values_list(*columns))
    freeze_audience(campaign, now=NOW, actor=None)
    assert list(rows.values_list(*columns)) == first


def test_everybody_in_an_arm_has_an_archetype_and_its_texts_survive(campaign: Campaign, crowd: list[Customer]) -> None:
    freeze_audience(campaign, now=NOW, actor=None)
    assert not AudienceMember.objects.filter(campaign=campaign, archetype=None).exists()
    archetype = Archetype.objects.get(campaign=campaign)
    Variant.objects.create(archetype=archetype, origin="person", subject="Hello")
    freeze_audience(campaign, now=NOW, actor=None)
    assert Variant.objects.get().archetype == archetype
    assert (archetype.size, archetype.reason, archetype.interest) == (60, "rhythm", "Jackets")
    assert label_archetype(archetype) == "Overdue · Jackets · English"
    figures = describe_people(campaign)[archetype.pk]
    assert figures.treatment + figures.holdout == 60
    assert figures.churn_probability == pytest.approx(0.8)


def test_languages_are_normalised_and_apart(
    campaign: Campaign, crowd: list[Customer], make_customer: MakeCustomer
) -> None:
    chinese = [make_customer(f"zh{n}", language="zh-CN", score={"interest": "Jackets"}) for n in range(30)]
    german = make_customer("de", language="de", score={"interest": "Jackets"})
    freeze_audience(campaign, now=NOW, actor=None)
    languages = dict(AudienceMember.objects.values_list("customer_id", "archetype__language"))
    assert {languages[c.pk] for c in chinese} == {"zh"}
    assert languages[german.pk] == "en"


def test_no_address_no_consent_and_no_prediction_are_left_out(
    campaign: Campaign, crowd: list[Customer], make_customer: MakeCustomer
) -> None:
    silent = make_customer("silent", email="", score={})
    never_asked = make_customer("never", consent="", score={})
    withdrawn = make_customer("withdrawn", consent="withdrawn", score={})
    unknown = make_customer("unknown")
    freeze_audience(campaign, now=NOW, actor=None)
    assert reason_of(campaign, silent) == "no_address"
    assert reason_of(campaign, never_asked) == "no_consent"
    assert reason_of(campaign, withdrawn) == "no_consent"
    assert reason_of(campaign, unknown) == "too_new"


def test_the_newest_consent_counts(campaign: Campaign, crowd: list[Customer]) -> None:
    ConsentRecord.objects.create(
        customer=crowd[0], status="withdrawn", legal_basis="consent", source="test", recorded_at=NOW + dt.timedelta(1)
    )
    freeze_audience(campaign, now=NOW, actor=None)
    assert reason_of(campaign, crowd[0]) == "no_consent"
    assert reason_of(campaign, crowd[1]) == ""


def test_a_suppressed_address_is_left_out_whatever_its_case(campaign: Campaign, crowd: list[Customer]) -> None:
    suppress_address(crowd[3].email.upper(), reason="bounced", source="test")
    freeze_audience(campaign, now=NOW, actor=None)
    assert reason_of(campaign, crowd[3]) == "suppressed"


@pytest.mark.parametrize(
    ("uses_catcher", "is_test_audience", "address", "expected"),
    [
        (True, True, "t@mail.test", ""),
        (True, False, "t@mail.test", "test_only"),
        (False, True, "t@mail.test", "test_only"),
        (True, True, "t@mail.example", "test_only"),
    ],
)
def test_a_test_consent_counts_only_for_the_mail_catcher(
    campaign: Campaign,
    crowd: list[Customer],
    make_customer: MakeCustomer,
    settings: Settings,
    uses_catcher: bool,
    is_test_audience: bool,
    address: str,
    expected: str,
) -> None:
    settings.USES_MAIL_CATCHER = uses_catcher
    campaign.is_test_audience = is_test_audience
    campaign.save()
    tester = make_customer("tester", email=address, is_test=True, score={})
    freeze_audience(campaign, now=NOW, actor=None)
    assert reason_of(campaign, tester) == expected


def test_an_open_complaint_leaves_out_until_it_is_closed(campaign: Campaign, crowd: list[Customer]) -> None:
    day = dt.timedelta(days=1)
    angry, calmed, other, nameless = crowd[:4]
    for customer in (angry, calmed, other, nameless):
        write_event(customer, "complaint_opened", NOW - 9 * day, f"o{customer.pk}", ticket=f"t{customer.pk}")
    write_event(calmed, "complaint_closed", NOW - 2 * day, "z1", ticket=f"t{calmed.pk}")
    write_event(other, "complaint_closed", NOW - 2 * day, "z2", ticket="another")
    write_event(nameless, "complaint_closed", NOW - 2 * day, "z3")
    freeze_audience(campaign, now=NOW, actor=None)
    reasons = [reason_of(campaign, customer) for customer in (angry, calmed, other, nameless)]
    assert reasons == ["open_complaint", "", "open_complaint", ""]


def test_who_had_enough_messages_is_left_out(campaign: Campaign, crowd: list[Customer], settings: Settings) -> None:
    settings.FREQUENCY_CAP_MESSAGES, settings.FREQUENCY_CAP_DAYS = 2, 7
    archetype = Archetype.objects.create(campaign=campaign, cell="x")
    variant = Variant.objects.create(archetype=archetype, origin="person")
    past = Campaign.objects.create(name="Past", segment=campaign.segment, author=campaign.author, holdout_seed="x")

    def send(customer: Customer, step: int, status: str, days_ago: int) -> None:
        Message.objects.create(
            campaign=past, step=step, customer=customer, variant=variant, status=status,
            sending_at=NOW - dt.timedelta(days=days_ago), skip_reason="capped" if status == "skipped" else "",
        )  # fmt: skip

    full, one, old, refused = crowd[:4]
    send(full, 1, "accepted", 1), send(full, 2, "unknown", 6)
    send(one, 1, "delivered", 1), send(one, 2, "failed", 1)
    send(old, 1, "accepted", 8), send(old, 2, "accepted", 9)
    send(refused, 1, "skipped", 1), send(refused, 2, "failed", 1)
    Message.objects.update(variant=variant)
    freeze_kept = Archetype.objects.filter(pk=archetype.pk)
    freeze_kept.update(campaign=past)
    freeze_audience(campaign, now=NOW, actor=None)
    assert [reason_of(campaign, c) for c in (full, one, old, refused)] == ["capped", "", "", ""]


def test_a_segment_that_matches_nobody_says_so(campaign: Campaign) -> None:
    with pytest.raises(EmptyAudience, match="matches nobody"):
        freeze_audience(campaign, now=NOW, actor=None)
    campaign.refresh_from_db()
    assert campaign.audience_frozen_at is None


def test_an_audience_without_consent_says_why_and_keeps_the_old_one(
    campaign: Campaign, make_customer: MakeCustomer
) -> None:
    customer = make_customer("c", score={})
    campaign.holdout_share = 0.01
    campaign.save()
    freeze_audience(campaign, now=NOW, actor=None)
    withdraw_consents([customer.pk], source="test")
    with pytest.raises(EmptyAudience, match=r"no consent: 1") as caught:
        freeze_audience(campaign, now=NOW, actor=None)
    assert caught.value.counts.excluded == {"no_consent": 1}
    assert AudienceMember.objects.get().arm == "treatment"


@pytest.mark.parametrize("status", [s for s in CampaignStatus.values if s not in ("draft", "scheduled", "sending")])
def test_only_a_draft_can_be_frozen(campaign: Campaign, crowd: list[Customer], status: str) -> None:
    Campaign.objects.update(status=status)
    with pytest.raises(TransitionConflict):
        freeze_audience(campaign, now=NOW, actor=None)


def test_the_number_of_queries_does_not_grow_with_the_audience(
    campaign: Campaign,
    make_customer: MakeCustomer,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(40):
        make_customer(f"c{number}", score={"interest": f"i{number}"})
    with django_assert_max_num_queries(40):
        freeze_audience(campaign, now=NOW, actor=None)
    assert Archetype.objects.filter(campaign=campaign).count() <= 12


def test_who_agreed_to_text_messages_only_is_in_where_the_campaign_offers_them(
    campaign: Campaign, crowd: list[Customer], make_customer: MakeCustomer
) -> None:
    texters = [make_customer(f"t{n}", email="", consent="", phone=f"+44770090010{n}", score={}) for n in range(5)]
    both, silent = crowd[0], make_customer("silent", consent="", score={}, phone="")
    for customer in (*texters, both, silent):
        ConsentRecord.objects.create(
            customer=customer, channel="sms", status="given", legal_basis="consent", source="test", recorded_at=NOW
        )
    suppress_address("+447700900103", reason="staff", channel="sms")
    freeze_audience(campaign, now=NOW, actor=None)
    assert {reason_of(campaign, customer) for customer in texters} == {"no_address"}
    campaign.channels = ["sms", "email"]
    campaign.save()
    counts = freeze_audience(campaign, now=NOW, actor=None)
    assert [reason_of(campaign, customer) for customer in texters] == ["", "", "", "no_address", ""]
    channels = dict(AudienceMember.objects.exclude(archetype=None).values_list("customer_id", "archetype__channel"))
    assert {channels[customer.pk] for customer in texters if customer.pk in channels} == {"sms"}
    assert channels[both.pk] == "email"
    assert reason_of(campaign, silent) == "no_consent"
    assert set(counts.channels) == {"email", "sms"}
    assert sum(counts.channels.values()) == counts.treatment
    texted = Archetype.objects.get(channel="sms")
    assert label_archetype(texted).endswith("text message")

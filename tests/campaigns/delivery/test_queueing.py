"""Who gets which text: a stable draw that shares the people evenly, and a row for those whom nothing reaches yet."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from pytest_django import Settings

from campaigns.content.rendering import load_source, render_message
from campaigns.delivery.copies import make_copy, prepare_batch
from campaigns.delivery.outbox import claim_batch, queue_messages
from campaigns.models import Archetype, Campaign, Message, MessageStatus, SkipReason
from campaigns.outcomes.texts import count_texts
from customers.models import Order
from tests.campaigns.arrange import NOW, approve, make_campaign, make_cast, make_customers, make_variant, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    cast = make_cast()
    campaign = make_campaign(cast.marketer, make_customers(400), held_out=make_customers(20, prefix="h"))
    archetype = campaign.archetypes.get()
    for label in "BC":
        make_variant(archetype, cast.marketer, label=label)
    return campaign


def test_the_texts_of_an_archetype_share_its_people_evenly(campaign: Campaign) -> None:
    assert queue_messages(campaign) == 400
    shares = Counter(Message.objects.values_list("variant__label", flat=True))
    assert set(shares) == {"A", "B", "C"}
    assert all(100 < number < 167 for number in shares.values())


def test_the_same_person_always_gets_the_same_text(campaign: Campaign) -> None:
    queue_messages(campaign)
    first = dict(Message.objects.values_list("customer_id", "variant_id"))
    assert queue_messages(campaign) == 0
    Message.objects.all().delete()
    queue_messages(campaign)
    assert dict(Message.objects.values_list("customer_id", "variant_id")) == first


def test_people_of_a_channel_that_is_not_connected_get_a_row_that_says_so(
    campaign: Campaign, settings: Settings
) -> None:
    settings.SMS_TARGET = None
    Archetype.objects.update(channel="sms")
    queue_messages(campaign)
    rows = set(Message.objects.values_list("channel", "status", "skip_reason"))
    assert rows == {("sms", MessageStatus.SKIPPED, SkipReason.NO_CHANNEL)}
    assert not claim_batch("worker", campaign_id=campaign.pk, size=10)


def test_a_copy_keeps_the_values_of_the_tags_that_its_text_uses() -> None:
    cast = make_cast()
    campaign = make_campaign(cast.marketer, make_customers(1))
    archetype = campaign.archetypes.get()
    make_variant(archetype, cast.marketer, opening="Since {{ last_order_month }} our {{ favourite_category }} grew.")
    start(campaign, cast)
    messages = claim_batch("worker", campaign_id=campaign.pk, size=1)
    copy = make_copy(prepare_batch(campaign, messages, now=NOW), messages[0])
    assert '"last_order_month": ""' in copy.intent.slots_json
    text = render_message(load_source(archetype.variants.get()), {
        "first_name": "Kim", "unsubscribe_url": "x", "preferences_url": "y", "subject_prefix": "", "last_order_month": "",
        "favourite_category": "tents",
    }).text  # fmt: skip
    assert "Since your last order our tents grew." in text


def test_what_became_of_each_text_is_counted(campaign: Campaign) -> None:
    start_of_send = NOW
    Campaign.objects.filter(pk=campaign.pk).update(sending_started_at=start_of_send)
    campaign.refresh_from_db()
    queue_messages(campaign)
    buyer = Message.objects.order_by("pk").first()
    assert buyer is not None
    Order.objects.create(
        external_id="o1", customer_id=buyer.customer_id, ordered_at=NOW + dt.timedelta(days=1), currency="EUR", total=9
    )
    Message.objects.filter(pk=buyer.pk).update(status=MessageStatus.ACCEPTED)
    rows = count_texts(campaign, as_of=NOW + dt.timedelta(days=2))
    assert [row.variant.label for row in rows] == ["A", "B", "C"]
    assert sum(row.people for row in rows) == 400
    assert {row.variant.pk: (row.handed_over, row.ordered) for row in rows if row.ordered} == {buyer.variant_id: (1, 1)}


def test_a_campaign_of_text_messages_can_be_approved(campaign: Campaign) -> None:
    Archetype.objects.update(channel="sms")
    make_variant(campaign.archetypes.get(), campaign.author, subject="", preheader="", button_label="")
    assert approve(campaign, make_cast()).status == "approved"

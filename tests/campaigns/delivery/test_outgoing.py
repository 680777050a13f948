"""What campaigns do and what becomes of their messages is told to systems that subscribed."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User

from campaigns.models import DeliveryEvent, Message
from customers.models import OutgoingEndpoint, OutgoingEvent
from tests.campaigns.arrange import make_campaign, make_cast, start, submit

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def endpoint(db: None) -> OutgoingEndpoint:
    kinds = ["campaign.state_changed", "message.delivered", "message.bounced"]
    return OutgoingEndpoint.objects.create(url="https://shop.example/hook", kinds=kinds)


def told() -> list[tuple[str, list[dict[str, object]]]]:
    return [(event.kind, event.data["items"]) for event in OutgoingEvent.objects.order_by("pk")]


def test_a_change_of_state_is_told(marketer: User) -> None:
    cast = make_cast()
    campaign = make_campaign(cast.marketer)
    submit(campaign, cast)
    item = {"campaign": campaign.pk, "from": "draft", "to": "in_review"}
    assert ("campaign.state_changed", [item]) in told()


def test_what_came_back_is_told_by_kind_and_only_where_it_is_wanted() -> None:
    cast = make_cast()
    campaign = start(make_campaign(cast.marketer), cast)
    OutgoingEvent.objects.all().delete()
    messages = list(Message.objects.filter(campaign=campaign).order_by("pk"))
    kinds = ["delivered", "delivered", "bounced", "opened", "unsubscribed"]  # the last is not subscribed to
    DeliveryEvent.objects.bulk_create(
        DeliveryEvent(
            provider="mail", provider_event_id=str(number), message=messages[number % 3], kind=kind, occurred_at=NOW
        )
        for number, kind in enumerate(kinds)
    )
    assert [(kind, len(items)) for kind, items in told()] == [("message.bounced", 1), ("message.delivered", 2)]
    assert told()[0][1] == [{"message": messages[2].pk, "campaign": campaign.pk, "customer": messages[2].customer_id}]

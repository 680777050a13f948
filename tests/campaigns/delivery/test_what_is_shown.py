"""Figures of what came back: by text and together, on the pages, over the API and in the admin."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.delivery.names import MessageKey
from campaigns.delivery.report import Report
from campaigns.delivery.reports import take_in_reports
from campaigns.models import Campaign, CampaignStatus, DeliveryEvent, DeliveryKind, Message
from campaigns.outcomes.responses import Responses, add_up, count_responses
from campaigns.outcomes.rollup import store_result
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast


@pytest.fixture
def sent(cast: Cast, now: dt.datetime) -> Campaign:
    """Twelve messages: taken 3, delivered 3, came back 2, spam 1, unsubscribed 1; 4 agreed to be seen, 2 opened, 1 clicked."""
    people = arrange.make_customers(12, now=now)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, people, send_at=now, now=now), cast, now=now)
    Message.objects.update(status="accepted", sending_at=now)
    rows = list(Message.objects.filter(campaign=campaign).order_by("pk"))
    kinds = (
        [DeliveryKind.DELIVERED] * 3 + [DeliveryKind.BOUNCED] * 2 + [DeliveryKind.COMPLAINED, DeliveryKind.UNSUBSCRIBED]
    )
    take_in_reports(
        [
            Report("resend", f"e{row.pk}", MessageKey(row.campaign_id, row.step, row.customer_id), kind, now)
            for row, kind in zip(rows, kinds, strict=False)
        ],
        now=now,
    )
    watched = [row.pk for row in rows[:4]]
    Message.objects.filter(pk__in=watched).update(slots={"open_pixel": "https://x.test/o/t"})
    Message.objects.filter(pk__in=watched[:2]).update(opened_at=now)
    Message.objects.filter(pk=watched[0]).update(clicked_at=now)
    return campaign


def test_people_are_counted_by_text_and_together(sent: Campaign) -> None:
    (by_text,) = count_responses(sent).values()
    assert by_text == Responses(12, 4, 2, 1, 4, 2, 1, 1)
    assert add_up([by_text, by_text]) == Responses(24, 8, 4, 2, 8, 4, 2, 2)


def test_the_result_page_tells_the_way_from_hand_over_to_click(
    sent: Campaign, cast: Cast, client: Client, now: dt.datetime
) -> None:
    client.force_login(cast.marketer)
    store_result(sent, now=now)
    page = client.get(reverse("campaigns:result", args=[sent.pk])).content.decode()
    assert "What people did with it" in page and "50.0%" in page
    Message.objects.update(status="accepted")
    Message.objects.update(slots={})
    page = client.get(reverse("campaigns:result", args=[sent.pk])).content.decode()
    assert "nobody in it agreed to that" in page and "nobody reported it" in page


def test_live_warns_before_it_stops(cast: Cast, client: Client, now: dt.datetime) -> None:
    campaign = arrange.start(
        arrange.make_campaign(cast.marketer, arrange.make_customers(600, now=now), send_at=now, now=now), cast, now=now
    )
    Message.objects.update(status="accepted", sending_at=now)
    client.force_login(cast.marketer)
    live = reverse("campaigns:live", args=[campaign.pk])
    rows = list(Message.objects.order_by("pk")[:3])

    def complain(row: Message) -> str:
        key = MessageKey(row.campaign_id, row.step, row.customer_id)
        take_in_reports([Report("resend", f"c{row.pk}", key, DeliveryKind.COMPLAINED, now)], now=now)
        return client.get(live).content.decode()

    assert "reported it as spam" not in complain(rows[0])
    assert "2 of 600 people reported it as spam (0.33%)" in complain(rows[1])
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.SENDING
    assert "the limit is 0.30%" in complain(rows[2])
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.PAUSED


def test_a_message_shows_what_came_back(sent: Campaign, cast: Cast, client: Client, now: dt.datetime) -> None:
    client.force_login(cast.marketer)
    row = Message.objects.filter(status="bounced").earliest("pk")
    DeliveryEvent.objects.filter(message=row).update(detail="550 5.1.1 unknown")
    page = client.get(reverse("campaigns:outbox-message", args=[row.pk])).content.decode()
    assert "Came back for good" in page and "550 5.1.1 unknown" in page


def test_the_api_reads_delivery_events_and_writes_none(
    sent: Campaign, cast: Cast, client: Client, outsider: User, site_admin: User, now: dt.datetime
) -> None:
    assert client.get("/api/v1/delivery-events/").status_code == 401
    client.force_login(outsider)
    assert client.get("/api/v1/delivery-events/").status_code == 403
    client.force_login(cast.marketer)
    rows = client.get("/api/v1/delivery-events/", {"campaign": sent.pk, "kind": "bounced"}).json()["results"]
    assert len(rows) == 2 and {row["campaign"] for row in rows} == {sent.pk}
    assert set(rows[0]) == {
        "id", "message", "campaign", "customer", "kind", "provider", "occurred_at", "received_at", "link", "detail",
    }  # fmt: skip
    assert client.get("/api/v1/delivery-events/", {"campaign": sent.pk + 1}).json()["results"] == []
    assert client.get("/api/v1/delivery-events/", {"kind": "x"}).status_code == 400
    assert client.get(f"/api/v1/delivery-events/{rows[0]['id']}/").json()["kind"] == "bounced"
    assert client.post("/api/v1/delivery-events/", {}, content_type="application/json").status_code == 403
    client.force_login(site_admin)
    assert client.post("/api/v1/delivery-events/", {}, content_type="application/json").status_code == 405


def test_the_pages_and_the_api_ask_no_more_questions_for_more_events(
    sent: Campaign, cast: Cast, client: Client, site_admin: User, now: dt.datetime
) -> None:
    row = Message.objects.filter(campaign=sent).latest("pk")
    paths = {
        "/api/v1/delivery-events/": cast.marketer,
        reverse("campaigns:outbox-message", args=[row.pk]): cast.marketer,
        reverse("campaigns:live", args=[sent.pk]): cast.marketer,
        reverse("campaigns:result", args=[sent.pk]): cast.marketer,
        reverse("admin:campaigns_deliveryevent_changelist"): site_admin,
    }
    counts: dict[str, list[int]] = {path: [] for path in paths}
    for first in (0, 30):
        DeliveryEvent.objects.bulk_create(
            DeliveryEvent(provider="x", provider_event_id=str(number), message=row, kind="clicked", occurred_at=now)
            for number in range(first, first + 30)
        )
        for path, user in paths.items():
            client.force_login(user)
            client.get(path)
            with CaptureQueriesContext(connection) as asked:
                assert client.get(path).status_code == 200, path
            counts[path].append(len(asked))
    assert all(before == after for before, after in counts.values()), counts


def test_the_admin_shows_and_changes_nothing(sent: Campaign, client: Client, site_admin: User) -> None:
    client.force_login(site_admin)
    event = DeliveryEvent.objects.earliest("pk")
    assert client.get(reverse("admin:campaigns_deliveryevent_change", args=[event.pk])).status_code == 200
    assert client.get(reverse("admin:campaigns_deliveryevent_add")).status_code == 403
    assert (
        client.post(reverse("admin:campaigns_deliveryevent_delete", args=[event.pk]), {"post": "yes"}).status_code
        == 403
    )

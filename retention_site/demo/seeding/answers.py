"""What came back of the demo shop's past campaigns: as a provider would have told it, and as its people read.

Who opened, clicked and left is the simulator's doing and stands in the event log; here it is also noted beside the
messages, under the rule of real ones: opens only of those who agreed that they are seen.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection

from campaigns.delivery.names import MessageKey
from campaigns.delivery.report import Report
from campaigns.delivery.reports import take_in_reports
from campaigns.models import Campaign, DeliveryKind, Message, MessageStatus

#: Whom the events name as their source; no provider is called so.
PROVIDER = "demo"
#: One message in so many comes back, because the mailbox is full: that suppresses nobody.
ONE_COMES_BACK_IN = 90
#: Sixteenths of those who agreed to mail who also agreed that their opening is seen.
SIXTEENTHS_TRACKED = 5


def report_back(campaign: Campaign, *, now: dt.datetime) -> None:
    """Seconds after a past send: delivered, but for some full mailboxes. Safe to run twice."""
    sent = Message.objects.filter(campaign=campaign, status=MessageStatus.ACCEPTED, sending_at__isnull=False)
    reports = []
    for number, row in enumerate(sent.order_by("pk"), start=1):
        assert row.sending_at is not None
        is_full = number % ONE_COMES_BACK_IN == 0
        reports.append(
            Report(
                provider=PROVIDER,
                event_id=f"sent:{row.pk}",
                key=MessageKey(campaign.pk, row.step, row.customer_id),
                kind=DeliveryKind.SOFT_BOUNCED if is_full else DeliveryKind.DELIVERED,
                occurred_at=row.sending_at + dt.timedelta(seconds=4),
                detail="5.2.2 mailbox full" if is_full else "",
            )
        )
    take_in_reports(reports, now=now)


def note_readings(campaign: Campaign) -> None:
    """Beside each message when its person first opened and clicked, and who left by it. Safe to run twice."""
    parameters: dict[str, int | str] = {"campaign": campaign.pk, "name": str(campaign.pk), "provider": PROVIDER}
    with connection.cursor() as cursor:
        for column, kind, condition in (
            ("opened_at", "email_opened", "m.slots ? 'open_pixel'"),
            ("clicked_at", "email_clicked", "true"),
        ):
            cursor.execute(
                f"UPDATE campaigns_message m SET {column} = read.at FROM ({_FIRST}) AS read"
                f" WHERE m.campaign_id = %(campaign)s AND m.customer_id = read.customer_id AND {condition}"
                " AND m.status IN ('accepted', 'delivered')",
                parameters | {"kind": kind},
            )
        cursor.execute(
            "INSERT INTO campaigns_deliveryevent (provider, provider_event_id, message_id, kind, occurred_at, detail)"
            f" SELECT %(provider)s, 'left:' || m.id, m.id, 'unsubscribed', read.at, '' FROM ({_FIRST}) AS read"
            " JOIN campaigns_message m ON m.campaign_id = %(campaign)s AND m.customer_id = read.customer_id"
            " WHERE m.status IN ('accepted', 'delivered') ON CONFLICT DO NOTHING",
            parameters | {"kind": "email_unsubscribed"},
        )


def ask_to_be_seen() -> None:
    """About a third of those who agreed to mail agree to this too, at the same time; always the same ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_trackingconsent (customer_id, is_given, source, proof, recorded_at)
            SELECT c.id, true, 'newsletter form', '{"form": "newsletter", "box": "opens"}', min(r.recorded_at)
            FROM customers_customer c JOIN customers_consentrecord r ON r.customer_id = c.id AND r.status = 'given'
            WHERE ('x' || left(md5('seen:' || c.external_id), 1))::bit(4)::int < %s
              AND NOT EXISTS (SELECT 1 FROM customers_trackingconsent t WHERE t.customer_id = c.id)
            GROUP BY c.id
            """,
            [SIXTEENTHS_TRACKED],
        )


_FIRST = """SELECT customer_id, min(occurred_at) AS at FROM customers_customerevent
            WHERE kind = %(kind)s AND properties->>'campaign' = %(name)s GROUP BY customer_id"""

"""Which addresses are written to no more because of what came back."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from campaigns.audience.channels import address_sql
from campaigns.models import DeliveryKind
from customers.ingest.consent import suppress_addresses, withdraw_consents
from customers.ingest.merged import find_holders
from customers.models import Suppression

from .report import Report, ReportedMessage


def suppress_for_reports(new: Sequence[tuple[Report, ReportedMessage]]) -> None:
    """Hard bounces, complaints and unsubscribes at once; soft bounces once there were too many of them. Safe to run twice."""
    reasons = {
        DeliveryKind.COMPLAINED: Suppression.Reason.COMPLAINED,
        DeliveryKind.UNSUBSCRIBED: Suppression.Reason.UNSUBSCRIBED,
        DeliveryKind.BOUNCED: Suppression.Reason.BOUNCED,
    }
    for channel in sorted({row.channel for _report, row in new}):
        here = [(report, row) for report, row in new if row.channel == channel]
        for kind, reason in reasons.items():
            addresses = [_address_of(report, row) for report, row in here if report.kind == kind]
            suppress_addresses(addresses, reason=reason, source="what came back", channel=channel)
        left = _customers_of(here, DeliveryKind.UNSUBSCRIBED)
        # Who was merged may be written to at another address now: a complaint about the old one is theirs all the same.
        complained = find_holders(_customers_of(here, DeliveryKind.COMPLAINED)).values()
        leaving = sorted({*left, *find_holders(left).values(), *complained})
        withdraw_consents(leaving, source="provider", channel=channel)
        worn_out = _find_worn_out(_customers_of(here, DeliveryKind.SOFT_BOUNCED), channel)
        reason = Suppression.Reason.BOUNCED
        suppress_addresses(worn_out, reason=reason, source="repeated soft bounces", channel=channel)


def _customers_of(new: Sequence[tuple[Report, ReportedMessage]], kind: DeliveryKind) -> list[int]:
    return sorted({row.customer_id for report, row in new if report.kind == kind})


def _find_worn_out(customer_ids: Sequence[int], channel: str) -> list[str]:
    """Addresses with settings.SOFT_BOUNCES messages of a channel that came back for a while within SOFT_BOUNCE_DAYS."""
    if not customer_ids:
        return []
    address = address_sql(channel)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT {address} FROM (
                SELECT customer_id, at, lag(at, %(others)s) OVER (PARTITION BY customer_id ORDER BY at) AS earlier
                FROM (
                    SELECT m.customer_id, min(e.occurred_at) AS at
                    FROM campaigns_message m JOIN campaigns_deliveryevent e ON e.message_id = m.id
                    WHERE m.customer_id = ANY(%(customers)s) AND m.channel = %(channel)s AND e.kind = 'soft_bounced'
                    GROUP BY m.id
                ) AS came_back
            ) AS series JOIN customers_customer c ON c.id = series.customer_id
            WHERE series.earlier >= series.at - make_interval(days => %(days)s) AND {address} <> ''
            """,
            {
                "customers": list(customer_ids),
                "channel": channel,
                "others": settings.SOFT_BOUNCES - 1,
                "days": settings.SOFT_BOUNCE_DAYS,
            },
        )
        return [row[0] for row in cursor.fetchall()]


def _address_of(report: Report, row: ReportedMessage) -> str:
    return report.address if report.address and report.trusts_address else row.address

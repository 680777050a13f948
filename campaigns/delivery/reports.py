"""Takes in what came back about messages: once each, in any order, and set-based.

The state of a message is what all its events together prove, never what the last one said: so copies, disorder and a lost
first event change nothing, and no state ever goes backwards.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import structlog
from django.db import connection, transaction

from campaigns.audience.channels import address_sql
from campaigns.models import DeliveryEvent, DeliveryKind
from customers.ingest.recorder import NewEvent, record_events
from customers.models import Channel, EventKind

from .channels import Cause
from .channels.refusals import find_cause
from .names import MessageKey
from .report import Report, ReportedMessage, TakenIn
from .reputation import pause_for_reports
from .sent_events import EVENT_SOURCE, describe_message, record_sent_events
from .suppressing import suppress_for_reports

log = structlog.get_logger(__name__)

REPORTS_PER_WRITE = 2_000
#: Messages of one campaign whose unsigned reports must speak against our name before it is paused.
LEAST_UNSIGNED = 3
#: A time further off than this is a broken clock: then the time of arrival counts.
OLDEST = dt.timedelta(days=60)
NEWEST = dt.timedelta(days=1)


def take_in_reports(reports: Sequence[Report], *, now: dt.datetime) -> TakenIn:
    """Write the events down, move the messages, tell the customers' log, suppress addresses, and pause what does harm.

    A fixed number of queries for each REPORTS_PER_WRITE. Safe to run twice and in parallel.
    """
    taken = TakenIn()
    for first in range(0, len(reports), REPORTS_PER_WRITE):
        part = reports[first : first + REPORTS_PER_WRITE]
        counts, causes = _take_in(part, now)
        taken += counts
        pause_for_reports(causes, now=now)
    return taken


@transaction.atomic
def _take_in(reports: Sequence[Report], now: dt.datetime) -> tuple[TakenIn, dict[int, tuple[Cause, str]]]:
    rows = _lock_messages({report.key for report in reports})
    about_us = [_judge(report, rows[report.key], now) for report in reports if report.key in rows]
    new = _write_events(about_us, rows)
    settled = advance_messages(sorted({rows[report.key].id for _pk, report in new}))
    record_sent_events(settled)
    _tell_customers_log(new, rows)
    suppress_for_reports([(report, rows[report.key]) for _pk, report in new])
    known = len(about_us) - len(new)
    causes = {rows[report.key].campaign_id: (Cause.NONE, "") for _pk, report in new}
    causes |= {
        rows[report.key].campaign_id: (report.cause, report.detail)
        for _pk, report in new
        if report.cause and (report.trusts_address or _is_said_often(rows[report.key].campaign_id))
    }
    log.info("reports_taken_in", new=len(new), known=known, strange=len(reports) - len(about_us))
    return TakenIn(len(new), known, len(reports) - len(about_us)), causes


def _is_said_often(campaign_id: int) -> bool:
    """Anybody who got a message can make up a report of it: such ones have to come about several messages."""
    failures = DeliveryEvent.objects.filter(
        message__campaign=campaign_id, kind__in=[DeliveryKind.BOUNCED, DeliveryKind.SOFT_BOUNCED]
    ).order_by("-pk")
    said = {message for message, detail in failures.values_list("message", "detail")[:200] if find_cause(0, detail)}
    return len(said) >= LEAST_UNSIGNED


def advance_messages(message_ids: Sequence[int]) -> list[int]:
    """Give messages the state that their events prove, and return those that moved. Never backwards: accepted < delivered
    < bounced < complained. What was unknown, under way or in doubt is settled by it and will not be sent again."""
    if not message_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE campaigns_message m
            SET status = (ARRAY['accepted', 'delivered', 'bounced', 'complained'])[proven.rank],
                settled_at = coalesce(m.settled_at, clock_timestamp()),
                sending_at = coalesce(m.sending_at, clock_timestamp()), claimed_by = '', lease_until = NULL,
                not_before = NULL, in_doubt_since = NULL
            FROM (
                SELECT e.message_id, max({_RANK_OF_KIND}) AS rank FROM campaigns_deliveryevent e
                WHERE e.message_id = ANY(%(ids)s) GROUP BY e.message_id
            ) AS proven
            WHERE m.id = proven.message_id AND m.status <> 'skipped' AND proven.rank > {_RANK_OF_STATUS}
            RETURNING m.id
            """,
            {"ids": list(message_ids)},
        )
        return [row[0] for row in cursor.fetchall()]


_RANK_OF_KIND = """CASE WHEN e.kind = 'complained' THEN 4 WHEN e.kind IN ('bounced', 'soft_bounced') THEN 3
                   WHEN e.kind = 'delivered' THEN 2 ELSE 1 END"""
_RANK_OF_STATUS = "coalesce(array_position(ARRAY['accepted', 'delivered', 'bounced', 'complained'], m.status::text), 0)"


#: The customer's address on the channel of the message; of one who was merged into another, the one that they had.
_ADDRESS = (
    f"CASE m.channel {' '.join(f'WHEN {kind!r} THEN {address_sql(kind)}' for kind in Channel.values)} ELSE '' END"
)


def _lock_messages(keys: Iterable[MessageKey]) -> Mapping[MessageKey, ReportedMessage]:
    """In the order of their ids, so that two such calls cannot wait for each other."""
    asked = [
        {"campaign": key.campaign_id, "step": key.step, "customer": key.customer_id, "entry": key.entry} for key in keys
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.campaign_id, m.step, m.customer_id, m.entry, m.id, {_ADDRESS}, m.channel
            FROM json_to_recordset(%s::json) AS k(campaign bigint, step int, customer bigint, entry int)
            JOIN campaigns_message m ON m.campaign_id = k.campaign AND m.step = k.step AND m.customer_id = k.customer
                                    AND m.entry = k.entry
            JOIN customers_customer own ON own.id = m.customer_id
            LEFT JOIN customers_customermerge g ON g.loser_id = own.id AND g.undone_at IS NULL
            JOIN LATERAL jsonb_populate_record(own, coalesce(g.kept->'customer', '{{}}')) AS c ON true
            ORDER BY m.id FOR UPDATE OF m
            """,
            [json.dumps(asked)],
        )
        return {
            MessageKey(campaign, step, customer, entry): ReportedMessage(pk, campaign, customer, address, channel)
            for campaign, step, customer, entry, pk, address, channel in cursor.fetchall()
        }


def _judge(report: Report, row: ReportedMessage, now: dt.datetime) -> Report:
    """The report with a possible time, and no more than it proves."""
    is_possible = now - OLDEST <= report.occurred_at <= now + NEWEST
    report = report if is_possible else replace(report, occurred_at=now)
    if report.trusts_address or not report.address or _same(report.address, row.address):
        return report
    # Forwarded, or the customer has moved, or somebody made it up: that address is dead, theirs may not be.
    lesser = {DeliveryKind.BOUNCED: DeliveryKind.SOFT_BOUNCED}
    return replace(report, kind=lesser.get(report.kind, report.kind))


def _write_events(reports: Sequence[Report], rows: Mapping[MessageKey, ReportedMessage]) -> list[tuple[int, Report]]:
    """The reports that were not there yet, with their row's id; of copies in one call the first."""
    by_id: dict[tuple[str, str], Report] = {}
    for report in reports:
        by_id.setdefault((report.provider, report.event_id), report)
    values = [
        {
            "provider": report.provider,
            "event": report.event_id,
            "message": rows[report.key].id,
            "kind": report.kind.value,
            "at": report.occurred_at.isoformat(),
            "detail": report.detail[:300],
            "link": report.link,
        }
        for report in by_id.values()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO campaigns_deliveryevent
                (provider, provider_event_id, message_id, kind, occurred_at, detail, link)
            SELECT provider, event, message, kind, at, detail, link
            FROM json_to_recordset(%s::json) AS r(
                provider text, event text, message bigint, kind text, at timestamptz, detail text, link smallint
            ) ORDER BY provider, event
            ON CONFLICT (provider, provider_event_id) DO NOTHING
            RETURNING id, provider, provider_event_id
            """,
            [json.dumps(values)],
        )
        return sorted(
            ((pk, by_id[provider, event]) for pk, provider, event in cursor.fetchall()), key=lambda pair: pair[0]
        )


#: What the log calls it, of e-mail and of all else.
_EVENT_OF_KIND = {
    DeliveryKind.BOUNCED: (EventKind.EMAIL_BOUNCED, EventKind.MESSAGE_BOUNCED),
    DeliveryKind.SOFT_BOUNCED: (EventKind.EMAIL_BOUNCED, EventKind.MESSAGE_BOUNCED),
    DeliveryKind.COMPLAINED: (EventKind.EMAIL_COMPLAINED, EventKind.MESSAGE_COMPLAINED),
    DeliveryKind.UNSUBSCRIBED: (EventKind.EMAIL_UNSUBSCRIBED, EventKind.MESSAGE_UNSUBSCRIBED),
}


def _tell_customers_log(new: Sequence[tuple[int, Report]], rows: Mapping[MessageKey, ReportedMessage]) -> None:
    events = [
        NewEvent(
            customer_id=rows[report.key].customer_id,
            kind=_EVENT_OF_KIND[report.kind][rows[report.key].channel != Channel.EMAIL],
            occurred_at=report.occurred_at,
            external_id=f"report:{pk}",
            properties={
                **describe_message(rows[report.key].campaign_id, rows[report.key].id, rows[report.key].channel),
                "by": report.provider,
                **({"for_good": report.kind == DeliveryKind.BOUNCED} if "bounced" in report.kind else {}),
            },
        )
        for pk, report in new
        if report.kind in _EVENT_OF_KIND
    ]
    if events:
        record_events(events, source=EVENT_SOURCE)


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()

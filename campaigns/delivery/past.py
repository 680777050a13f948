"""Enters messages as sent in the past, without a network: the history of the demo shop.

The sender knows one clock, the database's, and never dates anything back. This is the one place that does, for rows
that say so in `response`. All else is the sender's own work: the same checks, the same copies, the same fence in the
database (a message without approval by a second person is refused).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.audience.eligibility import exclusion_case_sql, exclusion_params
from campaigns.models import Campaign, CampaignStatus, Message, MessageStatus, SkipReason, TransitionConflict

from .copies import Unsendable, make_copy, prepare_batch
from .marking import Intent
from .outbox import ClaimedMessage

#: What the row says instead of a server's answer.
NOT_SENT = "entered as sent, nothing went out: history of the demo shop"
BATCH_SIZE = 1000


@transaction.atomic
def record_past_send(campaign: Campaign, *, started_at: dt.datetime, per_second: float = 50.0) -> Counter[str]:
    """Every waiting message of a campaign in `sending` becomes `accepted`, dated from `started_at` on, or `skipped`.

    Returns the messages by new status; run again it finds none waiting. `started_at` is the campaign's own start, or when a
    further step of it began. Refused (ImproperlyConfigured) where mail leaves the machine: there a message was sent or it
    was not. Raises StaleApproval, and TransitionConflict for a campaign that is not sending or another time.
    """
    if not settings.USES_MAIL_CATCHER:
        raise ImproperlyConfigured("Past sends can be entered only while mail goes to the built-in catcher.")
    if campaign.status != CampaignStatus.SENDING or not _is_a_begin(campaign, started_at):
        raise TransitionConflict(_("Only a campaign that is being sent, from its own start on, has past sends."))
    counts = Counter({MessageStatus.SKIPPED.value: _skip_excluded(campaign, started_at)})
    moments = _moments(started_at, per_second)
    waiting = _waiting(campaign.pk)
    for first in range(0, len(waiting), BATCH_SIZE):
        messages = waiting[first : first + BATCH_SIZE]
        intents = _make_intents(campaign, messages, started_at)
        _write_accepted(intents, list(itertools.islice(moments, len(intents))))
        counts[MessageStatus.ACCEPTED.value] += len(intents)
        counts[MessageStatus.SKIPPED.value] += len(messages) - len(intents)
    return +counts


def _is_a_begin(campaign: Campaign, moment: dt.datetime) -> bool:
    """Whether the campaign started then, or queued a further step and nothing else."""
    waiting = Message.objects.filter(campaign=campaign, status=MessageStatus.QUEUED)
    if moment == campaign.sending_started_at:
        return True
    return waiting.exists() and not waiting.exclude(step__gt=1, queued_at=moment).exists()


def _moments(started_at: dt.datetime, per_second: float) -> Iterator[dt.datetime]:
    return (started_at + dt.timedelta(seconds=number / per_second) for number in itertools.count())


def _skip_excluded(campaign: Campaign, now: dt.datetime) -> int:
    """The sender's check just before each send, for all at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE campaigns_message m
            SET status = 'skipped', skip_reason = judged.reason, queued_at = %(at)s, settled_at = %(at)s
            FROM (
                SELECT w.id, {exclusion_case_sql("c")} AS reason
                FROM campaigns_message w JOIN customers_customer c ON c.id = w.customer_id
                WHERE w.campaign_id = %(campaign)s AND w.status = 'queued'
            ) AS judged
            WHERE m.id = judged.id AND judged.reason <> ''
            """,
            {**exclusion_params(campaign, now=now), "campaign": campaign.pk, "at": now},
        )
        return int(cursor.rowcount)


def _waiting(campaign_id: int) -> list[ClaimedMessage]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, campaign_id, step, customer_id, variant_id, attempts FROM campaigns_message"
            " WHERE campaign_id = %s AND status = 'queued' ORDER BY id FOR UPDATE",
            [campaign_id],
        )
        return [ClaimedMessage(*row) for row in cursor.fetchall()]


def _make_intents(campaign: Campaign, messages: Sequence[ClaimedMessage], now: dt.datetime) -> list[Intent]:
    batch = prepare_batch(campaign, messages, now=now)
    intents = []
    for message in messages:
        try:
            intents.append(make_copy(batch, message).intent)
        except Unsendable as error:
            _skip_unsendable(message.id, error, now)
    return intents


def _skip_unsendable(message_id: int, error: Unsendable, now: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET status = 'skipped', skip_reason = %s, response = %s, queued_at = %s,"
            " settled_at = %s WHERE id = %s AND status = 'queued'",
            [SkipReason(error.reason), str(error)[:300], now, now, message_id],
        )


def _write_accepted(intents: Sequence[Intent], moments: Sequence[dt.datetime]) -> None:
    """By way of `sending`, because that is where the database asks for the approvals."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_message m
            SET status = 'sending', attempts = 1, slots = sent.slots::jsonb, body_hash = sent.body_hash,
                message_id = sent.message_id, queued_at = sent.at, sending_at = greatest(sent.at, m.not_before)
            FROM unnest(%(ids)s::bigint[], %(slots)s::text[], %(hashes)s::text[], %(names)s::text[],
                        %(moments)s::timestamptz[]) AS sent(id, slots, body_hash, message_id, at)
            WHERE m.id = sent.id AND m.status = 'queued'
            """,
            {
                "ids": [intent.message.id for intent in intents],
                "slots": [intent.slots_json for intent in intents],
                "hashes": [intent.body_hash for intent in intents],
                "names": [intent.message_id for intent in intents],
                "moments": list(moments),
            },
        )
        cursor.execute(
            "UPDATE campaigns_message SET status = 'accepted', settled_at = sending_at, response = %s"
            " WHERE id = ANY(%s) AND status = 'sending'",
            [NOT_SENT, [intent.message.id for intent in intents]],
        )

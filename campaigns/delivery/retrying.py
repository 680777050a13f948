"""Queues again what certainly was not sent and may be sent now: because a person asks for it, never by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from campaigns.approval import policy
from campaigns.approval.policy import NotReady
from campaigns.approval.transitions import change_status
from campaigns.approval.workflow import window_end
from campaigns.audience.connected import sent_channels
from campaigns.audience.eligibility import JUDGED_AT_SQL, exclusion_case_sql, exclusion_params
from campaigns.content.standing_facts import stale_fact_sql
from campaigns.models import Campaign, CampaignStatus, FollowUp, Message, MessageStatus, SkipReason
from customers.models import AuditAction, Channel, record_audit

from .channels import SMTP_ROUTE
from .channels.http_answers import NOT_OUR_ACCOUNT, NOT_TAKEN
from .other_ids import had_it_sql
from .outbox import MAX_ATTEMPTS

FAILED: Final = "failed"
SKIPPED: Final = "skipped"
KINDS: Final = (FAILED, SKIPPED)

#: Reasons that may go: consent given after all, a complaint closed, a cap that has passed, a fact that is true again.
PASSING_REASONS: Final = (
    SkipReason.NO_CONSENT, SkipReason.SUPPRESSED, SkipReason.OPEN_COMPLAINT, SkipReason.VERY_UNHAPPY, SkipReason.CAPPED,
    SkipReason.NO_ADDRESS, SkipReason.PAUSED, SkipReason.TOPIC_OFF, SkipReason.COUNTRY_RULE, SkipReason.PRODUCT_CHANGED,
    SkipReason.STOCK_CHANGED, SkipReason.POLICY_CHANGED, SkipReason.OFFER_CHANGED, SkipReason.POINT_CHANGED,
    SkipReason.HAD_IT,
)  # fmt: skip


@dataclass(frozen=True)
class Retriable:
    """How many may be tried again: refused for a time until their tries were used up, and skipped for a reason that has gone."""

    failed: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.failed + sum(self.skipped.values())


def count_retriable(campaign: Campaign, *, now: dt.datetime) -> Retriable:
    """Of a campaign that is still inside its window, or whose further steps have theirs. Two queries; the second asks of each
    skipped person what a mark asks."""
    if not _is_in_time(campaign, now):
        return Retriable()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM campaigns_message m WHERE {_FAILED}", _params(campaign, now))
        failed = int(cursor.fetchone()[0])
        cursor.execute(
            f"SELECT m.skip_reason, count(*) FROM ({_SKIPPED}) AS found JOIN campaigns_message m ON m.id = found.id GROUP BY 1",
            _params(campaign, now),
        )  # fmt: skip
        return Retriable(failed, {reason: int(number) for reason, number in cursor.fetchall()})


@transaction.atomic
def retry_messages(user: User, campaign: Campaign, *, kind: str, now: dt.datetime) -> int:
    """`failed | skipped -> queued` for those that may be tried again; a campaign that was through goes on. Returns how many.

    Never `unknown`, and never a message of which a try is in doubt. A number of tries that is used up gives one more. The mark
    asks everything again. Raises PermissionDenied, TransitionConflict (cancelled meanwhile) and NotReady (the window is over,
    nothing to try again).
    """
    Campaign.objects.select_for_update().filter(pk=campaign.pk).exists()  # it does not end while we look
    campaign.refresh_from_db()
    policy.may_retry(user, campaign).enforce()
    if kind not in KINDS:
        raise NotReady([_("There is nothing to try again.")])
    if not _is_in_time(campaign, now):
        raise NotReady([_("The approved send window is over, so nothing can be tried again.")])
    if campaign.status == CampaignStatus.SENT:
        reason = gettext_noop("Messages are tried again.")
        change_status(
            campaign, sources=[CampaignStatus.SENT], target=CampaignStatus.SENDING, actor=user, reason=reason, now=now
        )
    with connection.cursor() as cursor:
        chosen = f"SELECT m.id FROM campaigns_message m WHERE {_FAILED}" if kind == FAILED else _SKIPPED
        cursor.execute(
            f"""
            UPDATE campaigns_message m
            SET status = 'queued', skip_reason = '', response = '', settled_at = NULL, not_before = NULL, claimed_by = ''
            FROM ({chosen}) AS found
            WHERE m.id = found.id AND m.status = %(kind)s AND m.in_doubt_since IS NULL
            """,
            _params(campaign, now) | {"kind": kind},
        )
        queued = int(cursor.rowcount)
    if not queued:
        raise NotReady([_("There is nothing to try again.")])
    record_audit(AuditAction.MESSAGES_RETRIED, actor=user, about=("campaign", campaign.pk), kind=kind, messages=queued)
    return queued


def count_failures(campaign: Campaign, *, most: int = 6) -> list[tuple[str, int]]:
    """Refusals for good by what the server said, the most first: the phase and its code, never the words, which name people."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(substring(response FROM '^[a-z_]+: [0-9]{3}'), substring(response FROM '^[a-z_]+'), '') AS kind,"
            " count(*) FROM campaigns_message WHERE campaign_id = %s AND status = %s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s",
            [campaign.pk, MessageStatus.FAILED, most],
        )
        return [(kind or "?", int(number)) for kind, number in cursor.fetchall()]


def has_failures(campaign: Campaign) -> bool:
    """Whether it is worth asking what may be tried again."""
    states = [MessageStatus.FAILED, MessageStatus.SKIPPED]
    return Message.objects.filter(campaign=campaign, status__in=states).exists()


def _is_in_time(campaign: Campaign, now: dt.datetime) -> bool:
    running = {CampaignStatus.SENDING, CampaignStatus.PAUSED, CampaignStatus.SENT}
    if campaign.status not in running or campaign.scheduled_for is None:
        return False
    return campaign.is_live or now < window_end(campaign) or FollowUp.objects.filter(campaign=campaign).exists()


def _params(campaign: Campaign, now: dt.datetime) -> dict[str, Any]:
    return exclusion_params(campaign, now=now) | {
        "campaign": campaign.pk,
        "tries": MAX_ATTEMPTS,
        "passing": [reason.value for reason in PASSING_REASONS],
        "sent": sorted(sent_channels()),
        "now": now,
        "is_open": not campaign.is_live and now < window_end(campaign),
    }


#: A window of its own has the message of somebody with an hour of their own, of a live campaign, and each further step.
_IN_TIME: Final = "(m.send_by > %(now)s OR m.send_by IS NULL AND %(is_open)s)"
#: By SMTP 5xx: the mailbox does not exist, and asking again costs our name. Over HTTP 503 asks for patience, and 4xx is for good
#: but for those that are not.
_FOR_GOOD: Final = f"""CASE WHEN m.route IN ('', '{SMTP_ROUTE.name}') THEN m.response ~ '^[a-z_]+: 5[0-9][0-9]'
    ELSE m.response ~ '^[a-z_]+: 4[0-9][0-9]'
      AND m.response !~ '^[a-z_]+: ({"|".join(map(str, sorted(NOT_TAKEN | NOT_OUR_ACCOUNT)))})' END"""
#: Refused for a time until the tries were used up. A refusal for good stays one.
_FAILED: Final = f"""m.campaign_id = %(campaign)s AND m.status = 'failed' AND m.in_doubt_since IS NULL
    AND m.attempts >= %(tries)s AND NOT {_FOR_GOOD} AND {_IN_TIME}"""
#: What the mark of the message's own channel would ask: consent, suppression and address of another say nothing of it.
_BY_CHANNEL: Final = " ".join(
    f"WHEN '{kind}' THEN {exclusion_case_sql('c', channel=kind, judged_at=JUDGED_AT_SQL)}" for kind in Channel.values
)
#: The text that stands in the place of the one that the row was queued with: that would be sent.
_STANDING: Final = """SELECT n.id AS variant_id FROM campaigns_variant o JOIN campaigns_variant n
      ON n.archetype_id = o.archetype_id AND n.step = o.step AND n.label = o.label AND n.retired_at IS NULL
    WHERE o.id = m.variant_id"""
_SKIPPED: Final = f"""SELECT m.id FROM campaigns_message m
    JOIN campaigns_campaign p ON p.id = m.campaign_id JOIN customers_customer c ON c.id = m.customer_id
    JOIN LATERAL ({_STANDING}) AS b ON true
    WHERE m.campaign_id = %(campaign)s AND m.status = 'skipped' AND m.skip_reason = ANY(%(passing)s)
      AND m.in_doubt_since IS NULL AND m.channel = ANY(%(sent)s) AND {_IN_TIME}
      AND coalesce(nullif({stale_fact_sql("b", "p")}, ''), CASE m.channel {_BY_CHANNEL} END) = ''
      AND NOT {had_it_sql("m", "c")}"""

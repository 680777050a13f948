"""Starts campaigns whose hour has come, once, and finishes those that have nothing left to send."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop, override

from campaigns.approval.catalogue import hold_against_catalogue
from campaigns.approval.transitions import change_status
from campaigns.approval.validity import find_void_reason
from campaigns.approval.voiding import return_to_draft
from campaigns.approval.workflow import find_stale_parts, window_end
from campaigns.models import Campaign, CampaignStatus, TransitionConflict

from .entering.beginning import begin_entering
from .fence.gate import may_launch
from .outbox import open_message_ids, queue_messages
from .progression import has_open_entries, open_entries
from .sent_events import record_missing_sent_events

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class StartCounts:
    """What one look at the due campaigns did."""

    started: int = 0
    missed: int = 0
    voided: int = 0
    queued: int = 0


def start_due_campaigns(now: dt.datetime) -> StartCounts:
    """Start every due campaign inside its window; a later one is missed, a changed one goes back to draft.

    Safe to run twice and in parallel: the guarded change of state lets one caller win, and the outbox' key lets each
    person be queued once. State and rows are one transaction, so a crash leaves the campaign scheduled. After a restored
    backup none starts until a person confirms.
    """
    started = missed = voided = queued = 0
    if not Campaign.objects.due(now).exists() or not may_launch():
        return StartCounts()
    for campaign in Campaign.objects.due(now).order_by("scheduled_for", "pk"):
        try:
            outcome, rows = start_campaign(campaign, now=now)
        except TransitionConflict:
            continue  # another beat was first
        started += outcome == CampaignStatus.SENDING
        missed += outcome == CampaignStatus.MISSED
        voided += outcome == CampaignStatus.DRAFT
        queued += rows
        log.info("campaign_due", campaign=campaign.pk, outcome=outcome, queued=rows)
    return StartCounts(started, missed, voided, queued)


@transaction.atomic
def start_campaign(campaign: Campaign, *, now: dt.datetime) -> tuple[str, int]:
    """`scheduled -> sending` with its outbox; returns the new status and the rows queued.

    `-> missed` after its window; `-> draft`, approvals voided, when anything is no longer what was approved, the approval is too
    old, too many of its people have changed, or a text says a price that the catalogue no longer has. Raises
    TransitionConflict when it is not scheduled (any more).
    """
    if not Campaign.objects.select_for_update().filter(pk=campaign.pk, status=CampaignStatus.SCHEDULED).exists():
        raise TransitionConflict
    campaign.refresh_from_db()
    if now >= window_end(campaign):
        reason = gettext_noop(
            "Its send window was over before it could start. Choose another time and submit it again."
        )
        change_status(
            campaign, sources=[CampaignStatus.SCHEDULED], target=CampaignStatus.MISSED, actor=None, reason=reason,
            now=now,
        )  # fmt: skip
        return campaign.status, 0
    stale = find_stale_parts(campaign)
    if stale:
        with override("en"):
            names = ", ".join(str(part.label) for part in stale)
        reason = gettext_noop("Changed after the approval: %(parts)s. Look at it and submit it again.") % {
            "parts": names
        }
        return_to_draft(None, campaign, reason=reason, now=now)
        return campaign.status, 0
    outlived = find_void_reason(campaign, now=now)
    if outlived:
        return_to_draft(None, campaign, reason=outlived, now=now)
        return campaign.status, 0
    hold_against_catalogue(campaign, now=now)
    if campaign.status != CampaignStatus.SCHEDULED:  # a text says a price that is not true
        return campaign.status, 0
    change_status(
        campaign, sources=[CampaignStatus.SCHEDULED], target=CampaignStatus.SENDING, actor=None, now=now,
        sending_started_at=now, entry_rule=campaign.segment.rule,
    )  # fmt: skip
    if campaign.is_live:
        begin_entering(campaign, now=now)
        return campaign.status, 0
    open_entries(campaign, now=now)
    return campaign.status, queue_messages(campaign, now=now)


def finish_campaigns(now: dt.datetime) -> int:
    """`sending -> sent` for every campaign with no open message and nobody on their way through its steps; returns how
    many. Safe to run twice.

    A live one goes on until nobody may enter any more and nobody is on their way. Before that, events that a killed worker
    could not write are made up for.
    """
    finished = 0
    for campaign in Campaign.objects.filter(status=CampaignStatus.SENDING):
        # In this order: a sweep queues a step in the transaction in which it moves the person on.
        if has_open_entries(campaign.pk) or (campaign.is_live and campaign.lets_in(now)):
            continue
        if open_message_ids(campaign.pk):
            continue
        record_missing_sent_events(campaign.pk)
        if _finish(campaign, now):
            finished += 1
            log.info("campaign_sent", campaign=campaign.pk)
    return finished


@transaction.atomic
def _finish(campaign: Campaign, now: dt.datetime) -> bool:
    """False where it is not sending any more, or a person had something tried again since we looked."""
    Campaign.objects.select_for_update().filter(pk=campaign.pk).exists()
    if open_message_ids(campaign.pk):
        return False
    try:
        change_status(
            campaign, sources=[CampaignStatus.SENDING], target=CampaignStatus.SENT, actor=None, now=now,
            sending_finished_at=now,
        )  # fmt: skip
    except TransitionConflict:
        return False
    return True

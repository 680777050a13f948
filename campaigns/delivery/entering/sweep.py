"""Looks at every live campaign and lets people in. The row lock and the watermark make two looks at once one look."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from campaigns.audience.entrants import Look, gather_all, gather_triggered
from campaigns.audience.entry_rules import EntryRuleError, EventTrigger, OverdueTrigger, Trigger, parse_trigger
from campaigns.delivery.control import pause_campaign
from campaigns.delivery.fence.gate import may_launch
from campaigns.models import Campaign, CampaignKind, CampaignStatus, Occurrence, TransitionConflict
from customers.segments.rules import RuleError

from .beginning import list_due, note_occurrences, read_log_horizon
from .rows import EnteredCounts, write_entries

log = structlog.get_logger(__name__)

#: How long after a look the next one is worth it: a segment is asked of everybody, and days turn once a day.
LOOK_EVERY: Final = {EventTrigger: dt.timedelta(0), OverdueTrigger: dt.timedelta(hours=1)}
USUAL_LOOK_EVERY: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class SweepCounts:
    """What one sweep did; `failed` campaigns are looked at again by the next, `paused` ones wait for a person."""

    entered: int = 0
    queued: int = 0
    failed: int = 0
    paused: int = 0


def let_people_in(now: dt.datetime) -> SweepCounts:
    """Look at all live campaigns that are sending. Safe to run twice and at once; a broken campaign stops no other.

    Nobody is let in behind the fence: a restored backup has forgotten who entered since.
    """
    counts, failed, paused = EnteredCounts(), 0, 0
    live = Campaign.objects.filter(status=CampaignStatus.SENDING).exclude(kind=CampaignKind.ONE_OFF)
    if not live.exists() or not may_launch():
        return SweepCounts()
    for campaign_id in live.order_by("pk").values_list("pk", flat=True):
        try:
            entered = enter_campaign(campaign_id, now=now)
        except (EntryRuleError, RuleError) as error:
            paused += _pause_broken(campaign_id, error, now)
        except Exception:
            failed += 1
            log.exception("campaign_cannot_let_in", campaign=campaign_id)
        else:
            counts += entered
            if entered.entered:
                log.info("people_entered", campaign=campaign_id, entered=entered.entered, queued=entered.queued)
    return SweepCounts(counts.entered, counts.queued, failed, paused)


@transaction.atomic
def enter_campaign(campaign_id: int, *, now: dt.datetime) -> EnteredCounts:
    """One look at one campaign: entries, messages, memory and watermark in one transaction.

    Nothing where another worker is looking, or where it does not let people in (any more). Raises EntryRuleError or
    RuleError for a rule that cannot be read.
    """
    locked = Campaign.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    campaign = locked.select_related("segment").filter(pk=campaign_id, status=CampaignStatus.SENDING).first()
    if campaign is None or not campaign.lets_in(now):
        return EnteredCounts()
    if campaign.kind == CampaignKind.RECURRING:
        return _hold_occurrences(campaign, now)
    return _look_for_causes(campaign, now)


def _hold_occurrences(campaign: Campaign, now: dt.datetime) -> EnteredCounts:
    """The newest occurrence that is due takes place, inside its window; older ones were missed: never two at once."""
    due = list_due(campaign, now)
    if not due:
        return EnteredCounts()
    look, counts = Look(campaign, now, campaign.entered_until), EnteredCounts()
    newest = due.pop()
    if now >= newest + look.window:
        due.append(newest)
    else:
        counts = write_entries(look) if gather_all(look, newest) else counts
        note_occurrences(campaign, [newest], Occurrence.Outcome.ENTERED, now, counts.entered)
    note_occurrences(campaign, due, Occurrence.Outcome.MISSED, now)
    _move_watermark(campaign, now)
    return counts


def _look_for_causes(campaign: Campaign, now: dt.datetime) -> EnteredCounts:
    trigger = parse_trigger(campaign.trigger)
    if not _is_worth_a_look(campaign, trigger, now):
        return EnteredCounts()
    # Read first: whatever commits after this is looked for again the next time.
    seen_until = read_log_horizon() if isinstance(trigger, EventTrigger) else now
    look = Look(campaign, now, campaign.entered_until)
    counts = write_entries(look) if gather_triggered(look, trigger) else EnteredCounts()
    _move_watermark(campaign, seen_until)
    return counts


def _is_worth_a_look(campaign: Campaign, trigger: Trigger, now: dt.datetime) -> bool:
    last = campaign.entered_until
    return last is None or now - last >= LOOK_EVERY.get(type(trigger), USUAL_LOOK_EVERY)


def _move_watermark(campaign: Campaign, until: dt.datetime) -> None:
    """Never back: the oldest open transaction may be older than at the last look, which saw what it wrote before."""
    seen = campaign.entered_until
    if seen is None or until > seen:
        Campaign.objects.filter(pk=campaign.pk).update(entered_until=until)


def _pause_broken(campaign_id: int, error: Exception, now: dt.datetime) -> bool:
    """A rule that cannot be read will not mend itself."""
    reason = gettext_noop("What lets people in can no longer be read (%(error)s). End it and start another.") % {
        "error": error
    }
    try:
        pause_campaign(None, Campaign.objects.get(pk=campaign_id), reason=reason[:300], now=now)
    except TransitionConflict:
        return False
    log.warning("campaign_paused_by_its_rule", campaign=campaign_id)
    return True

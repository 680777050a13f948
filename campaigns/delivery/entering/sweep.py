"""Looks at every live campaign and lets people in. The row lock and the watermark make two looks at once one look."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.audience.entrants import Look, gather_all, gather_triggered, remember_present
from campaigns.audience.entry_rules import EntryRuleError, EventTrigger, OverdueTrigger, Trigger, parse_trigger
from campaigns.audience.recurrence import parse_recurrence
from campaigns.delivery.control import pause_campaign
from campaigns.delivery.fence.gate import may_launch
from campaigns.models import Campaign, CampaignKind, CampaignStatus, Occurrence, TransitionConflict
from customers.segments.rules import RuleError

from .rows import EnteredCounts, write_entries

log = structlog.get_logger(__name__)

#: How long after a look the next one is worth it: a segment is asked of everybody, and days turn once a day.
LOOK_EVERY: Final = {EventTrigger: dt.timedelta(0), OverdueTrigger: dt.timedelta(hours=1)}
USUAL_LOOK_EVERY: Final = dt.timedelta(minutes=10)
#: Clocks of two sessions of one database are read at slightly different places of it.
HORIZON_MARGIN_S: Final = 5


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


def begin_entering(campaign: Campaign, *, now: dt.datetime) -> None:
    """What a live campaign remembers from its start on: who is there already, and from when on things count.

    In the transaction that starts it. A recurring one begins with the occurrence at its hour, if there is one.
    """
    values = {"enters_from": now, "entry_rule": campaign.segment.rule, "entered_until": now}
    if campaign.kind == CampaignKind.RECURRING:
        assert campaign.scheduled_for is not None
        values["entered_until"] = campaign.scheduled_for - dt.timedelta(microseconds=1)
    else:
        trigger = parse_trigger(campaign.trigger)
        if isinstance(trigger, EventTrigger):
            values["entered_until"] = read_log_horizon()
        elif trigger.includes_present:
            del values["entered_until"]
        else:
            remember_present(Look(campaign, now, None), trigger)
    Campaign.objects.filter(pk=campaign.pk).update(**values)
    campaign.refresh_from_db()


def skip_pause(campaign: Campaign, *, now: dt.datetime) -> None:
    """Leave out what happened while it was paused: from here on it counts anew. In the transaction that resumes it."""
    values = {"enters_from": now, "entered_until": now}
    if campaign.kind == CampaignKind.RECURRING:
        _note_occurrences(campaign, list_due(campaign, now), Occurrence.Outcome.MISSED, now)
    else:
        trigger = parse_trigger(campaign.trigger)
        if isinstance(trigger, EventTrigger):
            values["entered_until"] = read_log_horizon()
        remember_present(Look(campaign, now, None), trigger)
    Campaign.objects.filter(pk=campaign.pk).update(**values)
    campaign.refresh_from_db()


def list_due(campaign: Campaign, now: dt.datetime) -> list[dt.datetime]:
    """Occurrences up to `now` that were not looked at yet, in order."""
    assert campaign.scheduled_for is not None
    since = campaign.entered_until or campaign.scheduled_for - dt.timedelta(microseconds=1)
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    return parse_recurrence(campaign.recurrence).list_between(since, now, anchor=campaign.scheduled_for, zone=zone)


def read_log_horizon() -> dt.datetime:
    """Up to when the event log is complete: every event that was written down before is there to be seen.

    An event carries the time of the statement that wrote it, and is seen only once its transaction commits. So what
    began writing before the oldest transaction that is still open may be missing, and nothing else.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least(clock_timestamp(), min(xact_start)) - make_interval(secs => %s) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
            [HORIZON_MARGIN_S],
        )
        horizon: dt.datetime = cursor.fetchone()[0]
        return horizon


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
        _note_occurrences(campaign, [newest], Occurrence.Outcome.ENTERED, now, counts.entered)
    _note_occurrences(campaign, due, Occurrence.Outcome.MISSED, now)
    _move_watermark(campaign, now)
    return counts


def _note_occurrences(
    campaign: Campaign, due: list[dt.datetime], outcome: Occurrence.Outcome, now: dt.datetime, entered: int = 0
) -> None:
    Occurrence.objects.bulk_create(
        [
            Occurrence(campaign=campaign, due_at=due_at, outcome=outcome, noted_at=now, entered=entered)
            for due_at in due
        ],
        ignore_conflicts=True,
    )
    if outcome == Occurrence.Outcome.MISSED and due:
        log.warning("occurrences_missed", campaign=campaign.pk, missed=len(due))


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
    reason = _("What lets people in can no longer be read (%(error)s). End it and start another.") % {"error": error}
    try:
        pause_campaign(None, Campaign.objects.get(pk=campaign_id), reason=reason[:300], now=now)
    except TransitionConflict:
        return False
    log.warning("campaign_paused_by_its_rule", campaign=campaign_id)
    return True

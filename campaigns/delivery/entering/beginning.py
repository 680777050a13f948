"""Where a live campaign begins to look for people, and what it notes of its occurrences."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import connection

from campaigns.audience.entrants import Look, remember_present
from campaigns.audience.entry_rules import EventTrigger, parse_trigger
from campaigns.audience.recurrence import parse_recurrence
from campaigns.models import Campaign, CampaignKind, Occurrence

log = structlog.get_logger(__name__)

#: Clocks of two sessions of one database are read at slightly different places of it.
HORIZON_MARGIN_S: Final = 5


def begin_entering(campaign: Campaign, *, now: dt.datetime) -> None:
    """What a live campaign remembers from its start on: who is there already, and from when on things count.

    In the transaction that starts it. A recurring one begins with the occurrence at its hour, if there is one.
    """
    values: dict[str, Any] = {"enters_from": now, "entered_until": now}
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


def start_over(campaign: Campaign, *, now: dt.datetime) -> None:
    """Leave out what happened while it was paused: from here on it counts anew. In the transaction that resumes it."""
    values: dict[str, Any] = {"enters_from": now, "entered_until": now}
    if campaign.kind == CampaignKind.RECURRING:
        note_occurrences(campaign, list_due(campaign, now), Occurrence.Outcome.MISSED, now)
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


def note_occurrences(
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

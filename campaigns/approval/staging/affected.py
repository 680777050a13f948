"""Whom a staged change touches: counted from the outbox and the entries, as they are now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from campaigns.models import ApprovalPart, Arm, Campaign, Entry, MessageStatus, StagedChange
from campaigns.models.message import WAITING_STATUSES

#: How far back is looked to say how many enter in a week; under `LEAST` nobody can say.
_LOOK_BACK: Final = dt.timedelta(days=28)
_LEAST: Final = dt.timedelta(days=2)
_NEVER_LEFT: Final = (*WAITING_STATUSES, MessageStatus.SKIPPED, MessageStatus.FAILED)


@dataclass(frozen=True)
class Affected:
    """`waiting` messages would leave changed; `in_doubt` may have left with the old text and will not be repeated; `had` people
    got what stands now, which nothing changes. `under_way` are entries with steps before them, `people` all whom it can
    still touch, each once. `weekly` is how many enter in a week, None where it is too early to say or nobody enters."""

    waiting: int = 0
    in_doubt: int = 0
    had: int = 0
    under_way: int = 0
    people: int = 0
    weekly: int | None = None

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


def count_affected(change: StagedChange, *, now: dt.datetime) -> Affected:
    """Three queries. By the texts that would become others; where none would, everybody who waits."""
    campaign = change.campaign
    texts = change.outcome.get("texts", [])
    places = [(text["archetype"], text["step"], text["label"]) for text in texts]
    only_texts = set(change.outcome.get("touched", [])) <= {ApprovalPart.MESSAGES.value}
    params: Mapping[str, Any] = {
        "campaign": campaign.pk,
        "archetypes": [place[0] for place in places],
        "steps": [place[1] for place in places],
        "labels": [place[2] for place in places],
        "all": not only_texts,
        "waiting": [status.value for status in WAITING_STATUSES],
        "never_left": [status.value for status in _NEVER_LEFT],
        "treatment": Arm.TREATMENT.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED_SQL + _MESSAGES_SQL, params)
        waiting, in_doubt, had = cursor.fetchone()
        cursor.execute(_TOUCHED_SQL + _PEOPLE_SQL, params)
        under_way, people = cursor.fetchone()
    return Affected(waiting, in_doubt, had, under_way, people, _count_weekly(campaign, now))


def _count_weekly(campaign: Campaign, now: dt.datetime) -> int | None:
    started = campaign.sending_started_at
    if not campaign.is_live or started is None or now - started < _LEAST:
        return None
    since = max(started, now - _LOOK_BACK)
    entered = Entry.objects.filter(
        campaign=campaign, arm=Arm.TREATMENT, entered_at__gte=since, entered_at__lte=now
    ).count()  # fmt: skip
    return round(entered / ((now - since) / dt.timedelta(days=7)))


#: The texts in question, whichever row of them a message was queued with.
_TOUCHED_SQL = """
WITH places AS (
    SELECT * FROM unnest(%(archetypes)s::bigint[], %(steps)s::int[], %(labels)s::text[]) AS p(archetype_id, step, label)
), touched AS (
    SELECT v.id FROM campaigns_variant v JOIN places p USING (archetype_id, step, label)
)
"""
_MESSAGES_SQL = """
SELECT count(*) FILTER (WHERE m.status = ANY(%(waiting)s) AND m.in_doubt_since IS NULL AND (%(all)s OR is_touched)),
       count(*) FILTER (WHERE m.status = ANY(%(waiting)s) AND m.in_doubt_since IS NOT NULL AND is_touched),
       count(*) FILTER (WHERE m.status <> ALL(%(never_left)s) AND is_touched)
FROM campaigns_message m CROSS JOIN LATERAL (SELECT m.variant_id IN (SELECT id FROM touched) AS is_touched) AS t
WHERE m.campaign_id = %(campaign)s
"""
_PEOPLE_SQL = """
, on_the_way AS (
    SELECT e.customer_id FROM campaigns_entry e
    WHERE e.campaign_id = %(campaign)s AND e.next_at IS NOT NULL AND e.arm = %(treatment)s
      AND (%(all)s OR EXISTS (SELECT FROM places p WHERE p.archetype_id = e.archetype_id AND p.step >= e.next_step))
), in_the_outbox AS (
    SELECT m.customer_id FROM campaigns_message m
    WHERE m.campaign_id = %(campaign)s AND m.status = ANY(%(waiting)s) AND m.in_doubt_since IS NULL
      AND (%(all)s OR m.variant_id IN (SELECT id FROM touched))
)
SELECT (SELECT count(*) FROM on_the_way),
       (SELECT count(*) FROM (SELECT customer_id FROM on_the_way UNION SELECT customer_id FROM in_the_outbox) AS anybody)
"""

"""How far a frozen audience has drifted from what the same freeze would give now, in one query and without writing a row."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection

from campaigns.models import Arm, Campaign, ExclusionReason
from customers.ingest.clock import read_shop_clock
from customers.segments.rules import RuleError

from .people import placed_sql

#: Fewer people than this never void an approval, whatever share of a small audience they are: each of them is looked at
#: again before their message leaves.
FEWEST_DRIFTED: Final = 5
_STILL_MEANT: Final = f"'{ExclusionReason.TOO_NEW}', '{ExclusionReason.GLOBAL_HOLDOUT}'"


@dataclass(frozen=True)
class Drift:
    """Of `frozen` people, in both arms or left out by rank: how many left the segment and how many may no longer be written
    to; and how many would newly be in."""

    frozen: int
    left: int
    excluded: int
    joined: int

    @property
    def changed(self) -> int:
        return self.left + self.excluded + self.joined

    @property
    def share(self) -> float:
        """Changed people as a share of the frozen ones; may exceed 1 where a segment has grown. 0 of nobody."""
        return self.changed / self.frozen if self.frozen else 0.0

    def is_beyond(self, most: float) -> bool:
        return self.changed >= FEWEST_DRIFTED and self.share > most


def measure_drift(campaign: Campaign, *, now: dt.datetime) -> Drift | None:
    """What a freeze at `now` would change; None where the segment's rule is one that can no longer be read.

    People whose score is gone do not count: they would still get their message. Nor do those whom a new round of the global
    hold-out drew: that says nothing of whom the campaign means, and each is left out when their message is due.
    Those whom a person chose to leave out, because little is gained by writing to them, count as frozen: who would newly be in
    is counted before anybody is left out so.

    One query over the segment and the frozen rows.
    """
    try:
        placed, params = placed_sql(campaign, now=now, clock=read_shop_clock(now))
    except RuleError:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
WITH {placed},
frozen AS (
  SELECT customer_id FROM campaigns_audiencemember
  WHERE campaign_id = %(campaign)s AND (arm <> '{Arm.EXCLUDED}' OR exclusion_reason = '{ExclusionReason.LITTLE_GAIN}')
)
SELECT count(f.customer_id),
       count(*) FILTER (WHERE f.customer_id IS NOT NULL AND p.customer_id IS NULL),
       count(*) FILTER (WHERE f.customer_id IS NOT NULL
                          AND p.exclusion_reason NOT IN ('', {_STILL_MEANT})),
       count(*) FILTER (WHERE f.customer_id IS NULL AND p.exclusion_reason = '')
FROM placed p FULL JOIN frozen f ON f.customer_id = p.customer_id""",
            {**params, "campaign": campaign.pk},
        )
        return Drift(*(int(number) for number in cursor.fetchone()))

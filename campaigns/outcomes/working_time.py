"""How long people worked on something, from the moments at which they left a trace of it. No Django here.

What stands in an audit trail are acts, not hours. Two acts of one person that lie close together are taken as work in
between; before the first act of each sitting some minutes are added, because reading and thinking leave no trace. The rule is
rough and always the same: it compares campaigns, and a person may enter what they know better.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Final

#: Longer without a trace is a pause.
LONGEST_GAP: Final = dt.timedelta(minutes=15)
#: Added before the first act of each sitting.
LEAD: Final = dt.timedelta(minutes=5)


def estimate_minutes(acts: Iterable[tuple[Hashable, dt.datetime]]) -> float:
    """Minutes of all people together, from (who, when) in any order: two who work at the same time count twice."""
    by_person: dict[Hashable, list[dt.datetime]] = defaultdict(list)
    for who, when in acts:
        by_person[who].append(when)
    return sum((_add_up(sorted(moments)) for moments in by_person.values()), dt.timedelta()) / dt.timedelta(minutes=1)


def _add_up(moments: list[dt.datetime]) -> dt.timedelta:
    worked, before = LEAD, moments[0]
    for moment in moments[1:]:
        gap = moment - before
        worked += gap if gap <= LONGEST_GAP else LEAD
        before = moment
    return worked

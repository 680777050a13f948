"""What the recorded membership of segments says: who is in, sizes by day, and what segments have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import F, Q

from customers.models import Customer, Segment, SegmentChange, SegmentCount, SegmentMember, SegmentSize

from .compiler import CompiledQuery, compile_rule
from .preview import matches
from .rules import Group, RuleError, parse_rule

#: Recorded membership that was looked at so long ago is as good as asking: the sweep comes once a minute.
FRESH_FOR: Final = dt.timedelta(minutes=3)


@dataclass(frozen=True)
class Overlap:
    """How many people of one segment are in another, and how many the other has."""

    segment: Segment
    shared: int
    size: int


def list_segments_of(customer: Customer, *, as_of: dt.datetime) -> list[tuple[Segment, dt.datetime | None]]:
    """The segments that a customer is in, with when they came in (None: it is not known). A segment that was not counted
    yet is asked about this one person."""
    members = SegmentMember.objects.filter(customer=customer, segment__is_archived=False).select_related("segment")
    found = {member.segment_id: (member.segment, member.entered_at) for member in members}
    uncounted = Segment.objects.filter(is_archived=False).exclude(
        counted__number=F("number"), counted__recounted_at__isnull=False, counted__fault=""
    )[:20]
    for segment in uncounted:
        found.pop(segment.pk, None)
        if _is_in(segment, customer, as_of):
            found[segment.pk] = (segment, None)
    return sorted(found.values(), key=lambda pair: pair[0].name)


def recorded_members(rule: Any, *, now: dt.datetime, segment_id: int) -> CompiledQuery | None:
    """The recorded members of a segment, where `rule` is its rule as it was counted a moment ago; None where it has to be
    asked. So that who enters a campaign and who enters its segment are the same people, counted once."""
    fresh = SegmentCount.objects.filter(
        segment_id=segment_id, number=F("segment__number"), looked_at__gte=now - FRESH_FOR, looked_at__lte=now, fault="",
        recounted_at__isnull=False,
    ).select_related("segment").first()  # fmt: skip
    if fresh is None or fresh.segment.rule != rule:
        return None
    sql = "SELECT customer_id FROM customers_segmentmember WHERE segment_id = %(segment_0)s"
    return CompiledQuery(sql, {"segment_0": segment_id})


def read_sizes(segment: Segment, *, days: int = 90) -> list[SegmentSize]:
    """The sizes of the last days on which it was counted, the oldest first."""
    return list(reversed(segment.sizes.order_by("-day")[:days]))


def list_changes(segment: Segment, *, size: int = 10) -> list[SegmentChange]:
    """Who came and went last."""
    return list(segment.changes.select_related("customer").order_by("-pk")[:size])


def measure_overlaps(rule: Group, *, as_of: dt.datetime, without: int | None = None, most: int = 8) -> list[Overlap]:
    """The segments that share most people with `rule`, in one statement over recorded membership."""
    query = compile_rule(rule, as_of=as_of)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
WITH meant AS MATERIALIZED ({query.sql})
SELECT m.segment_id, count(*) FROM customers_segmentmember m JOIN meant n USING (customer_id)
JOIN customers_segment s ON s.id = m.segment_id AND NOT s.is_archived AND s.id IS DISTINCT FROM %(without)s
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s""",
            {**query.params, "without": without, "most": most},
        )
        shared = dict(cursor.fetchall())
    return _name_overlaps(shared)


def list_users(segment: Segment) -> list[Segment]:
    """Other segments whose rules ask for membership of this one."""
    others = Segment.objects.filter(is_archived=False).exclude(pk=segment.pk)
    return [other for other in others if segment.pk in set(_named_segments(other.rule))]


def _named_segments(tree: Any) -> Iterable[int]:
    """The numbers of the segments that a tree names, wherever they stand in it."""
    if isinstance(tree, list):
        for child in tree:
            yield from _named_segments(child)
    elif isinstance(tree, dict):
        named = tree.get("segment")
        if isinstance(named, int) and not isinstance(named, bool):
            yield named
        for child in tree.values():
            yield from _named_segments(child)


def _name_overlaps(shared: dict[int, int]) -> list[Overlap]:
    segments = Segment.objects.filter(Q(pk__in=shared), is_archived=False).select_related("counted")
    found = [Overlap(segment, shared[segment.pk], segment.counted.size) for segment in segments]
    return sorted(found, key=lambda overlap: (-overlap.shared, overlap.segment.pk))


def _is_in(segment: Segment, customer: Customer, as_of: dt.datetime) -> bool:
    try:
        return matches(parse_rule(segment.rule), customer, as_of=as_of)
    except RuleError:
        return False

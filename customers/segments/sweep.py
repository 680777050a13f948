"""Who came into which segment and who left it: what changed is looked at, not everybody.

Triggers of the database note about whom something was written down (`TouchedCustomer`); who crosses a border of time
follows from dates (`borders`). Both together are asked whether they are meant, by one statement for each segment. Everybody
is asked where that is the better way: the first time, for another rule, after new scores, and once a day.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import structlog
from django.db import connection, transaction

from customers.ingest.clock import read_shop_clock, shop_day
from customers.models import (
    Customer,
    Segment,
    SegmentChange,
    SegmentCount,
    SegmentMember,
    SegmentSize,
)
from customers.models.customer import ERASED_SOURCE, MERGED_SOURCE

from .compiler import CompiledQuery, compile_rule
from .resolve import resolve_memberships
from .rules import Rule, RuleError, parse_rule
from .touched import LOOKED_AT, TOUCHED, gather_looked_at, has_touched_erased, take_touched

#: Above this share of all customers it is quicker to ask everybody.
MOST_LOOKED_AT: Final = 0.2
CHANGES_KEPT: Final = dt.timedelta(days=400)
LOCK: Final = "customers.segments.sweep"

#: Tables that rules read of one person, narrowed to those who are looked at. A common table expression hides the table of
#: its name, so that every part of the compiled rule reads the few rows only.
_NARROWED: Final = {
    "customers_customer": "id",
    "customers_order": "customer_id",
    "customers_customerevent": "customer_id",
    "customers_consentrecord": "customer_id",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SweepCounts:
    """What a sweep did. `looked_at` counts people asked, over all segments; `recounted` segments asked everybody."""

    segments: int = 0
    recounted: int = 0
    looked_at: int = 0
    entered: int = 0
    left: int = 0
    failed: int = 0

    def __add__(self, other: SweepCounts) -> SweepCounts:
        names = ("segments", "recounted", "looked_at", "entered", "left", "failed")
        return SweepCounts(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True)
class _Look:
    """One look at one segment: how it stood, its rule, and as of when it is asked."""

    counted: SegmentCount
    rule: Rule
    now: dt.datetime
    as_of: dt.datetime
    is_full: bool

    rule_hash: str

    @property
    def cause(self) -> str:
        """Why people come and go whom nothing new is known of."""
        if self.counted.rule_hash != self.rule_hash:
            return SegmentChange.Cause.RULE
        return SegmentChange.Cause.TIME


@transaction.atomic
def sweep_segments(now: dt.datetime) -> SweepCounts:
    """Bring the recorded membership of every segment up to date. A second sweep at the same time does nothing, a second
    one after it finds nothing to do; a rule that cannot be read stops no other segment."""
    if not _is_alone():
        return SweepCounts()
    everybody = take_touched(now)
    known = list(Segment.objects.order_by("pk"))  # read once: one that is archived meanwhile is looked at or forgotten
    _forget_members([segment.pk for segment in known if segment.is_archived])
    segments = [segment for segment in known if not segment.is_archived]
    if not segments:
        return SweepCounts()
    as_of = read_shop_clock(now)
    count_everybody, has_erased = cache(Customer.objects.count), cache(has_touched_erased)
    done = SweepCounts()
    for segment in segments:
        try:
            with transaction.atomic():
                done += _look_at(
                    segment, now=now, as_of=as_of, everybody=everybody, count_everybody=count_everybody,
                    has_erased=has_erased,
                )  # fmt: skip
        except Exception as error:  # what is broken in one must not leave the others as they were
            done += SweepCounts(failed=1)
            _note_fault(segment, error, now)
    return done


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [LOCK])
        return bool(cursor.fetchone()[0])


def _forget_members(archived: list[int]) -> None:
    """Who was in segments that are archived, which nobody looks at any more. Who came and went and the sizes stay; one that
    is taken back is counted as for the first time."""
    for counted in SegmentCount.objects.filter(segment__in=archived):
        SegmentMember.objects.filter(segment=counted.segment_id).delete()
        counted.delete()


def _look_at(
    segment: Segment, *, now: dt.datetime, as_of: dt.datetime, everybody: bool, count_everybody: Callable[[], int],
    has_erased: Callable[[], bool],
) -> SweepCounts:  # fmt: skip
    counted, _made = SegmentCount.objects.select_for_update(of=("self",)).get_or_create(segment=segment)
    counted.segment = segment
    rule = resolve_memberships(parse_rule(segment.rule))
    rule_hash = hashlib.md5(repr(rule).encode(), usedforsecurity=False).hexdigest()
    is_full = everybody or counted.rule_hash != rule_hash or _wants_recount(counted, now, as_of)
    looked_at = 0 if is_full else gather_looked_at(rule, since=counted.as_of, as_of=as_of)
    total = count_everybody() if is_full or looked_at > 1000 else 0
    if not is_full and looked_at > 1000 and looked_at > MOST_LOOKED_AT * total:
        is_full = True
    look = _Look(counted, rule, now, as_of, is_full, rule_hash)
    entered, left = (0, 0) if not is_full and not looked_at else _record(look)
    _note_count(look, entered, left, is_counted=is_full or (looked_at > 0 and has_erased()))
    people = total if is_full else looked_at
    return SweepCounts(1, int(is_full), people, entered, left)


def _wants_recount(counted: SegmentCount, now: dt.datetime, as_of: dt.datetime) -> bool:
    """The first time, for another rule, after a fault, where the shop's clock went back, and once a day: what goes by days
    of the shop's calendar changes at its midnight."""
    if not counted.is_of_this_rule or counted.as_of is None or counted.recounted_at is None:
        return True
    went_back = as_of < counted.as_of
    return went_back or shop_day(counted.as_of) != shop_day(as_of) or shop_day(counted.recounted_at) != shop_day(now)


def _record(look: _Look) -> tuple[int, int]:
    """Write who came and who left, in one statement; how many of each. The first count of a segment is no change: nobody
    knows since when people are in it."""
    is_first = look.counted.recounted_at is None
    query = compile_rule(look.rule, as_of=look.as_of)
    within = "" if look.is_full else f" AND m.customer_id IN (SELECT customer_id FROM {LOOKED_AT})"
    sql = f"""
WITH {"" if look.is_full else _narrow()}meant AS MATERIALIZED ({_known(query)}),
gone AS (
  DELETE FROM customers_segmentmember m WHERE m.segment_id = %(segment)s{within}
    AND NOT EXISTS (SELECT FROM meant n WHERE n.customer_id = m.customer_id)
  RETURNING m.customer_id
), come AS (
  INSERT INTO customers_segmentmember (segment_id, customer_id, entered_at)
  SELECT %(segment)s, customer_id, %(entered_at)s FROM meant ON CONFLICT DO NOTHING RETURNING customer_id
), noted AS (
  INSERT INTO customers_segmentchange (segment_id, customer_id, has_entered, cause, happened_at)
  SELECT %(segment)s, k.customer_id, k.has_entered,
         CASE WHEN %(cause)s = 'time' AND k.customer_id IN (SELECT customer_id FROM {TOUCHED}) THEN 'data' ELSE %(cause)s END,
         %(now)s
  FROM (SELECT customer_id, true AS has_entered FROM come UNION ALL SELECT customer_id, false FROM gone) AS k
  WHERE NOT %(is_first)s
)
SELECT (SELECT count(*) FROM come), (SELECT count(*) FROM gone)"""
    params = {
        **query.params,
        "segment": look.counted.segment_id,
        "entered_at": None if is_first else look.now,
        "cause": look.cause,
        "now": look.now,
        "is_first": is_first,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        entered, left = cursor.fetchone()
    return int(entered), int(left)


def _narrow() -> str:
    return "".join(
        f"{table} AS NOT MATERIALIZED (SELECT * FROM {table} WHERE {key} IN (SELECT customer_id FROM {LOOKED_AT})), "
        for table, key in _NARROWED.items()
    )


def _known(query: CompiledQuery) -> str:
    """The people of a query without those who were erased."""
    return (
        f"SELECT q.customer_id FROM ({query.sql}) AS q WHERE NOT EXISTS"
        f" (SELECT FROM customers_customer k WHERE k.id = q.customer_id AND k.source IN ('{ERASED_SOURCE}', '{MERGED_SOURCE}'))"
    )


def _note_count(look: _Look, entered: int, left: int, *, is_counted: bool) -> None:
    """Note what was found. With `is_counted` the size is that of the recorded members, else it follows from who came and went."""
    counted = look.counted
    is_first = counted.recounted_at is None
    counted.size = counted.segment.members.count() if is_counted else max(0, counted.size + entered - left)
    counted.number, counted.rule_hash = counted.segment.number, look.rule_hash
    counted.as_of, counted.looked_at, counted.fault = look.as_of, look.now, ""
    if look.is_full:
        counted.recounted_at = look.now
        SegmentChange.objects.filter(segment=counted.segment, happened_at__lt=look.now - CHANGES_KEPT).delete()
    counted.save()
    _note_size(counted, look.now, entered=0 if is_first else entered, left=left)


def _note_size(counted: SegmentCount, now: dt.datetime, *, entered: int, left: int) -> None:
    """The row of the day; one that says the same already is not written."""
    table = SegmentSize._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO {table} AS s (segment_id, day, size, entered, "left") VALUES (%s, %s, %s, %s, %s)'
            " ON CONFLICT (segment_id, day) DO UPDATE SET size = excluded.size, entered = s.entered + excluded.entered,"
            ' "left" = s."left" + excluded."left"'
            ' WHERE (s.size, excluded.entered, excluded."left") IS DISTINCT FROM (excluded.size, 0, 0)',
            [counted.segment_id, shop_day(now), counted.size, entered, left],
        )


def _note_fault(segment: Segment, error: Exception, now: dt.datetime) -> None:
    """The page says that it is not counted any more; the next sweep tries again."""
    if not isinstance(error, RuleError):
        log.exception("segment_cannot_be_counted", segment=segment.pk)
    SegmentCount.objects.update_or_create(segment=segment, defaults={"fault": str(error)[:300], "looked_at": now})

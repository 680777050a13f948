"""Merges beside each other, beside an import and beside the sender: a clear result for everybody, and no deadlock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import polars as pl
import pytest
from django.db import connection, transaction

from customers.ingest.consent import record_consent
from customers.ingest.customers import upsert_customers
from customers.ingest.recorder import NewEvent, record_events
from customers.merging.locking import PeopleAreBusy, retry_until_free
from customers.merging.merge import merge_customers
from customers.merging.moving import lock_rows
from customers.merging.plan import CannotMerge
from customers.merging.strays import gather_strays
from customers.merging.undo import undo_merge
from customers.models import Customer, CustomerEvent, CustomerMerge

from .shops import NOW

pytestmark = pytest.mark.django_db(transaction=True)
#: Far longer than anything here takes: who reaches it waits for ever.
LIMIT_S = 60


@pytest.fixture
def people() -> list[Customer]:
    return [Customer.objects.create(external_id=name, email=f"{name}@tarnside.test") for name in "abc"]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as found:
        yield found


def run(pool: ThreadPoolExecutor, act: Callable[[], object]) -> Future[object]:
    """In a thread of its own, whose connection is closed afterwards."""

    def acting() -> object:
        try:
            return act()
        finally:
            connection.close()

    return pool.submit(acting)


def result_of(future: Future[object]) -> object:
    """What came of it, or the refusal; any other error is one."""
    try:
        return future.result(LIMIT_S)
    except CannotMerge as refusal:
        return refusal


def test_two_merges_of_overlapping_people_at_once_leave_one_whole_result(
    people: list[Customer], pool: ThreadPoolExecutor
) -> None:
    a, b, c = (person.pk for person in people)
    start = threading.Barrier(3)

    def merge(loser: int, survivor: int) -> object:
        start.wait(LIMIT_S)
        return merge_customers(loser, survivor, reason="staff", actor=None, now=NOW)

    futures = [run(pool, lambda pair=pair: merge(*pair)) for pair in ((a, b), (b, a), (b, c))]  # type: ignore[misc]
    results = [result_of(future) for future in futures]
    merged = [found for found in results if isinstance(found, CustomerMerge)]
    standing = CustomerMerge.objects.filter(undone_at=None)
    assert standing.count() == len(merged) >= 1
    assert Customer.objects.known().count() == 3 - len(merged)
    assert len({merge.loser_id for merge in merged}) == len(merged), "nobody was merged twice"
    known = set(Customer.objects.known().values_list("pk", flat=True))
    assert {merge.holder_id for merge in standing} <= known, "whoever holds the rows is a customer"
    for merge in sorted(merged, key=lambda merge: -merge.pk):
        undo_merge(merge.pk, actor=None, now=NOW)
    assert Customer.objects.known().count() == 3


def test_a_merge_waits_for_an_import_and_says_so_where_that_takes_too_long(
    people: list[Customer], pool: ThreadPoolExecutor
) -> None:
    a, b, _c = (person.pk for person in people)
    writing, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            upsert_customers(pl.DataFrame({"external_id": ["a"], "first_name": ["Ruth"]}))
            record_events([NewEvent(a, "page_viewed", NOW, "e1")], source="shop")
            writing.set()
            assert go_on.wait(LIMIT_S)

    importing = run(pool, write)
    assert writing.wait(LIMIT_S)
    with pytest.raises(PeopleAreBusy, match="Try again"):
        retry_until_free(lambda: _lock(a, b), tries=2)
    merging = run(pool, lambda: merge_customers(a, b, reason="staff", actor=None, now=NOW))
    go_on.set()
    importing.result(LIMIT_S)
    merge = result_of(merging)
    assert isinstance(merge, CustomerMerge)
    assert Customer.objects.get(pk=b).first_name == "Ruth" and CustomerEvent.objects.get().customer_id == b


def test_who_was_looked_up_before_the_merge_and_written_after_it_is_brought_over(
    people: list[Customer], pool: ThreadPoolExecutor
) -> None:
    """A request has found the row, the merge commits, and only then the request writes."""
    a, b, _c = people
    merge = merge_customers(a.pk, b.pk, reason="staff", actor=None, now=NOW)
    record_consent(a, source="form", now=NOW)
    assert b.consents.count() == 0
    assert gather_strays() == 1
    assert b.consents.get().came_as == a.pk
    assert gather_strays() == 0
    undo_merge(merge.pk, actor=None, now=NOW)
    assert (a.consents.count(), b.consents.count()) == (1, 0)


def test_imports_and_merges_in_a_throng_end_without_a_deadlock(
    people: list[Customer], pool: ThreadPoolExecutor
) -> None:
    a, b, c = (person.pk for person in people)
    start = threading.Barrier(4)

    def write(order: list[str]) -> None:
        start.wait(LIMIT_S)
        for number in range(12):
            upsert_customers(pl.DataFrame({"external_id": order, "first_name": [f"{name}{number}" for name in order]}))
            events = [NewEvent(pk, "page_viewed", NOW, f"{order[0]}{number}-{pk}") for pk in (a, b, c)]
            record_events(events, source="shop")

    def merge_and_undo(loser: int, survivor: int) -> int:
        start.wait(LIMIT_S)
        done = 0
        for _number in range(6):
            try:
                merge = merge_customers(loser, survivor, reason="staff", actor=None, now=NOW)
                undo_merge(merge.pk, actor=None, now=NOW)
                done += 1
            except CannotMerge:
                continue
        return done

    writers = [run(pool, lambda order=order: write(order)) for order in (["a", "b", "c"], ["c", "b", "a"])]  # type: ignore[misc]
    mergers = [run(pool, lambda pair=pair: merge_and_undo(*pair)) for pair in ((a, b), (b, c))]  # type: ignore[misc]
    for future in writers + mergers:
        future.result(LIMIT_S)
    gather_strays()
    for merge in CustomerMerge.objects.filter(undone_at=None).order_by("-pk"):
        undo_merge(merge.pk, actor=None, now=NOW)
    assert CustomerEvent.objects.count() == 2 * 12 * 3
    assert Customer.objects.known().count() == 3


def _lock(a: int, b: int) -> None:
    with connection.cursor() as cursor:
        lock_rows(cursor, a, b)

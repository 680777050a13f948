"""A no that was said while several were one: it holds for each of them, in whichever order the merges are undone."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from customers.ingest.consent import find_newest_consent, record_consent, record_consents, withdraw_consent
from customers.ingest.preferences import read_preference, save_preference
from customers.ingest.tracking import allows_tracking, record_tracking_consent
from customers.merging.merge import merge_customers
from customers.merging.undo import undo_merge
from customers.models import Customer, CustomerMerge

from .shops import NOW

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
BEFORE = NOW - dt.timedelta(days=9)


@pytest.fixture
def three() -> list[Customer]:
    """Three who agreed to be written to and to be watched, each by themselves."""
    people = [Customer.objects.create(external_id=name, email=f"{name}@tarnside.test") for name in ("a", "b", "c")]
    for person in people:
        record_consent(person, source="form", now=BEFORE)
        record_tracking_consent(person, is_given=True, source="page", now=BEFORE)
    return people


def merge(loser: Customer, survivor: Customer, now: dt.datetime) -> CustomerMerge:
    return merge_customers(loser.pk, survivor.pk, reason="staff", actor=None, now=now)


def refuse(person: Customer, now: dt.datetime) -> None:
    withdraw_consent(person, source="page", now=now)
    record_tracking_consent(person, is_given=False, source="page", now=now)


def list_answers(people: list[Customer]) -> list[tuple[str, bool]]:
    newest = [find_newest_consent(person.pk) for person in people]
    return [(one.status if one else "", allows_tracking(person)) for one, person in zip(newest, people, strict=True)]


def test_a_no_goes_down_a_chain(three: list[Customer]) -> None:
    first, second, third = three
    below = merge(first, second, NOW)
    above = merge(second, third, NOW + HOUR)
    refuse(third, NOW + 2 * HOUR)
    undo_merge(above.pk, actor=None, now=NOW + 3 * HOUR)
    undo_merge(below.pk, actor=None, now=NOW + 4 * HOUR)
    assert list_answers(three) == [("withdrawn", False)] * 3


def test_a_no_is_not_hidden_by_a_merge_that_came_later(three: list[Customer]) -> None:
    first, second, third = three
    earlier = merge(first, third, NOW)
    refuse(third, NOW + HOUR)
    later = merge(second, third, NOW + 2 * HOUR)
    undo_merge(earlier.pk, actor=None, now=NOW + 3 * HOUR)
    undo_merge(later.pk, actor=None, now=NOW + 4 * HOUR)
    # The second became a part of them only after the no was said.
    assert list_answers(three) == [("withdrawn", False), ("given", True), ("withdrawn", False)]


def test_a_no_of_before_somebody_came_is_theirs_alone(three: list[Customer]) -> None:
    first, second, third = three
    earlier = merge(first, third, NOW)
    refuse(second, NOW + HOUR)
    later = merge(second, third, NOW + 2 * HOUR)
    undo_merge(earlier.pk, actor=None, now=NOW + 3 * HOUR)
    undo_merge(later.pk, actor=None, now=NOW + 4 * HOUR)
    assert list_answers(three) == [("given", True), ("withdrawn", False), ("given", True)]


def test_a_yes_after_the_no_holds(three: list[Customer]) -> None:
    first, _second, third = three
    done = merge(first, third, NOW)
    refuse(third, NOW + HOUR)
    record_consent(third, source="form", now=NOW + 2 * HOUR)
    undo_merge(done.pk, actor=None, now=NOW + 3 * HOUR)
    assert [status for status, _tracks in list_answers([first, third])] == ["given", "given"]


def test_an_objection_to_profiling_goes_down_a_chain(three: list[Customer]) -> None:
    first, second, third = three
    below = merge(first, second, NOW)
    above = merge(second, third, NOW + HOUR)
    save_preference(third, {"objects_to_profiling_at": NOW + 2 * HOUR}, source="page", now=NOW + 2 * HOUR)
    undo_merge(above.pk, actor=None, now=NOW + 3 * HOUR)
    undo_merge(below.pk, actor=None, now=NOW + 4 * HOUR)
    assert all(read_preference(person).objects_to_profiling_at for person in three)


def test_an_objection_is_not_hidden_by_an_older_one_that_came_later(three: list[Customer]) -> None:
    first, second, third = three
    save_preference(second, {"objects_to_profiling_at": BEFORE}, source="page", now=BEFORE)
    earlier = merge(first, third, NOW)
    save_preference(third, {"objects_to_profiling_at": NOW + HOUR}, source="page", now=NOW + HOUR)
    merge(second, third, NOW + 2 * HOUR)
    undo_merge(earlier.pk, actor=None, now=NOW + 3 * HOUR)
    assert read_preference(first).objects_to_profiling_at


def test_a_no_that_the_shop_told_of_the_old_id_holds_for_both(three: list[Customer]) -> None:
    first, _second, third = three
    done = merge(first, third, NOW)
    told = {"customer": ["a"], "status": ["withdrawn"], "legal_basis": ["consent"], "recorded_at": [NOW + HOUR]}
    record_consents(pl.DataFrame(told))
    undo_merge(done.pk, actor=None, now=NOW + 2 * HOUR)
    assert [status for status, _tracks in list_answers([first, third])] == ["withdrawn", "withdrawn"]


def test_a_no_of_a_third_who_came_over_another_is_no_word_of_the_first(three: list[Customer]) -> None:
    """The third was a part of the second when they said no, and the second came to the survivor later."""
    fourth = Customer.objects.create(external_id="d", email="d@tarnside.test")
    first, second, third = three
    earlier = merge(first, fourth, NOW)
    merge(third, second, NOW)
    told = {"customer": ["c"], "status": ["withdrawn"], "legal_basis": ["consent"], "recorded_at": [NOW + HOUR]}
    record_consents(pl.DataFrame(told))
    merge(second, fourth, NOW + 2 * HOUR)
    undo_merge(earlier.pk, actor=None, now=NOW + 3 * HOUR)
    assert list_answers([first])[0][0] == "given"

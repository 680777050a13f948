"""Files of events are written by time, the newest first, and come to the same as if they were written at once."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from customers.ingest.files import import_orders_file
from customers.ingest.records.cleaning import STAGED
from customers.ingest.resuming import stages, steps
from customers.ingest.resuming.cutting import STAGE_KEYS, cut_by_time, taking_part
from customers.ingest.resuming.stages import Stage
from customers.models import Customer, CustomerEvent, ImportRun

from .conftest import NOW, MakeFile, choose

pytestmark = pytest.mark.django_db
START = dt.datetime(2024, 11, 30, 22, tzinfo=dt.UTC)
OPTIONS = choose(
    kind="events", columns={"customer": "customer_id", "kind": "event", "at": "timestamp", "event": "event_id"}
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "PART_LINES", 50)


def stage_moments(moments: Iterable[dt.datetime], *, parts: int) -> Stage:
    stage = Stage(7)
    stage.make(STAGED["events"], key=STAGE_KEYS["events"], parts=parts)
    rows = [(line, moment, f"e{line}") for line, moment in enumerate(moments, 2)]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {stage.lines} (line, customer, kind, at, event) VALUES (%s, 'a', 'page_viewed', %s, %s)", rows
        )
    return stage


def read_parts(stage: Stage) -> list[list[dt.datetime]]:
    """The moments of each part, in the order in which the parts are written."""
    found = []
    with connection.cursor() as cursor:
        cuts = cut_by_time(cursor, stage.lines)
        for number in range(len(cuts) - 1):
            with taking_part(cursor, stage, cuts, number) as part:
                cursor.execute(f"SELECT at FROM {part} ORDER BY at")
                found.append([row[0] for row in cursor.fetchall()])
    return found


def test_parts_hold_each_line_once_and_none_is_much_larger_than_the_others() -> None:
    rng = random.Random(3)
    moments = [START + dt.timedelta(minutes=rng.randrange(60 * 24 * 100)) for _line in range(600)]
    parts = read_parts(stage_moments(moments, parts=5))
    assert [moment for part in reversed(parts) for moment in part] == sorted(moments)
    assert len(parts) == 600 // 50
    assert max(map(len, parts)) < 60 and min(map(len, parts)) > 40


def test_the_newest_come_first_and_months_and_years_are_no_border() -> None:
    moments = [START + dt.timedelta(hours=hours) for hours in range(1_500)]  # from November into February
    parts = read_parts(stage_moments(moments, parts=3))
    assert len(parts) == 1_500 // 50
    assert all(newer[0] > older[-1] for newer, older in pairwise(parts))


def test_events_of_one_moment_are_one_part() -> None:
    moments = [START] * 300 + [START + dt.timedelta(days=400)]
    parts = read_parts(stage_moments(moments, parts=2))
    assert [len(part) for part in parts] == [1, 300]


def test_a_stage_without_lines_has_no_parts() -> None:
    with connection.cursor() as cursor:
        assert cut_by_time(cursor, stage_moments([], parts=1).lines) == ()


def make_rows() -> list[str]:
    """300 events of twelve people, three of whom nobody knows, and twenty that stand again."""
    rng = random.Random(5)
    rows = [
        f"p{rng.randrange(12)},search_performed,{START + dt.timedelta(hours=rng.randrange(5_000)):%Y-%m-%dT%H:%M:%SZ},e{number}"
        for number in range(300)
    ]
    return [*rows, *rows[:20]]


def test_events_stop_as_the_newest_of_the_file_and_go_on_to_the_same_end(
    make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    Customer.objects.bulk_create([Customer(external_id=f"p{number}") for number in range(9)])
    rows = make_rows()
    path = make_file(*rows, header="customer_id,event,timestamp,event_id")
    work, calls = steps.apply_records, []

    def fail_at_third(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("the disk is full")
        return work(*arguments, **named)

    monkeypatch.setattr(steps, "apply_records", fail_at_third)
    with pytest.raises(RuntimeError):
        import_orders_file(path, OPTIONS, now=NOW)
    known = {row for row in rows if int(row.split(",")[0][1:]) < 9}
    newest = sorted((row.split(",")[2] for row in known), reverse=True)
    there = [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in CustomerEvent.objects.values_list("occurred_at", flat=True)]
    assert 40 < len(there) < 110
    assert sorted(there, reverse=True) == newest[: len(there)]

    report = import_orders_file(path, OPTIONS, now=NOW)
    assert (report.created, report.unchanged) == (len(known), 0) == (CustomerEvent.objects.count(), 0)
    assert report.left_out["unknown_customer"] + report.left_out["stands_again"] == len(rows) - len(known)
    assert report.customers == 9
    assert ImportRun.objects.get().report["customers"] == 9

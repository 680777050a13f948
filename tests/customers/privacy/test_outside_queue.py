"""What people decide stands outside the database whatever dies in between, in the order in which they said it."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from customers import tasks
from customers.ingest import outside_queue
from customers.ingest.consent import (
    hash_address,
    is_suppressed,
    lift_unsubscription,
    record_consent,
    suppress_address,
    withdraw_consent,
)
from customers.ingest.outside import list_noted_objections, list_noted_scheduled
from customers.ingest.outside_queue import (
    note_objection_outside,
    note_scheduled_outside,
    note_spared_outside,
    write_waiting_lines,
)
from customers.models import ConsentRecord, Customer, OutsideLine, Suppression
from customers.models.consent import forgetting
from customers.privacy.restoring import repeat_lost
from customers.privacy.wishes import LostWishes, repeat_wishes
from tests.killed import serving

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
UNSUBSCRIBED = Suppression.Reason.UNSUBSCRIBED


def read(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()] if Path(path).exists() else []


@pytest.fixture
def leavers() -> Iterator[subprocess.Popen[str]]:
    with serving("tests.customers.privacy.killed_leaver") as process:
        yield process


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_commit_and_line_loses_nobody(
    leavers: subprocess.Popen[str], settings: Settings
) -> None:
    people = [Customer.objects.create(external_id=f"k-{number}", email=f"k{number}@shop.test") for number in (1, 2)]
    for one in people:
        record_consent(one, source="form", now=NOW)
    before = len(read(settings.WISHES_FILE))
    assert leavers.stdin is not None and leavers.stdout is not None
    for place, one in zip(("before", "after"), people, strict=True):
        leavers.stdin.write(f"{place} {one.pk}\n")
        leavers.stdin.flush()
        worker = int(leavers.stdout.readline())
        assert leavers.stdout.readline() == "stopped\n"
        os.kill(worker, signal.SIGKILL)
        assert one.consents.latest("recorded_at").status == "withdrawn", "it had committed"
        assert OutsideLine.objects.exists()
        _wait_until_free()
    assert len(read(settings.WISHES_FILE)) > before, "the second had its line on disk"
    tasks.write_outside()
    assert not OutsideLine.objects.exists()

    # The database goes back to before both; a line that was written twice says it once.
    go_back_to_before(people)
    assert repeat_wishes(NOW + 2 * HOUR) == LostWishes(withdrawals=2)
    assert [one.consents.latest("recorded_at").status for one in people] == ["withdrawn", "withdrawn"]


def _wait_until_free() -> None:
    """Until the database has noticed that the worker is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [outside_queue.WRITING_LOCK])
        cursor.execute("SELECT pg_advisory_unlock(%s)", [outside_queue.WRITING_LOCK])


def go_back_to_before(people: list[Customer]) -> None:
    with transaction.atomic(), forgetting():
        ConsentRecord.objects.filter(customer__in=people, status="withdrawn").delete()


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_holds_up_nobody_and_is_made_good_later(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, settings.WISHES_FILE = settings.WISHES_FILE, str(tmp_path)
    ana = Customer.objects.create(external_id="ana-0001", email="ana@shop.test")
    record_consent(ana, source="form", now=NOW)
    withdraw_consent(ana, source="unsubscribe", now=NOW + HOUR)
    suppress_address("ana@shop.test", reason=UNSUBSCRIBED)
    assert is_suppressed("ana@shop.test") and OutsideLine.objects.count() == 3
    assert "write_waiting_lines" in caplog.text and "ana" not in caplog.text
    settings.WISHES_FILE = good
    repeat_lost(NOW + HOUR)
    assert [line.get("is_given") for line in read(good)] == [True, False, None]
    assert write_waiting_lines() == 0


@pytest.mark.django_db(transaction=True)
def test_what_contradicts_itself_stands_in_the_order_in_which_it_was_said(settings: Settings) -> None:
    """Many at once: each address is suppressed and lifted again and again, and ends suppressed."""

    def click(address: str) -> None:
        for _again in range(4):
            suppress_address(address, reason=UNSUBSCRIBED)
            lift_unsubscription(address)
        suppress_address(address, reason=UNSUBSCRIBED)
        connection.close()

    threads = [threading.Thread(target=click, args=[f"p{number % 3}@shop.test"]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write_waiting_lines()
    standing: dict[str, bool] = {}
    for line in read(settings.WISHES_FILE):
        for _channel, hashed in line.get("suppressed", []) + line.get("lifted", []):
            standing[hashed] = "suppressed" in line
    there = set(Suppression.objects.values_list("address_hash", flat=True))
    assert {hashed for hashed, is_on in standing.items() if is_on} == there


@pytest.mark.django_db
def test_a_line_that_comes_a_second_time_or_late_is_not_the_newest(settings: Settings) -> None:
    """As a crash before its row was gone, or a backup that was taken in that moment, leaves it behind later ones."""
    key = ["email", hash_address("ana@shop.test")]
    early, late = "2026-11-20T10:00:00+00:00", "2026-11-20T11:00:00.000001+00:00"
    lines = [
        {"suppressed": [key], "reason": "staff", "at": early},
        {"lifted": [key], "at": late},
        {"domains": [["shop.example", False]], "at": early},
        {"domains_lifted": [["shop.example", False]], "at": late},
        {"suppressed": [key], "reason": "staff", "at": early},
        {"domains": [["shop.example", False]], "at": early},
    ]
    Path(settings.WISHES_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert repeat_wishes(NOW) == LostWishes()
    assert not is_suppressed("ana@shop.test") and not is_suppressed("x@shop.example")


@pytest.mark.django_db
def test_erasures_that_were_taken_back_stay_so_when_a_line_comes_late(
    settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        note_scheduled_outside(["h" * 64], NOW)
        note_objection_outside(["o" * 64], objects=True, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        note_spared_outside(["h" * 64], NOW, why="taken_back")
        note_scheduled_outside(["h" * 64], NOW + HOUR)
        note_objection_outside(["o" * 64], objects=False, now=NOW + HOUR)
    assert not OutsideLine.objects.exists()
    path = Path(settings.ERASURE_FILE)
    path.write_text(path.read_text() + "".join(path.read_text().splitlines(keepends=True)[:2]))
    assert list_noted_scheduled() == {"h" * 64: NOW + HOUR}
    assert list_noted_objections() == {}

"""A worker that is killed (kill -9) in any step of an import: the next goes on there, and all is as if nothing had happened."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from customers.ingest import reading
from customers.ingest.erased import hash_identity
from customers.ingest.files import import_orders_file
from customers.ingest.progress import LOCK, fail_run, queue_run
from customers.ingest.resuming import stages, steps
from customers.ingest.resuming.fates import read_fates
from customers.ingest.resuming.marks import Mark
from customers.ingest.resuming.stages import Stage, drop_old_stages, forget_in_stages
from customers.ingest.runs import receive_file, request_import, run_import, waiting_runs
from customers.ingest.schema import ImportOptions
from customers.models import (
    ConsentRecord,
    Customer,
    CustomerEvent,
    ErasedPerson,
    ImportRejection,
    ImportRun,
    Order,
    OrderLine,
    Product,
)
from tests.killed import serving

from . import killed_worker
from .conftest import GOOD, HEADER, NOW, MakeFile, choose

PEOPLE = [f"p{number}" for number in range(40)]
#: The steps of which each has to be killed once at least: batches, conflicts, articles, parts, and the end.
MANY = 8


def make_orders(rng: random.Random) -> bytes:
    """Orders whose lines lie all over the file, with doubles, faults, broken rows, and lines of other people in one order."""
    rows = [
        f"o{order},A{rng.randrange(30):03},WARE {rng.randrange(3)},{rng.randrange(1, 5)},2024-0{1 + order % 9}-11 10:00,"
        f"{rng.randrange(1, 900) / 100},{PEOPLE[order % 40]},France"
        for order in (rng.randrange(90) for _line in range(270))
    ]
    other = ",".join([*rows[7].split(",")[:6], "somebody", "France"])
    rows += [rows[3], rows[150], "too,few", GOOD.replace("17850", "")]
    rows += ["o1,A001,WARE,1,2024-02-11 10:00,1.00,p7,France", "o2,A001,WARE,1,2099-02-11 10:00,1.00,p2,France"]
    rng.shuffle(rows)
    return "\n".join([HEADER, *rows, other, ""]).encode()


def make_customers(rng: random.Random) -> bytes:
    rows = [f"{rng.choice(PEOPLE)}{number % 7},n{number}@x.example,N{number},DE" for number in range(280)]
    return "\n".join(["customer_id,email,first_name,country", *rows, "broken", "x,no-address,N,DE", ""]).encode()


def make_events(rng: random.Random) -> bytes:
    rows = [f"{rng.choice(PEOPLE)},search_performed,2024-01-{1 + number % 28:02}" for number in range(280)]
    return "\n".join(["user_id,event,timestamp", *rows, "stranger,search_performed,2024-01-01", ""]).encode()


def make_consents(rng: random.Random) -> bytes:
    rows = [f"{rng.choice(PEOPLE)},{rng.choice(['yes', 'no'])},2024-01-{1 + number % 28:02}" for number in range(280)]
    return "\n".join(["user_id,status,date", *rows, ""]).encode()


FILES = {
    "orders": (make_orders, choose()),
    "customers": (make_customers, choose(kind="customers", columns={
        "customer": "customer_id", "email": "email", "first_name": "first_name", "country": "country"})),
    "events": (make_events, choose(kind="events", columns={"customer": "user_id", "kind": "event", "at": "timestamp"})),
    "consents": (make_consents, choose(kind="consents", columns={"customer": "user_id", "status": "status", "at": "date"})),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _small(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    monkeypatch.setattr(stages, "PART_LINES", killed_worker.PART_LINES)
    monkeypatch.setattr(reading, "BLOCK_BYTES", killed_worker.BLOCK_BYTES)


@pytest.fixture
def workers() -> Iterator[subprocess.Popen[str]]:
    with serving("tests.customers.ingest.killed_worker") as process:
        yield process


def request(marketer: User, content: bytes, options: ImportOptions) -> ImportRun:
    run = receive_file(marketer, SimpleUploadedFile("file.csv", content), NOW, kind=options.kind)
    request_import(marketer, run, options)
    return run


def work_until_killed(workers: subprocess.Popen[str], run: ImportRun, *, steps: int) -> bool:
    """Let a worker do the run, and kill it in its step number `steps`; True where it was through before."""
    assert workers.stdin is not None
    assert workers.stdout is not None
    workers.stdin.write(f"{run.pk} {steps}\n")
    workers.stdin.flush()
    process = int(workers.stdout.readline())
    said = workers.stdout.readline().strip()
    if said == "done":
        return True
    assert said == "stopped"
    os.kill(process, signal.SIGKILL)
    return False


def wait_for_lock(run: ImportRun) -> None:
    """Until the database has noticed that the worker is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK, run.pk])
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, run.pk])


def look(run: ImportRun) -> dict[str, Any]:
    """Everything that an import writes, by what people know it by; no ids."""
    run.refresh_from_db()
    return {
        "report": {name: value for name, value in run.report.items() if name != "run"},
        "lines": list(read_fates(run)),
        "customers": sorted(
            Customer.objects.values_list(
                "external_id", "email", "first_name", "country", "time_zone", "language", "joined_at"
            ),
            key=str,
        ),
        "products": sorted(Product.objects.values_list("sku", "name", "price", "is_charge", "version")),
        "orders": sorted(
            Order.objects.values_list("external_id", "customer__external_id", "total", "ordered_at", "is_return")
        ),
        "order_lines": sorted(
            OrderLine.objects.values_list("order__external_id", "position", "product__sku", "quantity", "unit_price")
        ),
        "events": sorted(
            CustomerEvent.objects.values_list("customer__external_id", "external_id", "occurred_at", "kind")
        ),
        "consents": sorted(
            ConsentRecord.objects.values_list("customer__external_id", "status", "recorded_at", "source")
        ),
        "left_out": sorted(ImportRejection.objects.filter(run=run).values_list("line_number", "reason", "content")),
    }


def forget_everything() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customer, customers_product, customers_importrun CASCADE")


def begin(kind: str) -> None:
    """What the shop knows before: the people, and for orders an older state of some of them."""
    forget_everything()
    if kind in ("events", "consents"):
        Customer.objects.bulk_create([Customer(source="shop", external_id=name) for name in PEOPLE])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", list(FILES))
def test_killed_in_each_step_it_ends_as_if_nobody_had_been(
    marketer: User, workers: subprocess.Popen[str], kind: str
) -> None:
    make, options = FILES[kind]
    content = make(random.Random(7))
    begin(kind)
    calm = request(marketer, content, options)
    assert run_import(calm.pk, now=NOW)
    expected = look(calm)
    assert expected["report"]["created"] > 50
    outcomes = Counter(outcome for _line, outcome, _reason, _content in expected["lines"])
    left_out = sum(expected["report"]["left_out"].values())
    assert outcomes == Counter(created=expected["report"]["created"], left_out=left_out) + Counter(
        updated=expected["report"]["updated"], unchanged=expected["report"]["unchanged"]
    )
    assert outcomes.total() == expected["report"]["lines_read"]

    begin(kind)
    run = request(marketer, content, options)
    kills = 0
    connection.close()
    while not work_until_killed(workers, run, steps=3):  # 1 takes it up, 2 gets on by a step, 3 dies in the next
        kills += 1
        wait_for_lock(run)
        assert run.pk in waiting_runs()
        assert kills < 60

    assert kills >= MANY
    assert look(run) == expected
    assert run.status == ImportRun.Status.DONE
    assert not Stage(run.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_nobody_is_half_there_while_an_import_is_under_way(marketer: User, workers: subprocess.Popen[str]) -> None:
    content = make_orders(random.Random(8))
    begin("orders")
    calm = request(marketer, content, choose())
    assert run_import(calm.pk, now=NOW)
    whole = {
        c.external_id: sorted(o.total for o in c.orders.all()) for c in Customer.objects.prefetch_related("orders")
    }

    begin("orders")
    run = request(marketer, content, choose())
    connection.close()
    seen = set()
    while not work_until_killed(workers, run, steps=3):
        wait_for_lock(run)
        there = {
            c.external_id: sorted(o.total for o in c.orders.all()) for c in Customer.objects.prefetch_related("orders")
        }
        assert all(whole[name] == totals for name, totals in there.items())
        seen.add(len(there))
        run.refresh_from_db()
        assert run.lines_written == OrderLine.objects.count()
    assert len(seen) > 3, "some were there and others not yet"


@pytest.mark.django_db
def test_what_an_earlier_worker_staged_of_another_file_or_choice_is_not_taken_up(make_file: MakeFile) -> None:
    path = make_file(GOOD)
    report = import_orders_file(path, choose(), now=NOW)
    run = ImportRun.objects.get()
    stage, of = Stage(run.pk), {"row_hash": "bigint", "customer": "text"}
    stage.make(of, key="customer", parts=1)
    run.mark = Mark("another", NOW, parts=1, line=2, lines_read=1, is_settled=True, written=2).to_json()
    run.save()
    again = import_orders_file(path, choose(), now=NOW)
    assert (report.created, again.unchanged, again.lines_read) == (1, 1, 1)
    run.refresh_from_db()
    assert run.mark == {} and not stage.exists()


@pytest.mark.django_db
def test_an_error_of_ours_says_what_stays_and_the_same_file_goes_on(
    make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_file(*make_orders(random.Random(9)).decode().splitlines()[1:])
    work, calls = steps.apply_lines, []

    def fail_at_third(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("the disk is full")
        return work(*arguments, **named)

    monkeypatch.setattr(steps, "apply_lines", fail_at_third)
    with pytest.raises(RuntimeError):
        import_orders_file(path, choose(), now=NOW)
    run = ImportRun.objects.get()
    assert run.status == ImportRun.Status.FAILED and run.lines_written == OrderLine.objects.count() > 0
    assert f"{run.lines_written} lines had been taken over" in run.error
    assert drop_old_stages(NOW.replace(year=2020)) == 0, "somebody may give the file again"
    report = import_orders_file(path, choose(), now=NOW)
    assert (report.run_id, report.updated, report.unchanged) == (run.pk, 0, 0), (
        "what was written before is counted as new"
    )
    assert report.created == OrderLine.objects.count()
    assert len(calls) == 3 + steps.count_parts(277) - 2


@pytest.mark.django_db
def test_stages_that_nobody_goes_on_with_are_dropped(marketer: User) -> None:
    columns = {"customer": "text"}
    open_run, failed, gone = (ImportRun.objects.create(file_name=name) for name in ("a", "b", "c"))
    fail_run(failed, "stopped")
    for run in (open_run, failed, gone):
        Stage(run.pk).make(columns, key="customer", parts=2)
    number = gone.pk
    gone.delete()
    failed.refresh_from_db()
    assert failed.finished_at is not None
    assert drop_old_stages(failed.finished_at + dt.timedelta(hours=1)) == 1
    assert not Stage(number).exists() and Stage(failed.pk).exists()
    assert drop_old_stages(failed.finished_at + dt.timedelta(days=2)) == 1
    assert not Stage(failed.pk).exists() and Stage(open_run.pk).exists()


@pytest.mark.django_db
def test_who_is_erased_while_an_import_waits_is_left_out(marketer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    run = request(marketer, make_orders(random.Random(5)), choose())
    with monkeypatch.context() as patched:
        patched.setattr(steps, "_write", stop)
        with pytest.raises(KeyboardInterrupt):
            run_import(run.pk, now=NOW)
    ErasedPerson.objects.create(identity_hash=hash_identity("shop", "p3"))
    assert forget_in_stages(["somebody"]) + forget_in_stages(["SOMEBODY"]) == 1
    assert run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert run.report["left_out"]["erased"] > 0
    assert not Customer.objects.filter(external_id="p3").exists()
    assert not ImportRejection.objects.filter(content__icontains="somebody").exists()


@pytest.mark.django_db
def test_each_line_says_what_became_of_it(make_file: MakeFile) -> None:
    old = [GOOD, GOOD.replace("536365", "536400"), GOOD.replace("536365", "536401")]
    import_orders_file(make_file(*old), choose(), now=NOW)
    changed = GOOD.replace("536365", "536400").replace("2.55", "2.60")
    path = make_file(GOOD, GOOD, "", changed, GOOD.replace("17850", ""), GOOD.replace("536365", "=536402"), "broken")
    report = import_orders_file(path, choose(), now=NOW)
    run = ImportRun.objects.get(pk=report.run_id)
    assert [(line, outcome, reason) for line, outcome, reason, _content in read_fates(run)] == [
        (2, "unchanged", ""),
        (3, "left_out", "duplicate_line"),
        (5, "updated", ""),
        (6, "left_out", "missing_customer"),
        (7, "created", ""),
        (8, "left_out", "broken_line"),
    ]


@pytest.mark.django_db
def test_a_trial_says_it_too_and_goes_on_where_it_was_killed(marketer: User) -> None:
    run = receive_file(marketer, SimpleUploadedFile("o.csv", make_orders(random.Random(4))), NOW)
    queue_run(run, choose(), is_trial=True)
    run_import(run.pk, now=NOW)
    run.refresh_from_db()
    told = list(read_fates(run))
    assert (run.status, run.mark, Order.objects.count()) == (ImportRun.Status.CHOOSING, {}, 0)
    assert len(told) == run.report["lines_read"]
    queue_run(run, choose())
    assert run_import(run.pk, now=NOW)
    assert list(read_fates(run)) == told
    assert {"created", "left_out"} == {outcome for _line, outcome, _reason, _content in told}

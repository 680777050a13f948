"""Imports that people cancel, and those that stopped and go on at a button: as if nothing had happened in between."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from customers.ingest import reading
from customers.ingest.progress import KEPT_FOR, RunIsTaken, queue_run
from customers.ingest.resuming import stages, steps
from customers.ingest.resuming.marks import MOST_TRIES
from customers.ingest.resuming.stages import Stage
from customers.ingest.runs import can_resume, cancel_import, receive_file, resume_import, run_import, waiting_runs
from customers.ingest.schema import FileProblem
from customers.ingest.uploads import forget_files
from customers.models import AuditEntry, ImportRun, Order, OrderLine

from . import killed_worker
from .conftest import COLUMNS, GOOD, HEADER, NOW, choose
from .test_resuming import begin, look, make_orders, request

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def _small(settings: Any, tmp_path: Path, monkeypatch: Patch) -> None:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    monkeypatch.setattr(stages, "PART_LINES", killed_worker.PART_LINES)
    monkeypatch.setattr(reading, "BLOCK_BYTES", killed_worker.BLOCK_BYTES)


def cancel_from_elsewhere(user: User, run: ImportRun) -> None:
    """As a page does it while a worker is at it: by a connection of its own, which must not have to wait for the worker."""

    def cancel() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '20s'")
            cancel_import(user, ImportRun.objects.get(pk=run.pk))
        finally:
            connection.close()

    thread = threading.Thread(target=cancel)
    thread.start()
    thread.join()
    assert ImportRun.objects.get(pk=run.pk).status != ImportRun.Status.RUNNING


def do_in_third_part(monkeypatch: Patch, act: Any) -> None:
    work, calls = steps.apply_lines, []

    def applied(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            act()
        return work(*arguments, **named)

    monkeypatch.setattr(steps, "apply_lines", applied)


@pytest.mark.django_db(transaction=True)
def test_cancelled_in_the_middle_what_is_written_stays_and_it_goes_on_to_the_same_end(
    marketer: User, monkeypatch: Patch
) -> None:
    content = make_orders(random.Random(7))
    begin("orders")
    calm = request(marketer, content, choose())
    assert run_import(calm.pk, now=NOW)
    expected = look(calm)

    begin("orders")
    run = request(marketer, content, choose())
    do_in_third_part(monkeypatch, lambda: cancel_from_elsewhere(marketer, run))
    assert not run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert (run.status, run.lines_written) == (ImportRun.Status.CANCELLED, OrderLine.objects.count())
    assert 0 < run.lines_written < expected["report"]["created"]
    assert waiting_runs() == []
    assert not run_import(run.pk, now=NOW), "nobody takes it up by himself"

    resume_import(marketer, run)
    assert waiting_runs() == [run.pk]
    assert run_import(run.pk, now=NOW)
    assert look(run) == expected
    assert not Stage(run.pk).exists()
    told = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert told[-3:] == ["import_requested", "import_cancelled", "import_resumed"]


@pytest.mark.django_db(transaction=True)
def test_a_count_that_is_cancelled_changes_nothing_and_can_be_asked_for_again(
    marketer: User, monkeypatch: Patch
) -> None:
    run = receive_file(marketer, SimpleUploadedFile("o.csv", make_orders(random.Random(4))), NOW)
    queue_run(run, choose(), is_trial=True)
    with monkeypatch.context() as patched:
        do_in_third_part(patched, lambda: cancel_from_elsewhere(marketer, run))
        assert not run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert (run.status, run.is_trial, run.mark, Order.objects.count()) == (ImportRun.Status.CHOOSING, False, {}, 0)
    queue_run(run, choose(), is_trial=True)
    run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert (run.status, run.report["created"] > 50, Order.objects.count()) == (ImportRun.Status.CHOOSING, True, 0)


@pytest.mark.django_db(transaction=True)
def test_a_command_that_somebody_cancels_says_so_and_goes_on_when_given_again(
    marketer: User, monkeypatch: Patch, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(make_orders(random.Random(3)))
    columns = ",".join(f"{key}={value}" for key, value in COLUMNS.items())
    with monkeypatch.context() as patched:
        do_in_third_part(patched, lambda: cancel_from_elsewhere(marketer, ImportRun.objects.get()))
        with pytest.raises(CommandError, match="cancelled"):
            call_command("import_orders", str(path), columns=columns, currency="GBP")
    before = OrderLine.objects.count()
    assert before > 0
    assert not can_resume(ImportRun.objects.get()), "its file is not ours"
    call_command("import_orders", str(path), columns=columns, currency="GBP", json=True)
    run = ImportRun.objects.get()
    assert (run.status, run.report["updated"], run.report["unchanged"]) == (ImportRun.Status.DONE, 0, 0)
    assert run.report["created"] == OrderLine.objects.count() > before


@pytest.mark.django_db
def test_one_that_waits_is_cancelled_at_once_and_after_a_day_its_file_goes(marketer: User, outsider: User) -> None:
    run = request(marketer, make_orders(random.Random(1)), choose())
    for act in (cancel_import, resume_import):
        with pytest.raises(PermissionDenied):
            act(outsider, run)
    cancel_import(marketer, run)
    assert (run.status, can_resume(run), run_import(run.pk, now=NOW)) == (ImportRun.Status.CANCELLED, True, False)
    with pytest.raises(RunIsTaken):
        cancel_import(marketer, run)
    assert run.finished_at is not None
    assert forget_files(run.finished_at + KEPT_FOR / 2) == 0
    assert forget_files(run.finished_at + KEPT_FOR * 2) == 1
    assert not can_resume(run)
    with pytest.raises(FileProblem, match="no longer kept"):
        resume_import(marketer, run)
    assert run.status == ImportRun.Status.CANCELLED


@pytest.mark.django_db
def test_an_error_of_ours_leaves_a_button_that_goes_on(client: Client, marketer: User, monkeypatch: Patch) -> None:
    def fail() -> None:
        raise RuntimeError("the disk is full")

    client.force_login(marketer)
    run = request(marketer, make_orders(random.Random(9)), choose())
    with monkeypatch.context() as patched:
        do_in_third_part(patched, fail)
        with pytest.raises(RuntimeError):
            run_import(run.pk, now=NOW)
    page = client.get(f"/imports/{run.pk}/")
    assert f"/imports/{run.pk}/resumption/" in page.content.decode()
    assert client.post(f"/imports/{run.pk}/resumption/")["Location"] == f"/imports/{run.pk}/"
    assert client.post(f"/imports/{run.pk}/resumption/").status_code == 302, "a second click changes nothing"
    page = client.get(f"/imports/{run.pk}/")
    assert f"/imports/{run.pk}/cancellation/" in page.content.decode()
    assert run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert (run.status, run.report["unchanged"], run.report["created"]) == ("done", 0, OrderLine.objects.count())
    client.post(f"/imports/{run.pk}/cancellation/")
    run.refresh_from_db()
    assert run.status == "done"


@pytest.mark.django_db
def test_a_file_that_is_no_good_is_not_offered_again(client: Client, marketer: User) -> None:
    client.force_login(marketer)
    run = request(marketer, "\n".join([HEADER, GOOD.replace("17850", "")]).encode(), choose())
    assert not run_import(run.pk, now=NOW)
    page = client.get(f"/imports/{run.pk}/").content.decode()
    assert "/imports/new/" in page
    assert "resumption" not in page


@pytest.mark.django_db
def test_the_api_tells_cancels_and_resumes(client: Client, marketer: User, outsider: User) -> None:
    run = request(marketer, make_orders(random.Random(2)), choose())
    url = f"/api/v1/imports/{run.pk}/"
    client.force_login(marketer)
    told = client.get("/api/v1/imports/").json()["results"][0]
    assert (told["id"], told["status"], told["kind"], told["can_resume"]) == (run.pk, "waiting", "orders", False)
    assert client.post(f"{url}resumption/").status_code == 409
    cancelled = client.post(f"{url}cancellation/")
    assert (cancelled.status_code, cancelled.json()["status"], cancelled.json()["can_resume"]) == (
        200,
        "cancelled",
        True,
    )
    assert client.post(f"{url}cancellation/").status_code == 409
    assert client.post(f"{url}resumption/").json()["status"] == "waiting"
    assert client.get(url).json()["status"] == "waiting"
    assert client.get("/api/v1/imports/999999/").status_code == 404
    client.force_login(outsider)
    assert client.post(f"{url}cancellation/").status_code == 403


@pytest.mark.django_db
def test_a_file_that_ends_one_worker_after_the_other_is_given_up(marketer: User, monkeypatch: Patch) -> None:
    def die(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    run = request(marketer, make_orders(random.Random(6)), choose())
    with monkeypatch.context() as patched:
        patched.setattr(steps, "settle_reading", die)
        for _worker in range(MOST_TRIES + 1):
            with pytest.raises(KeyboardInterrupt):
                run_import(run.pk, now=NOW)
        assert not run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert (run.status, "5 workers ended at the same place" in run.error) == (ImportRun.Status.FAILED, True)

"""Requested imports: kept safely, done once, and taken up again when their worker died."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from kombu.exceptions import OperationalError

from customers.ingest.files import import_orders_file
from customers.ingest.progress import KEPT_FOR, LOCK, RunIsTaken, holding
from customers.ingest.resuming import steps
from customers.ingest.runs import (
    drop_file,
    receive_file,
    request_import,
    run_import,
    waiting_runs,
)
from customers.ingest.schema import FileProblem, ImportOptions
from customers.ingest.uploads import forget_files, keep_upload
from customers.models import ImportRun

from .conftest import COLUMNS, GOOD, HEADER, NOW, MakeFile, choose

MAPPING = ",".join(f"{key}={value}" for key, value in COLUMNS.items())


def upload(*rows: str, name: str = "../../etc/or ders\0.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join([HEADER, *rows]).encode())


def request(who: User, file: SimpleUploadedFile, options: ImportOptions | None = None) -> ImportRun:
    """A file whose columns are chosen."""
    run = receive_file(who, file, NOW)
    request_import(who, run, options or choose())
    return run


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path: Path) -> None:
    settings.UPLOAD_DIR = tmp_path / "uploads"


@pytest.mark.django_db
def test_an_upload_waits_is_done_and_its_file_goes(marketer: User, settings) -> None:
    run = request(marketer, upload(GOOD))
    assert (run.status, run.file_name, waiting_runs()) == ("waiting", "or ders.csv", [run.pk])
    assert [path.parent for path in settings.UPLOAD_DIR.iterdir()] == [settings.UPLOAD_DIR]
    assert run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert (run.status, run.progress, run.report["created"], run.report["run"]) == ("done", 1, 1, run.pk)
    assert list(settings.UPLOAD_DIR.iterdir()) == []
    assert not run_import(run.pk, now=NOW)
    assert waiting_runs() == []


@pytest.mark.django_db
def test_files_are_refused_in_words(marketer: User, support_agent: User, settings) -> None:
    with pytest.raises(PermissionDenied):
        receive_file(support_agent, upload(GOOD), NOW)
    with pytest.raises(FileProblem, match="empty"):
        receive_file(marketer, SimpleUploadedFile("a.csv", b""), NOW)
    with pytest.raises(FileProblem, match="xlsx"):
        receive_file(marketer, SimpleUploadedFile("a.csv", b"PK\x03\x04"), NOW)
    settings.MAX_UPLOAD_MB = 0
    with pytest.raises(FileProblem, match="larger"):
        receive_file(marketer, upload(GOOD), NOW)
    assert not ImportRun.objects.exists()
    assert list(settings.UPLOAD_DIR.iterdir()) == []


@pytest.mark.django_db
def test_columns_are_chosen_once_by_whom_may_import(marketer: User, support_agent: User) -> None:
    run = receive_file(marketer, upload(GOOD), NOW)
    assert (run.status, waiting_runs()) == ("choosing", [])
    with pytest.raises(PermissionDenied):
        request_import(support_agent, run, choose())
    with pytest.raises(FileProblem, match="no column"):
        request_import(marketer, run, choose(columns={"customer": "Who", "at": "InvoiceDate", "price": "UnitPrice"}))
    with pytest.raises(FileProblem, match="currency"):
        request_import(marketer, run, choose(currency="POU"))
    request_import(marketer, run, choose())
    assert (run.status, waiting_runs()) == ("waiting", [run.pk])
    with pytest.raises(RunIsTaken):
        request_import(marketer, run, choose())


@pytest.mark.django_db
def test_a_file_nobody_wants_goes_at_once_or_after_a_day(marketer: User, settings) -> None:
    dropped, forgotten = (receive_file(marketer, upload(GOOD), NOW) for _each in range(2))
    drop_file(marketer, dropped)
    drop_file(marketer, dropped)
    assert [run.pk for run in ImportRun.objects.all()] == [forgotten.pk]
    assert forget_files(forgotten.created_at + KEPT_FOR) == 0
    later = forgotten.created_at + KEPT_FOR * 2
    assert [forget_files(later), forget_files(later)] == [1, 0]
    assert list(settings.UPLOAD_DIR.iterdir()) == []
    assert not ImportRun.objects.exists()


@pytest.mark.django_db
def test_a_file_that_a_crash_left_without_a_run_goes_after_a_day(settings) -> None:
    path = keep_upload(upload(GOOD))
    written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    assert forget_files(written + KEPT_FOR / 2) == 0
    assert forget_files(written + KEPT_FOR * 2) == 1
    assert not path.exists()


@pytest.mark.django_db
def test_a_file_that_waits_for_a_worker_is_not_dropped(marketer: User, settings) -> None:
    run = request(marketer, upload(GOOD))
    drop_file(marketer, run)
    assert forget_files(run.created_at + KEPT_FOR * 2) == 0
    assert waiting_runs() == [run.pk]
    assert len(list(settings.UPLOAD_DIR.iterdir())) == 1


@pytest.mark.django_db
def test_a_file_that_fails_leaves_a_sentence(marketer: User) -> None:
    run = request(marketer, upload(GOOD.replace("17850", "")))
    assert not run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert run.status == "failed"
    assert "no customer" in run.error


@pytest.mark.django_db
def test_a_lost_file_fails_the_run(marketer: User) -> None:
    run = request(marketer, upload(GOOD))
    Path(run.stored_path).unlink()
    assert not run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert "no longer there" in run.error


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_one_run_once(marketer: User) -> None:
    run = request(marketer, upload(GOOD))
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK, run.pk])
        assert not run_import(run.pk, now=NOW)
        ImportRun.objects.filter(pk=run.pk).update(status="running", started_at=NOW)
        assert waiting_runs() == []
        other.execute("SELECT pg_advisory_unlock_all()")
    assert waiting_runs() == [run.pk], "its worker is gone"
    assert run_import(run.pk, now=NOW)
    with holding(run), pytest.raises(RunIsTaken):
        raise RunIsTaken


@pytest.mark.django_db
def test_a_command_that_was_killed_goes_on_when_it_is_given_the_file_again(
    make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_arguments: object) -> None:
        raise KeyboardInterrupt

    path = make_file(GOOD, GOOD.replace("85123A", "71053"))
    with monkeypatch.context() as patched:
        patched.setattr(steps, "_sum_up", stop)
        with pytest.raises(KeyboardInterrupt):
            import_orders_file(path, choose(), now=NOW)
    run = ImportRun.objects.get()
    assert waiting_runs() == [run.pk]
    assert not run_import(run.pk, now=NOW), "its file is not ours to read"
    assert waiting_runs() == []
    report = import_orders_file(path, choose(), now=NOW)
    assert (report.run_id, report.created, report.unchanged) == (run.pk, 2, 0)


@pytest.mark.django_db
def test_the_command_prints_one_object(make_file: MakeFile) -> None:
    path = make_file(GOOD, GOOD, GOOD.replace("17850", ""))
    out = StringIO()
    call_command(
        "import_orders", path, columns=MAPPING, currency="gbp", timezone="Europe/London", json=True, stdout=out
    )
    report = json.loads(out.getvalue())
    assert report["lines_read"] == 3
    assert (report["orders"], report["customers"], report["created"]) == (1, 1, 1)
    assert report["left_out"] == {"duplicate_line": 1, "missing_customer": 1}
    assert report["created"] + report["updated"] + report["unchanged"] + sum(report["left_out"].values()) == 3


@pytest.mark.django_db
def test_the_command_guesses_columns_and_speaks_to_people(make_file: MakeFile) -> None:
    out, err = StringIO(), StringIO()
    call_command("import_orders", make_file(GOOD), stdout=out, stderr=err)
    assert "lines created" in out.getvalue()
    assert "customer=CustomerID" in err.getvalue()


@pytest.mark.django_db
def test_what_the_command_brought_is_learned_at_once_and_nothing_new_is_not(
    make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr("customers.tasks.train_and_score.delay", lambda: asked.append(True))
    path = make_file(GOOD)
    call_command("import_orders", path, stdout=StringIO(), stderr=StringIO())
    assert asked == [True]
    call_command("import_orders", path, stdout=StringIO(), stderr=StringIO())
    assert asked == [True]


@pytest.mark.django_db
def test_without_a_broker_the_orders_are_imported_all_the_same(
    make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr("customers.tasks.train_and_score.delay", refuse)
    out, err = StringIO(), StringIO()
    call_command("import_orders", make_file(GOOD), stdout=out, stderr=err)
    assert "lines created" in out.getvalue()
    assert "The workers could not be told" in err.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/nowhere/orders.csv"], "no file"),
        (["/"], "cannot be read"),
        ([__file__, "--columns", "customer=a"], "Say which column|No columns"),
    ],
)
def test_the_command_fails_in_one_sentence(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words) as error:
        call_command("import_orders", *arguments)
    assert error.value.returncode == 1
    assert "\n" not in str(error.value)

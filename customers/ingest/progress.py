"""The states of an import run: choosing -> waiting -> running -> done | failed | cancelled, and back to choosing where it only
counted. One that failed or was cancelled may go on: -> waiting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from customers.models import ImportRun

from .schema import ImportOptions

log = structlog.get_logger(__name__)
Status = ImportRun.Status
#: The first number of the advisory lock that the worker of a run holds; the second is the run's.
LOCK = 7_218_001
#: How long the file of a run, its mark and what was staged of it are kept when nobody goes on with it.
KEPT_FOR = dt.timedelta(days=1)


class RunIsTaken(Exception):
    """Another worker has the run, or it is finished."""


class RunWasStopped(RunIsTaken):
    """Somebody cancelled the run while it was being done."""


@contextmanager
def holding(run: ImportRun) -> Iterator[None]:
    """Hold the run for this connection; the database lets go by itself when the worker dies. Raises RunIsTaken."""
    number = run.pk % 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, number])
        if not cursor.fetchone()[0]:
            raise RunIsTaken(f"import {run.pk} is being done by another worker")
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with suppress(DatabaseError), connection.cursor() as cursor:  # else the lock goes with the connection
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, number])


def abandoned_runs() -> list[int]:
    """Ids of the runs that were begun and that nobody holds: their workers died."""
    with connection.cursor() as cursor:
        cursor.execute(_ABANDONED, [LOCK])
        return [row[0] for row in cursor.fetchall()]


def queue_run(run: ImportRun, options: ImportOptions, *, is_trial: bool = False) -> None:
    """choosing -> waiting; raises RunIsTaken where the columns were chosen already, or the file was dropped."""
    _change(run, (Status.CHOOSING,), status=Status.WAITING, options=options.to_json(), is_trial=is_trial)


def cancel_run(run: ImportRun) -> None:
    """waiting | running -> cancelled, or back to choosing where it was only to count. Raises RunIsTaken where it is neither.

    The worker finds out when it would commit its next step, which comes to nothing then: what was written before stays.
    """
    open_states = (Status.WAITING, Status.RUNNING)
    if run.is_trial:
        _change(
            run, open_states, status=Status.CHOOSING, is_trial=False, progress=0, step="", created_at=Now(), mark={}
        )
    else:
        _change(run, open_states, status=Status.CANCELLED, step="", finished_at=Now())
    log.info("import_cancelled", run_id=run.pk)


def requeue_run(run: ImportRun) -> None:
    """failed | cancelled -> waiting; its mark stays, so that a worker goes on there. Raises RunIsTaken where it is neither."""
    mark = {**run.mark, "tries": 0} if run.mark else {}
    _change(
        run, (Status.FAILED, Status.CANCELLED), status=Status.WAITING, error="", report={}, finished_at=None, mark=mark
    )


def is_over(run: ImportRun, now: dt.datetime) -> bool:
    """Whether nobody goes on with it any more, so that neither its file nor what was staged of it is needed."""
    if run.status in (Status.FAILED, Status.CANCELLED):
        return run.finished_at is None or run.finished_at < now - KEPT_FOR
    if run.status == Status.CHOOSING:
        return run.created_at < now - KEPT_FOR
    return run.status == Status.DONE


def check_running(run: ImportRun) -> None:
    """Raise RunWasStopped where the run is not running any more."""
    if not ImportRun.objects.filter(pk=run.pk, status=Status.RUNNING).exists():
        raise RunWasStopped(f"import {run.pk} is not running any more")


def end_trial(run: ImportRun, report: Mapping[str, Any]) -> None:
    """running -> choosing: it is counted what an import with these choices would do. The file is kept for a day from now."""
    _change(
        run, (Status.RUNNING,), status=Status.CHOOSING, report=dict(report), progress=0, step="", is_trial=False,
        started_at=None, created_at=Now(), mark={},
    )  # fmt: skip
    log.info("import_counted", run_id=run.pk, lines=report.get("lines_read"))


def start_run(run: ImportRun, now: dt.datetime, *, again: bool = False) -> None:
    """waiting | running -> running, and with `again` from any state; raises RunIsTaken where the run is finished. Its mark stays:
    what an earlier worker wrote is not done again."""
    old = tuple(Status) if again else (Status.WAITING, Status.RUNNING)
    _change(run, old, status=Status.RUNNING, started_at=now, finished_at=None, progress=0, error="", report={})


def note_progress(run: ImportRun, step: str, share: float) -> None:
    """Say what is happening and how much is done, 0 to 1."""
    ImportRun.objects.filter(pk=run.pk, status=Status.RUNNING).update(step=step[:120], progress=round(share, 3))


def finish_run(run: ImportRun, report: Mapping[str, Any]) -> None:
    """running -> done, in the transaction that drops what was staged."""
    _change(
        run, (Status.RUNNING,), status=Status.DONE, report=dict(report), progress=1, step="", finished_at=Now(), mark={}
    )
    log.info("import_done", run_id=run.pk, lines=report.get("lines_read"))


def fail_run(run: ImportRun, error: str, report: Mapping[str, Any] | None = None) -> None:
    """waiting | running -> failed, with a sentence for staff."""
    _change(
        run,
        (Status.WAITING, Status.RUNNING),
        status=Status.FAILED,
        error=error,
        report=dict(report or {}),
        step="",
        finished_at=Now(),
    )
    log.warning("import_failed", run_id=run.pk)


def _change(run: ImportRun, old: tuple[str, ...], **fields: Any) -> None:
    if not ImportRun.objects.filter(pk=run.pk, status__in=old).update(**fields):
        raise RunIsTaken(f"import {run.pk} is not {' or '.join(old)}")
    run.refresh_from_db()


_ABANDONED = """
SELECT id FROM customers_importrun r WHERE status = 'running' AND started_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = r.id %% 2147483648
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY created_at
"""

"""Requests imports and does those that wait: the row is the queue, a task only makes it sooner."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import AuditAction, ImportRun, record_audit

from .files import import_orders_file
from .progress import RunIsTaken, abandoned_runs, cancel_run, fail_run, queue_run, requeue_run
from .reading import open_table
from .schema import ORDERS, FileProblem, ImportOptions, find_columns
from .uploads import find_kept_file, is_kept, keep_upload


def receive_file(user: User, uploaded_file: UploadedFile[bytes], now: dt.datetime, *, kind: str = ORDERS) -> ImportRun:
    """Keep a file whose columns are still to be chosen; nothing is imported before that.

    Raises PermissionDenied, and FileProblem where the file is too large, empty, or no CSV or Parquet; then nothing is kept.
    """
    _check_right(user)
    path = keep_upload(uploaded_file)
    try:
        table = open_table(path)
    except FileProblem:
        path.unlink(missing_ok=True)
        raise
    return ImportRun.objects.create(
        file_name=_safe_name(uploaded_file.name or "", "parquet" if not table.is_text else "csv"),
        stored_path=str(path),
        file_hash=table.content.sha256,
        status=ImportRun.Status.CHOOSING,
        options={"kind": kind},
        requested_by=user,
        created_at=now,
    )


def request_import(user: User, run: ImportRun, options: ImportOptions, *, is_trial: bool = False) -> None:
    """choosing -> waiting: the columns are chosen, a worker may begin; with `is_trial` only to count what would become of it.

    Raises PermissionDenied, FileProblem where a choice is wrong or the file is gone, and RunIsTaken where somebody
    else chose before.
    """
    _check_right(user)
    options.check()
    find_columns(open_table(find_kept_file(run), encoding=options.encoding).header, options.columns)
    with transaction.atomic():
        queue_run(run, options, is_trial=is_trial)
        if not is_trial:
            record_audit(AuditAction.IMPORT_REQUESTED, actor=user, about=("import", run.pk))


def cancel_import(user: User, run: ImportRun) -> None:
    """Stop an import that waits or runs: what is written stays, and for a day it can go on. A count is only stopped, and its
    columns may be chosen anew. Raises PermissionDenied, and RunIsTaken where it is over already."""
    _check_right(user)
    with transaction.atomic():
        was_trial = run.is_trial
        cancel_run(run)
        if not was_trial:
            record_audit(AuditAction.IMPORT_CANCELLED, actor=user, about=("import", run.pk))


def resume_import(user: User, run: ImportRun) -> None:
    """Have an import that failed or was cancelled go on after the last step that was committed. Raises PermissionDenied,
    FileProblem where its file is gone, and RunIsTaken where it is open or done."""
    _check_right(user)
    find_kept_file(run)
    with transaction.atomic():
        requeue_run(run)
        record_audit(AuditAction.IMPORT_RESUMED, actor=user, about=("import", run.pk))


def can_resume(run: ImportRun) -> bool:
    """Whether it stopped and its file is still there."""
    return run.status in (ImportRun.Status.FAILED, ImportRun.Status.CANCELLED) and is_kept(run)


def drop_file(user: User, run: ImportRun) -> None:
    """Forget a file whose columns were not chosen, and its run; where it is imported already, nothing happens."""
    _check_right(user)
    if ImportRun.objects.filter(pk=run.pk, status=ImportRun.Status.CHOOSING).delete()[0]:
        Path(run.stored_path).unlink(missing_ok=True)


def run_import(run_id: int, *, now: dt.datetime) -> bool:
    """Do one requested run; False where another worker has it, it is finished, or its file was no good.

    The stored file is deleted when the run is finished, or where the file itself is why it failed. It stays for a day where
    the import stopped on an error of ours or was cancelled.
    """
    run = ImportRun.objects.filter(pk=run_id, status__in=["waiting", "running"]).first()
    if run is None:
        return False
    path = Path(run.stored_path)
    try:
        if not run.stored_path or not path.exists():
            fail_run(run, _("The import was interrupted and its file is no longer there. Give the file again."))
            return False
        import_orders_file(path, ImportOptions.from_json(run.options), now=now, run=run)
    except RunIsTaken:
        return False
    except FileProblem:
        path.unlink(missing_ok=True)
        return False
    if not ImportRun.objects.filter(pk=run.pk, status=ImportRun.Status.DONE).exists():
        return False  # it was only counted, or is asked for again: the file is still needed
    path.unlink(missing_ok=True)
    return True


def waiting_runs() -> list[int]:
    """Ids of the runs to do: those that wait, and those whose worker died, the oldest first."""
    waiting = ImportRun.objects.filter(status=ImportRun.Status.WAITING).order_by("created_at")
    return [*abandoned_runs(), *waiting.values_list("pk", flat=True)]


def _check_right(user: User) -> None:
    if not user.has_perm("customers.add_importrun"):
        raise PermissionDenied(_("Your role may not import files."))


def _safe_name(name: str, extension: str) -> str:
    """The name for people: without folders and control characters, never empty."""
    last = re.split(r"[\\/]", name)[-1]
    kept = re.sub(r"[\x00-\x1f\x7f]", "", last).strip(". ")[-200:]
    return kept or f"orders.{extension}"

"""Requests imports and does those that wait: the row is the queue, a task only makes it sooner."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import AuditAction, ImportRun, record_audit

from .files import import_orders_file
from .progress import RunIsTaken, abandoned_runs, fail_run, queue_run
from .reading import open_table
from .resuming.stages import KEPT_AFTER_FAILING, drop_old_stages
from .schema import ORDERS, FileProblem, ImportOptions, find_columns

#: How long a file is kept whose columns nobody chose.
CHOOSING_TIME = dt.timedelta(days=1)


def keep_upload(uploaded_file: UploadedFile[bytes]) -> Path:
    """Store an upload under settings.UPLOAD_DIR by a name of our own; raises FileProblem where it is too large or empty."""
    limit = settings.MAX_UPLOAD_MB * 1024 * 1024
    if (uploaded_file.size or 0) > limit:
        raise FileProblem(_("The file is larger than %(count)d MB.") % {"count": settings.MAX_UPLOAD_MB})
    folder = Path(settings.UPLOAD_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{uuid.uuid4().hex}.upload"
    written = 0
    try:
        with path.open("xb") as file:
            for chunk in uploaded_file.chunks():
                written += len(chunk)
                if written > limit:
                    raise FileProblem(_("The file is larger than %(count)d MB.") % {"count": settings.MAX_UPLOAD_MB})
                file.write(chunk)
        if not written:
            raise FileProblem(_("The file is empty."))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


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


def find_kept_file(run: ImportRun) -> Path:
    """The file of a run whose columns are to be chosen; raises FileProblem where it is gone."""
    path = Path(run.stored_path)
    if not run.stored_path or not path.exists():
        raise FileProblem(_("The file is no longer kept. Give it again."))
    return path


def drop_file(user: User, run: ImportRun) -> None:
    """Forget a file whose columns were not chosen, and its run; where it is imported already, nothing happens."""
    _check_right(user)
    if ImportRun.objects.filter(pk=run.pk, status=ImportRun.Status.CHOOSING).delete()[0]:
        Path(run.stored_path).unlink(missing_ok=True)


def drop_forgotten_files(now: dt.datetime) -> int:
    """Forget the files whose columns nobody chose for a day, those of imports that stopped a day ago, and what was staged of
    such; returns how many files. Safe to run twice."""
    stopped = ImportRun.objects.filter(status=ImportRun.Status.FAILED, 
        finished_at__lt=now - KEPT_AFTER_FAILING, finished_at__gt=now - 8 * KEPT_AFTER_FAILING,
    )  # fmt: skip
    for run in stopped.exclude(stored_path=""):
        Path(run.stored_path).unlink(missing_ok=True)
    drop_old_stages(now)
    forgotten = ImportRun.objects.filter(status=ImportRun.Status.CHOOSING, created_at__lt=now - CHOOSING_TIME)
    for run in forgotten:
        Path(run.stored_path).unlink(missing_ok=True)
    return forgotten.delete()[0]


def run_import(run_id: int, *, now: dt.datetime) -> bool:
    """Do one requested run; False where another worker has it, it is finished, or its file was no good.

    The stored file is deleted when the run is finished, whichever way.
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
    if ImportRun.objects.filter(pk=run.pk, status=ImportRun.Status.CHOOSING).exists():
        return False  # it was only counted; the file is still needed
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

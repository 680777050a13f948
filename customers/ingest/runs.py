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
from django.utils.translation import gettext as _

from customers.models import ImportRun

from .files import import_orders_file
from .progress import RunIsTaken, abandoned_runs, fail_run
from .reading import open_table
from .schema import FileProblem, ImportOptions, find_columns


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


def request_import(
    user: User, uploaded_file: UploadedFile[bytes], options: ImportOptions, now: dt.datetime
) -> ImportRun:
    """Keep the file and put a waiting run in the queue.

    Raises PermissionDenied, and FileProblem where an option is wrong or the file is too large, empty, no CSV or
    Parquet, or lacks a column; then nothing is kept.
    """
    if not user.has_perm("customers.add_importrun"):
        raise PermissionDenied(_("Your role may not import files."))
    options.check()
    path = keep_upload(uploaded_file)
    try:
        table = open_table(path, encoding=options.encoding)
        find_columns(table.header, options.columns)
    except FileProblem:
        path.unlink(missing_ok=True)
        raise
    return ImportRun.objects.create(
        file_name=_safe_name(uploaded_file.name or "", "parquet" if not table.is_text else "csv"),
        stored_path=str(path),
        file_hash=table.content.sha256,
        options=options.to_json(),
        requested_by=user,
        created_at=now,
    )


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
    path.unlink(missing_ok=True)
    return True


def waiting_runs() -> list[int]:
    """Ids of the runs to do: those that wait, and those whose worker died, the oldest first."""
    waiting = ImportRun.objects.filter(status=ImportRun.Status.WAITING).order_by("created_at")
    return [*abandoned_runs(), *waiting.values_list("pk", flat=True)]


def _safe_name(name: str, extension: str) -> str:
    """The name for people: without folders and control characters, never empty."""
    last = re.split(r"[\\/]", name)[-1]
    kept = re.sub(r"[\x00-\x1f\x7f]", "", last).strip(". ")[-200:]
    return kept or f"orders.{extension}"

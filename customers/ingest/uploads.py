"""The files that people gave on the page: kept while their run may need them, and no longer. One sweep forgets all the others."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from customers.models import ImportRun

from .progress import KEPT_FOR, is_over
from .resuming.stages import drop_old_stages
from .schema import FileProblem

_SUFFIX: Final = ".upload"


def keep_upload(uploaded_file: UploadedFile[bytes]) -> Path:
    """Store an upload under settings.UPLOAD_DIR by a name of our own; raises FileProblem where it is too large or empty."""
    limit = settings.MAX_UPLOAD_MB * 1024 * 1024
    if (uploaded_file.size or 0) > limit:
        raise FileProblem(_("The file is larger than %(count)d MB.") % {"count": settings.MAX_UPLOAD_MB})
    folder = Path(settings.UPLOAD_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{uuid.uuid4().hex}{_SUFFIX}"
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


def find_kept_file(run: ImportRun) -> Path:
    """The file of a run that is not through; raises FileProblem where it is gone."""
    if not is_kept(run):
        raise FileProblem(_("The file is no longer kept. Give it again."))
    return Path(run.stored_path)


def is_kept(run: ImportRun) -> bool:
    return bool(run.stored_path) and Path(run.stored_path).exists()


def forget_files(now: dt.datetime) -> int:
    """Forget what nobody goes on with for a day: files whose columns were not chosen, with their runs; files of imports that
    stopped; files that a crash left without a run; and what was staged. Returns how many files. Safe to run twice."""
    drop_old_stages(now)
    forgotten = 0
    for path in _list_uploads():
        run = ImportRun.objects.filter(stored_path__endswith=path.name).first()
        if _is_needed(path, run, now):
            continue
        path.unlink(missing_ok=True)
        forgotten += 1
    ImportRun.objects.filter(status=ImportRun.Status.CHOOSING, created_at__lt=now - KEPT_FOR).delete()
    return forgotten


def _list_uploads() -> Iterator[Path]:
    folder = Path(settings.UPLOAD_DIR)
    if folder.is_dir():
        yield from sorted(folder.glob(f"*{_SUFFIX}"))


def _is_needed(path: Path, run: ImportRun | None, now: dt.datetime) -> bool:
    if run is not None:
        return not is_over(run, now)
    try:
        written = path.stat().st_mtime  # its run may be made in this moment
    except FileNotFoundError:
        return False
    return dt.datetime.fromtimestamp(written, dt.UTC) > now - KEPT_FOR

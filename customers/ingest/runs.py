"""Import runs: a requested import is a row; a sweep finds it and takes it up again when its worker died."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile

from customers.models import ImportRun

from .schema import ImportOptions


def request_import(user: User, uploaded_file: UploadedFile, options: ImportOptions, now: dt.datetime) -> ImportRun:
    """Keep the file under settings.UPLOAD_DIR and put a waiting run in the queue.

    Raises PermissionDenied, and FileProblem where the file is too large, empty, or no CSV or Parquet.
    """
    raise NotImplementedError


def run_import(run_id: int, *, now: dt.datetime) -> bool:
    """Do one waiting run; False where another worker has it or it is finished."""
    raise NotImplementedError


def waiting_runs(now: dt.datetime) -> list[int]:
    """Ids of the runs to do: waiting ones, and running ones whose worker died."""
    raise NotImplementedError

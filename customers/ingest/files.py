"""Imports one file: an import is a run, and a run that was begun goes on where it stopped."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from pathlib import Path

from django.db import DatabaseError, DataError
from django.utils.translation import gettext as _

from customers.models import ImportRun

from .import_report import ImportReport
from .progress import RunIsTaken, fail_run, holding, start_run
from .reading import Table, open_table
from .resuming.stages import Stage
from .resuming.steps import go_on
from .schema import FileProblem, ImportOptions, find_columns


def import_orders_file(
    path: Path, options: ImportOptions, *, now: dt.datetime, run: ImportRun | None = None
) -> ImportReport:
    """Import the orders, or what `options.kind` says, of a CSV or Parquet file: all that is good, part by part, a person always
    whole (events: by stretches of time). Where an earlier worker died at it, it goes on after the last part that was committed.

    A run that `is_trial` does all of it and takes it back: its report says exactly what an import would do.

    Raises FileProblem with a sentence for staff where the file or an option is wrong, and RunIsTaken where another
    worker is at it. Without `run`, the run of the same file and options is taken again, or one is made. Running it
    again changes nothing.
    """
    try:
        options.check()
        table = open_table(path, encoding=options.encoding)
        find_columns(table.header, options.columns)
    except FileProblem as problem:
        if run is not None:
            fail_run(run, str(problem))
        raise
    is_given = run is not None
    run = run or _take_run(table, options)
    with holding(run):
        start_run(run, now, again=not is_given)
        if is_given and ImportOptions.from_json(run.options) != options:  # chosen anew meanwhile: the sweep takes it up
            raise RunIsTaken(f"import {run.pk} has other choices by now")
        try:
            return go_on(table, options, run, now=now)
        except RunIsTaken:  # stopped, and perhaps taken up again already: nothing of it failed
            raise
        except FileProblem as problem:
            if run.status == ImportRun.Status.RUNNING:
                fail_run(run, str(problem))
            Stage(run.pk).drop()
            raise
        except DataError as error:
            words = _("The database cannot keep a value of this file: %(reason)s") % {"reason": error}
            fail_run(run, f"{words}{_say_what_stays(run)}")
            Stage(run.pk).drop()
            raise FileProblem(run.error) from error
        except Exception:
            with suppress(DatabaseError, RunIsTaken):  # without a database the run stays open and is taken up again
                fail_run(run, f"{_('The import stopped on an error of ours. The log names it.')}{_say_what_stays(run)}")
            raise


def _say_what_stays(run: ImportRun) -> str:
    """A sentence on what was written before, on a line of its own; nothing where nothing was."""
    run.refresh_from_db(fields=["mark"])
    if not run.lines_written:
        return ""
    return "\n" + _("%(count)d lines had been taken over by then, and stay.") % {"count": run.lines_written}


def _take_run(table: Table, options: ImportOptions) -> ImportRun:
    """The run of the same file and options, or a new one that no sweep will touch."""
    same = ImportRun.objects.filter(file_hash=table.content.sha256, options=options.to_json(), stored_path="")
    return same.order_by("-created_at").first() or ImportRun.objects.create(
        file_name=table.path.name[-250:],
        file_hash=table.content.sha256,
        options=options.to_json(),
        status=ImportRun.Status.RUNNING,
    )

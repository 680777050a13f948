"""Everybody's scores by several processes at once, each with a partition of the customers that is its own.

One process keeps about two cores busy (it works the next part out while PostgreSQL writes the last one), so that this gains on
machines with more. Nothing is agreed on between the processes: each part is a transaction, written rows are not written
again, and whoever is killed costs what was left of his own partition until the next run makes it good.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys

from django.conf import settings
from django.db import connection

from customers.models import ModelVersion

from .runner import fits_in_memory, score_everybody


class SharesFailed(Exception):
    """Some of the processes ended before their partition was done. The others have done theirs."""


def score_shop(model: ModelVersion, *, as_of: dt.datetime, processes: int | None = None) -> int:
    """`score_everybody` by `processes` processes (None: SCORING_PROCESSES); returns how many rows changed.

    This process does it alone where the shop fits into its memory, and inside a transaction, whose rows no other process can see.
    Raises SharesFailed.
    """
    count = settings.SCORING_PROCESSES if processes is None else processes
    if count < 2 or connection.in_atomic_block or fits_in_memory():
        return score_everybody(model, as_of=as_of)
    return share_work(count, as_of=as_of)


def share_work(count: int, *, as_of: dt.datetime) -> int:
    """`score_customers --partition` in one process for each of `count` partitions, all at once; returns how many rows changed.

    They score with the version in use. Raises SharesFailed when all have ended and some have failed; what those say is on
    stderr. The next run does what is missing.
    """
    # What Django checks of the whole site before a command, and loads for it, was checked when this process began.
    command = [sys.executable, "-m", "django", "score_customers", "--skip-checks", "--json"]
    command += ["--as-of", as_of.isoformat()]
    workers = [
        subprocess.Popen(  # noqa: S603 (a command of ours)
            [*command, "--partition", f"{i}/{count}"], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
        )
        for i in range(count)
    ]
    told = [worker.communicate()[0] for worker in workers]
    failed = sum(worker.returncode != 0 for worker in workers)
    if failed:
        raise SharesFailed(f"{failed} of {count} processes failed. Run it again: it does what is missing.")
    return sum(json.loads(text.splitlines()[-1])["rows_changed"] for text in told)

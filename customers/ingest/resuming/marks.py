"""How far an import is: written in the transaction that does the work, so that it is never ahead of it nor behind."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
from django.utils.translation import gettext as _

from customers.ingest.copying import UpsertCounts
from customers.ingest.progress import RunWasStopped
from customers.ingest.schema import FileProblem, ImportOptions
from customers.models import ImportRun

#: Raised when the stage or the steps change, so that nothing is taken up that an older version of ours began.
VERSION: Final = 2
#: Workers that may die in one step, one after the other.
MOST_TRIES: Final = 5


@dataclass(frozen=True)
class Mark:
    """What is committed of a run.

    `of` is the fingerprint of file, choices and stage; `now` the moment at which the run was begun first, which decides what
    is in the future. While it is read: `line` is the last line staged, `broken` how many broken rows are, `lines_read` how
    many in all. Then `is_settled`: what only the whole file tells is decided, and `written` steps of writing are done. `cuts` are
    the edges between the parts of a file of events. `tries` counts the workers that took it up and died before the next step.
    """

    of: str
    now: dt.datetime
    parts: int
    line: int = 0
    broken: int = 0
    lines_read: int = 0
    is_settled: bool = False
    cuts: tuple[str, ...] = ()
    written: int = 0
    lines_written: int = 0
    customers: int = 0
    orders: int = 0
    lines_removed: int = 0
    counted: tuple[int, int, int] = (0, 0, 0)
    tables: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    tries: int = 0

    def take_up(self) -> Mark:
        """For the next worker. Raises FileProblem where too many died here: a file must not end one after the other for good."""
        if self.tries >= MOST_TRIES:
            raise FileProblem(
                _(
                    "%(count)d workers ended at the same place of the file, most likely for want of memory. Split the file."
                )
                % {"count": self.tries}
            )
        return dataclasses.replace(self, tries=self.tries + 1)

    def save(self, run: ImportRun, **shown: Any) -> Mark:
        """Keep it in the caller's transaction, with what people are shown; raises RunWasStopped where the run is not running."""
        running = ImportRun.objects.filter(pk=run.pk, status=ImportRun.Status.RUNNING)
        if not running.update(mark=self.to_json(), **shown):
            raise RunWasStopped(f"import {run.pk} is not running any more")
        return self

    def to_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "now": self.now.isoformat()}

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Mark | None:
        """The mark of a run; None where it has none, or one of another version of ours."""
        names = {part.name for part in dataclasses.fields(cls)}
        if set(kept) != names:
            return None
        lists = {"counted": tuple(kept["counted"]), "cuts": tuple(kept["cuts"])}
        tables = {name: tuple(counts) for name, counts in kept["tables"].items()}
        return cls(**{**kept, **lists, "tables": tables, "now": dt.datetime.fromisoformat(kept["now"])})

    def add(self, tables: Mapping[str, UpsertCounts], counted: UpsertCounts, **more: int) -> Mark:
        """With what one more step wrote: rows by table, what lines of the file came to, and other counts by their name."""
        summed = dict(self.tables)
        for name, counts in tables.items():
            summed[name] = _add(summed.get(name, (0, 0, 0)), counts)
        others = {name: getattr(self, name) + count for name, count in more.items()}
        return dataclasses.replace(
            self, written=self.written + 1, tables=summed, counted=_add(self.counted, counted), tries=0, **others
        )


def fingerprint(file_hash: str, options: ImportOptions, columns: Mapping[str, str]) -> str:
    """What a mark holds for: another file, other choices, another stage or another Polars (its hashes) begin anew."""
    told = [VERSION, file_hash, options.to_json(), list(columns.items()), pl.__version__]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _add(before: tuple[int, int, int], counts: UpsertCounts) -> tuple[int, int, int]:
    return (before[0] + counts.created, before[1] + counts.updated, before[2] + counts.unchanged)

"""Imports one file of orders: read, check, stage, and apply in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from customers.models import ImportRun

from .copying import UpsertCounts
from .schema import ImportOptions


@dataclass(frozen=True)
class ImportReport:
    """What an import did. created + updated + unchanged + the lines left out are the lines read."""

    lines_read: int
    orders: int
    customers: int
    created: int
    updated: int
    unchanged: int
    left_out: Mapping[str, int]
    tables: Mapping[str, UpsertCounts]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        raise NotImplementedError


def import_orders_file(
    path: Path, options: ImportOptions, *, now: dt.datetime, run: ImportRun | None = None
) -> ImportReport:
    """Import the orders of a CSV or Parquet file.

    Raises FileProblem with a sentence for staff; then nothing was written. Running it again changes nothing.
    """
    raise NotImplementedError

"""A report as a file: written while it is read, no cell that a spreadsheet would run, and a line in the audit log."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from django.http import HttpRequest, StreamingHttpResponse

from campaigns.outcomes.ratio import Bounded
from customers.views.spreadsheets import Echo, defuse, record_export

Cell = str | int | float | Decimal | bool | dt.date | None


def stream_rows(
    request: HttpRequest, name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> StreamingHttpResponse:
    """`name`.csv of rows as long as `heads`. Money and shares are plain numbers, missing ones empty."""
    record_export(request, "report", name)
    response = StreamingHttpResponse(_write(heads, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def spread(part: Bounded | None) -> tuple[float | None, float | None, float | None]:
    """An estimate and its limits as three cells."""
    return (None, None, None) if part is None else (round(part.value, 4), round(part.low, 4), round(part.high, 4))


def _write(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(heads)
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return defuse(value) if isinstance(value, str) else str(value)

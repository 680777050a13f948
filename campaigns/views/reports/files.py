"""A report as a file: written while it is read, no cell that a spreadsheet would run, and a line in the audit log."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import HttpRequest, StreamingHttpResponse

from campaigns.outcomes.reports.rows import Cell, Row
from customers.views.spreadsheets import Echo, defuse, record_export


def stream_rows(request: HttpRequest, name: str, heads: Sequence[str], rows: Iterable[Row]) -> StreamingHttpResponse:
    """`name`.csv of the columns `heads`. Money and shares are plain numbers, missing ones empty."""
    record_export(request, "report", name)
    response = StreamingHttpResponse(_write(heads, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _write(heads: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(heads)
    for row in rows:
        yield writer.writerow([_cell(row[head]) for head in heads])


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return defuse(value) if isinstance(value, str) else str(value)

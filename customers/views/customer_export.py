"""A list of customers as a file, written while it is read: memory does not grow with its length."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from customers.models import Customer

from .customer_list import filter_customers
from .spreadsheets import Echo, defuse, record_export

#: Rows that the database hands over at a time.
ROWS_AT_A_TIME: Final = 2_000
HEADS: Final = (
    "source", "external_id", "email", "phone", "first_name", "last_name", "language", "country", "joined_at",
    "churn_probability", "expected_value", "expected_orders", "next_order_on", "days_since_last_order", "main_reason",
    "interest",
)  # fmt: skip
_COLUMNS: Final = (
    "source", "external_id", "email", "phone", "first_name", "last_name", "language", "country", "joined_at",
    "score__churn_probability", "score__expected_value", "score__expected_orders", "score__next_order_on",
    "score__recency_days", "score__main_reason", "score__interest",
)  # fmt: skip


@require_safe
@permission_required(("customers.view_customer", "customers.export_list"), raise_exception=True)
def export_customers(request: HttpRequest) -> StreamingHttpResponse | HttpResponse:
    """All whom the filters of the address mean, by number, as CSV."""
    filters = filter_customers(request.GET)
    if not filters.is_valid():
        return redirect(f"/customers/?{request.GET.urlencode()}")
    return stream_customers(request, filters.qs)


def stream_customers(request: HttpRequest, found: QuerySet[Customer]) -> StreamingHttpResponse:
    """The file of `found`, with a line in the audit log."""
    record_export(request, "customers")
    response = StreamingHttpResponse(_write(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="customers.csv"'
    return response


def _write(found: QuerySet[Customer]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(HEADS)
    rows = found.order_by("pk").values_list(*_COLUMNS).iterator(chunk_size=ROWS_AT_A_TIME)
    lines: list[str] = []
    for row in rows:
        lines.append(writer.writerow([_cell(value) for value in row]))
        if len(lines) == ROWS_AT_A_TIME:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return defuse(value) if isinstance(value, str) else str(value)

"""Reads how often each customer did something in which hour of their own day, set-based."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl
from django.conf import settings

from customers.features.reader import Whose, and_only, read_rows
from customers.ingest.preferences import may_profile_sql
from customers.models import EventKind

#: Older habits say little of today's.
LOOK_BACK_DAYS: Final = 365
STRONG: Final = (EventKind.EMAIL_OPENED, EventKind.EMAIL_CLICKED)
WEAK: Final = (EventKind.PRODUCT_VIEWED, EventKind.SEARCH_PERFORMED, EventKind.CART_UPDATED)


def read_hours(*, since: dt.datetime, before: dt.datetime, whose: Whose = None) -> pl.DataFrame:
    """customer_id, zone, hour (0 to 23, by their own clock), opens, weak: hours of the calendar in which they did it, so that ten
    pages in a row count once.

    Opens of those whose newest word on tracking is no are left out, whatever was seen before, and everything of those who
    object to profiling. Machines are not in the log. A time zone that is none is the shop's.
    """
    columns = (
        ("customer_id", "a.customer_id", pl.Int64),
        ("zone", _ZONE, pl.String),
        ("hour", f"extract(hour FROM {_LOCAL})::int", pl.Int64),
        ("opens", f"count(DISTINCT date_trunc('hour', {_LOCAL})) FILTER (WHERE a.strong)", pl.Int64),
        ("weak", f"count(DISTINCT date_trunc('hour', {_LOCAL})) FILTER (WHERE NOT a.strong)", pl.Int64),
    )
    span = f">= {_literal(since)} AND {{0}} < {_literal(before)}"
    acts = f"""(
  SELECT e.customer_id, e.occurred_at AS at, e.kind IN ({_names(STRONG)}) AS strong FROM customers_customerevent e
  WHERE e.kind IN ({_names((*STRONG, *WEAK))}) AND e.occurred_at {span.format("e.occurred_at")}
    AND (e.kind <> '{EventKind.EMAIL_OPENED.value}' OR {_did_not_refuse("e.customer_id")}){and_only(whose, "e.customer_id")}
  UNION ALL
  SELECT o.customer_id, o.ordered_at, false FROM customers_order o
  WHERE NOT o.is_return AND o.ordered_at {span.format("o.ordered_at")}{and_only(whose, "o.customer_id")}
)"""
    source = (
        f"FROM {acts} a JOIN customers_customer c ON c.id = a.customer_id"
        " LEFT JOIN (SELECT name FROM pg_timezone_names) z ON z.name = c.time_zone"
        f" WHERE {may_profile_sql('a.customer_id')} GROUP BY 1, 2, 3"
    )
    return read_rows(columns, source)


def _did_not_refuse(customer_id: str) -> str:
    """Opens that the shop brought along come without a word of the person; a no counts for what was seen before, too."""
    return (
        "coalesce((SELECT said.is_given FROM customers_trackingconsent said"
        f" WHERE said.customer_id = {customer_id} ORDER BY said.recorded_at DESC, said.id DESC LIMIT 1), true)"
    )


def _names(kinds: tuple[EventKind, ...]) -> str:
    return ", ".join(f"'{kind.value}'" for kind in kinds)


def _literal(moment: dt.datetime) -> str:
    return f"'{moment.astimezone(dt.UTC).isoformat()}'::timestamptz"


_ZONE: Final = f"coalesce(z.name, '{settings.SHOP_TIME_ZONE}')"
_LOCAL: Final = f"a.at AT TIME ZONE {_ZONE}"

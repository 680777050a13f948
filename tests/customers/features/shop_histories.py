"""Small shops with random histories, for the property tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from hypothesis import strategies as st

UTC = dt.UTC
FIRST_AT = dt.datetime(2024, 1, 1, tzinfo=UTC)
AS_OF = dt.datetime(2025, 3, 1, tzinfo=UTC)
KINDS = [
    "product_viewed", "search_performed", "cart_updated", "email_sent", "email_opened", "email_clicked",
    "complaint_opened", "complaint_closed", "ticket_opened", "ticket_closed",
]  # fmt: skip

_TIME = pl.Datetime("us", "UTC")
ORDER_SCHEMA = {
    "customer_id": pl.Int64,
    "order_id": pl.Int64,
    "ordered_at": _TIME,
    "total": pl.Float64,
    "discount": pl.Float64,
    "is_return": pl.Boolean,
}
LINE_SCHEMA = {
    "customer_id": pl.Int64,
    "ordered_at": _TIME,
    "product_id": pl.Int64,
    "category": pl.String,
    "quantity": pl.Float64,
    "is_charge": pl.Boolean,
}
EVENT_SCHEMA = {"customer_id": pl.Int64, "kind": pl.String, "occurred_at": _TIME}


def frame(rows: list[dict[str, Any]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema)


def moments(
    first: dt.datetime = FIRST_AT, last: dt.datetime = AS_OF + dt.timedelta(days=200)
) -> st.SearchStrategy[dt.datetime]:
    """Moments on a grid of 37 minutes, so that several fall on one day and on the edges of windows."""
    steps = int((last - first) / dt.timedelta(minutes=37))
    return st.integers(0, steps).map(lambda n: first + dt.timedelta(minutes=37 * n))


@st.composite
def order_rows(draw: st.DrawFn, when: st.SearchStrategy[dt.datetime]) -> dict[str, Any]:
    is_return = draw(st.booleans()) and draw(st.booleans())
    total = draw(st.integers(0, 50_000)) / 100
    return {
        "customer_id": draw(st.integers(1, 5)),
        "order_id": draw(st.integers(1, 10**6)),
        "ordered_at": draw(when),
        "total": draw(st.sampled_from([-total if is_return else total] * 4 + [None])),  # None: in another currency
        "discount": draw(st.sampled_from([0.0, 0.0, 5.0])),
        "is_return": is_return,
    }


@st.composite
def line_rows(draw: st.DrawFn, when: st.SearchStrategy[dt.datetime]) -> dict[str, Any]:
    return {
        "customer_id": draw(st.integers(1, 5)),
        "ordered_at": draw(when),
        "product_id": draw(st.sampled_from([None, 1, 2, 3])),
        "category": draw(st.sampled_from(["", "bags", "shoes"])),
        "quantity": float(draw(st.integers(-3, 9))),
        "is_charge": draw(st.booleans()) and draw(st.booleans()),
    }


@st.composite
def event_rows(draw: st.DrawFn, when: st.SearchStrategy[dt.datetime]) -> dict[str, Any]:
    return {"customer_id": draw(st.integers(1, 5)), "kind": draw(st.sampled_from(KINDS)), "occurred_at": draw(when)}


@st.composite
def histories(
    draw: st.DrawFn, when: st.SearchStrategy[dt.datetime] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Orders, lines and events of up to five customers."""
    when = moments() if when is None else when
    return (
        frame(draw(st.lists(order_rows(when), max_size=25)), ORDER_SCHEMA),
        frame(draw(st.lists(line_rows(when), max_size=15)), LINE_SCHEMA),
        frame(draw(st.lists(event_rows(when), max_size=30)), EVENT_SCHEMA),
    )

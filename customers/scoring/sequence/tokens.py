"""What each customer did before a date, as a sequence of tokens: set-based, for training and scoring alike.

A token is one kind of thing on one day (UTC): the orders of a day, its returns, its product views, ... It holds

- kind: place in KINDS
- age_days: from its last moment to the date as of which is predicted
- gap_days: since the token before it, whatever kind that was; null for a customer's first
- amount: money of orders and returns (negative for returns), else 0
- times: how many of that kind there were on that day
- nth: the how-manieth day of that kind it is; attention takes means and cannot count

The newest MOST_TOKENS are kept, the oldest of them first. Events count for as long as they do for features (180 days): older
ones are not read for scoring, and so must not be learned from.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

MOST_TOKENS = 64
#: As long as for features (`customers.features.builder.EVENT_WINDOW_DAYS`; a test holds them together).
EVENT_WINDOW_DAYS = 180
#: The column that `add_tokens` adds to a frame of features.
TOKENS = "tokens"

ORDERED, RETURNED = "ordered", "returned"
#: Models know them by their place: after a change here they have to be trained again. A kind that is not here is no token.
KINDS = (
    ORDERED,
    RETURNED,
    "product_viewed",
    "search_performed",
    "cart_updated",
    "review_written",
    "email_sent",
    "email_opened",
    "email_clicked",
    "email_bounced",
    "email_complained",
    "email_unsubscribed",
    "ticket_opened",
    "ticket_closed",
    "complaint_opened",
    "complaint_closed",
)

_DAY_US = 86_400_000_000
NUMBERS = ("age_days", "gap_days", "amount", "times", "nth")
_TYPE = pl.Struct({"kind": pl.UInt8, **dict.fromkeys(NUMBERS, pl.Float64)})


def build_tokens(
    orders: pl.DataFrame, events: pl.DataFrame | None = None, *, as_of: dt.datetime, most: int = MOST_TOKENS
) -> pl.DataFrame:
    """One row per customer with an order or event before `as_of`: customer_id and `tokens`, a list of structs, by customer.

    Frames as `customers.features.builder` describes them. Nothing at or after `as_of` is looked at, and no customer's row
    depends on another's.
    """
    at = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    things = [_take_orders(orders.lazy(), at)]
    if events is not None:
        things.append(_take_events(events.lazy(), at))
    of_customer = pl.col("customer_id") == pl.col("customer_id").shift(1)
    days = (
        pl.concat(things)
        .group_by("customer_id", "kind", "day")
        .agg(
            last_at=pl.col("at").max(),
            first_at=pl.col("at").min(),
            # Sorted, because the order in which threads add up would otherwise show in the last digits.
            amount=pl.col("amount").sort().sum().round(6),
            times=pl.len().cast(pl.Float64),
        )
        .sort("customer_id", "last_at", "first_at", "kind")
        .with_columns(
            age_days=_count_days(pl.col("last_at"), at),
            gap_days=pl.when(of_customer).then(_count_days(pl.col("last_at").shift(1), pl.col("last_at"))),
            nth=pl.col("day").cum_count().over("customer_id", "kind"),
        )
    )
    token = pl.struct(pl.col(field.name).cast(field.dtype) for field in _TYPE.fields)
    return (
        days.select("customer_id", token.alias(TOKENS))
        .group_by("customer_id", maintain_order=True)
        .agg(pl.col(TOKENS).tail(most))
        .sort("customer_id")
        .collect()
    )


def add_tokens(
    features: pl.DataFrame, orders: pl.DataFrame, events: pl.DataFrame | None, *, as_of: dt.datetime
) -> pl.DataFrame:
    """The frame of features as of `as_of` with the customers' tokens beside them."""
    return features.join(build_tokens(orders, events, as_of=as_of), on="customer_id", how="left")


def _take_orders(orders: pl.LazyFrame, at: pl.Expr) -> pl.LazyFrame:
    kind = pl.when("is_return").then(pl.lit(RETURNED)).otherwise(pl.lit(ORDERED))
    return orders.filter(pl.col("ordered_at") < at).select(
        "customer_id",
        kind=kind.replace_strict(list(KINDS), list(range(len(KINDS))), return_dtype=pl.UInt8),
        day=pl.col("ordered_at").dt.date(),
        at="ordered_at",
        amount=pl.col("total").cast(pl.Float64).fill_null(0.0),
    )


def _take_events(events: pl.LazyFrame, at: pl.Expr) -> pl.LazyFrame:
    moment, kind = pl.col("occurred_at"), pl.col("kind").cast(pl.String)
    place = kind.replace_strict(list(KINDS), list(range(len(KINDS))), default=None, return_dtype=pl.UInt8)
    return (
        events.filter((moment < at) & (moment >= at - pl.duration(days=EVENT_WINDOW_DAYS)))
        .select("customer_id", kind=place, day=moment.dt.date(), at=moment, amount=pl.lit(0.0))
        .filter(pl.col("kind").is_not_null())
    )


def _count_days(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    return (end - start).dt.total_microseconds() / _DAY_US

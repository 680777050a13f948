"""Features of every customer as of a date: one set-based function for training, scoring and back-tests.

Shapes of the frames (`customers.features.reader` makes them from the database, `scoring.history` from a file):

- orders: customer_id, order_id, ordered_at (UTC), total (net, negative for returns; null where it was paid in another
  currency than the shop's, so that pounds and yen are never added up), discount, is_return
- lines: customer_id, ordered_at, product_id, category, quantity, is_charge
- events: customer_id, kind, occurred_at
- popularity: product_id, popularity (`measure_popularity`)

Orders of one customer on one day (UTC) count as one: `order_days` and every other count of orders are days.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import polars as pl

from .catalogue import FEATURE_KEYS

EVENT_WINDOW_DAYS = 180
VISIT_KINDS = ("product_viewed", "search_performed", "cart_updated")

_DAY_US = 86_400_000_000
_EVENT_COUNTS = [
    "views_30d",
    "views_90d",
    "searches_30d",
    "carts_30d",
    "emails_90d",
    "opens_90d",
    "clicks_90d",
    "complaints_90d",
    "tickets_90d",
    "views_decayed_14d",
    "complaints",
    "complaints_closed",
]


@dataclass(frozen=True)
class ShopData:
    """The orders of a shop with, where known, their lines and the log of events."""

    orders: pl.DataFrame
    lines: pl.DataFrame | None = None
    events: pl.DataFrame | None = None
    currency: str = ""


def build_features(
    orders: pl.DataFrame | pl.LazyFrame,
    lines: pl.DataFrame | pl.LazyFrame | None = None,
    events: pl.DataFrame | pl.LazyFrame | None = None,
    *,
    as_of: dt.datetime,
    popularity: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row per customer with an order before `as_of`: customer_id and every feature as Float64, sorted by customer.

    Nothing at or after `as_of` is looked at. No customer's row depends on another customer but through `popularity`,
    which is measured on the lines at hand where it is not given: give it where only some of the customers are at hand.
    A feature that cannot be known is null: those of lines or events when none are given, times between orders with a
    single order.
    """
    at = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    known = orders.lazy().filter(pl.col("ordered_at") < at)
    days = _work_out(_merge_purchase_days(known.filter(~pl.col("is_return")), at))
    returns = _work_out(_summarise_returns(known.filter(pl.col("is_return")), at))
    frame = _work_out(_summarise_days(days)).join(returns, on="customer_id", how="left")
    if lines is not None:
        known_products = measure_popularity(lines, as_of=as_of) if popularity is None else popularity
        summary = _summarise_lines(_work_out(_take_wares(lines.lazy(), at)), known_products.lazy())
        frame = frame.join(_work_out(summary), on="customer_id", how="left")
    if events is not None:
        frame = frame.join(_work_out(_summarise_events(events.lazy(), at)), on="customer_id", how="left")
    frame = _net_returns(frame)
    frame = _derive_email_and_support(frame) if events is not None else frame
    angle = 2 * math.pi * (as_of.timetuple().tm_yday - 1) / 365.25
    frame = frame.with_columns(month_sin=pl.lit(math.sin(angle)), month_cos=pl.lit(math.cos(angle)))
    present = set(frame.collect_schema().names())
    # Rounded, because the order in which threads add up would otherwise show in the last digits of a second run.
    columns = [
        (pl.col(key) if key in present else pl.lit(None)).cast(pl.Float64).round(9).alias(key) for key in FEATURE_KEYS
    ]
    return frame.select("customer_id", *columns).sort("customer_id").collect()


def measure_popularity(lines: pl.DataFrame | pl.LazyFrame, *, as_of: dt.datetime) -> pl.DataFrame:
    """How common each product is: product_id and popularity, the logarithm of the share of buyers who bought it before
    `as_of`, sorted by product. Only products with two buyers or more: what one person bought says nothing of others.
    """
    wares = _take_wares(lines.lazy(), pl.lit(as_of).cast(pl.Datetime("us", "UTC")))
    bought = wares.filter(pl.col("product_id").is_not_null()).select("product_id", "customer_id").unique().collect()
    everybody = bought["customer_id"].n_unique()
    return (
        bought.group_by("product_id")
        .agg(buyers=pl.len())
        .filter(pl.col("buyers") > 1)
        .select("product_id", popularity=(pl.col("buyers") / everybody).log().round(9))
        .sort("product_id")
    )


def _work_out(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of a step by itself: all steps in one plan take a third longer."""
    return frame.collect().lazy()


def _merge_purchase_days(purchases: pl.LazyFrame, at: pl.Expr) -> pl.LazyFrame:
    """Orders of one customer on one day become one row, with the day, the gap to the one before and the age in days."""
    discounted = (pl.col("discount") > 0).sum()
    return (
        purchases.with_columns(day=pl.col("ordered_at").dt.date().cast(pl.Int32))
        .group_by("customer_id", "day")
        .agg(
            last_at=pl.col("ordered_at").max(),
            first_at=pl.col("ordered_at").min(),
            value=pl.when(pl.col("total").count() > 0).then(pl.col("total").sum()),
            orders=pl.len(),
            discounted=discounted,
        )
        .sort("customer_id", "day")
        .with_columns(
            gap=pl.when(pl.col("customer_id") == pl.col("customer_id").shift(1))
            .then(pl.col("day") - pl.col("day").shift(1))
            .cast(pl.Float64),
            age=_age_in_days(pl.col("last_at"), at),
        )
    )


def _age_in_days(moment: pl.Expr, at: pl.Expr) -> pl.Expr:
    return (at - moment).dt.total_microseconds() / _DAY_US


def _summarise_days(days: pl.LazyFrame) -> pl.LazyFrame:
    age, value, gap = pl.col("age"), pl.col("value"), pl.col("gap")

    def orders_within(window: int) -> pl.Expr:
        return (age <= window).sum()

    def revenue_within(window: int) -> pl.Expr:
        return value.filter(age <= window).sum()

    first_age = age.max() + (pl.col("last_at").min() - pl.col("first_at").min()).dt.total_microseconds() / _DAY_US
    return (
        days.group_by("customer_id", maintain_order=True)
        .agg(
            recency_days=age.min(),
            tenure_days=first_age,
            gap_mean=gap.mean(),
            gap_median=gap.median(),
            gap_std=gap.std(),
            gap_last=gap.last(),
            order_days=pl.len(),
            orders_30d=orders_within(30),
            orders_90d=orders_within(90),
            orders_180d=orders_within(180),
            orders_365d=orders_within(365),
            orders_decayed_30d=(0.5 ** (age / 30)).sum(),
            orders_decayed_120d=(0.5 ** (age / 120)).sum(),
            weeks=(age / 7).floor().n_unique(),
            gross_total=value.sum(),
            gross_90d=revenue_within(90),
            gross_180d=revenue_within(180),
            gross_365d=revenue_within(365),
            revenue_decayed_90d=(value * 0.5 ** (age / 90)).sum(),
            order_value_mean=value.mean(),
            order_value_last=value.last(),
            order_value_std=value.std(),
            orders_season=((age > 275) & (age <= 365)).sum(),
            discounted_90d=pl.col("discounted").filter(age <= 90).sum(),
            discount_share=pl.col("discounted").sum() / pl.col("orders").sum(),
        )
        .with_columns(
            overdue_ratio=pl.col("recency_days") / pl.col("gap_mean"),
            last_gap_ratio=pl.col("gap_last") / pl.col("gap_mean"),
            gap_variation=pl.col("gap_std") / pl.col("gap_mean"),
            orders_trend=2.0 * pl.col("orders_90d") - pl.col("orders_180d"),
            revenue_trend=2.0 * pl.col("gross_90d") - pl.col("gross_180d"),
            active_share=pl.col("weeks") / ((pl.col("tenure_days") / 7).floor() + 1),
        )
    )


def _summarise_returns(returns: pl.LazyFrame, at: pl.Expr) -> pl.LazyFrame:
    age, value = _age_in_days(pl.col("ordered_at"), at), pl.col("total")
    return returns.group_by("customer_id").agg(
        returned_total=value.sum(),
        returned_90d=value.filter(age <= 90).sum(),
        returned_365d=value.filter(age <= 365).sum(),
        returns_90d=(age <= 90).sum(),
        days_since_return=age.min(),
    )


def _take_wares(lines: pl.LazyFrame, at: pl.Expr) -> pl.LazyFrame:
    return lines.filter((pl.col("ordered_at") < at) & (pl.col("quantity") > 0) & ~pl.col("is_charge"))


def _summarise_lines(wares: pl.LazyFrame, popularity: pl.LazyFrame) -> pl.LazyFrame:
    categories = wares.filter(pl.col("category") != "").group_by("customer_id", "category").agg(bought=pl.len())
    favourite = categories.group_by("customer_id").agg(
        favourite_share=pl.col("bought").max() / pl.col("bought").sum(),
        distinct_categories=pl.len(),
    )
    products = (
        wares.filter(pl.col("product_id").is_not_null())
        .select("customer_id", "product_id", day=pl.col("ordered_at").dt.date())
        .group_by("customer_id", "product_id")
        .agg(first_on=pl.col("day").min(), last_on=pl.col("day").max())
    )
    liked = (
        products.join(popularity, on="product_id", how="left")
        .group_by("customer_id")
        .agg(
            distinct_products=pl.len(),
            rebought_share=(pl.col("first_on") < pl.col("last_on")).mean(),
            product_popularity=pl.col("popularity").mean(),
        )
    )
    bought = wares.group_by("customer_id").agg(items=pl.col("quantity").sum(), line_items=pl.col("quantity").median())
    return bought.join(liked, on="customer_id", how="left").join(favourite, on="customer_id", how="left")


def _summarise_events(events: pl.LazyFrame, at: pl.Expr) -> pl.LazyFrame:
    age, kind = pl.col("age"), pl.col("kind")
    recent = events.filter(pl.col("occurred_at") < at).with_columns(age=_age_in_days(pl.col("occurred_at"), at))

    def count(name: str, window: int) -> pl.Expr:
        return ((kind == name) & (age <= window)).sum()

    return (
        recent.filter(age <= EVENT_WINDOW_DAYS)
        .group_by("customer_id")
        .agg(
            days_since_visit=age.filter(kind.is_in(VISIT_KINDS)).min(),
            views_30d=count("product_viewed", 30),
            views_90d=count("product_viewed", 90),
            views_decayed_14d=(0.5 ** (age / 14)).filter(kind == "product_viewed").sum(),
            days_since_cart=age.filter(kind == "cart_updated").min(),
            days_since_open=age.filter(kind == "email_opened").min(),
            days_since_complaint=age.filter(kind == "complaint_opened").min(),
            searches_30d=count("search_performed", 30),
            carts_30d=count("cart_updated", 30),
            emails_90d=count("email_sent", 90),
            opens_90d=count("email_opened", 90),
            clicks_90d=count("email_clicked", 90),
            complaints_90d=count("complaint_opened", 90),
            tickets_90d=count("ticket_opened", 90),
            complaints=count("complaint_opened", EVENT_WINDOW_DAYS),
            complaints_closed=count("complaint_closed", EVENT_WINDOW_DAYS),
        )
    )


def _net_returns(frame: pl.LazyFrame) -> pl.LazyFrame:
    present = frame.collect_schema().names()
    frame = frame.with_columns(pl.col("returned_total", "returned_90d", "returned_365d", "returns_90d").fill_null(0))
    frame = frame.with_columns(
        revenue_total=pl.col("gross_total") + pl.col("returned_total"),
        revenue_90d=pl.col("gross_90d") + pl.col("returned_90d"),
        revenue_365d=pl.col("gross_365d") + pl.col("returned_365d"),
        return_share=pl.when(pl.col("gross_total") > 0)
        .then(-pl.col("returned_total") / pl.col("gross_total"))
        .clip(0, 1),
    )
    if "items" not in present:
        return frame
    bought = pl.col("items", "distinct_products", "distinct_categories").fill_null(0)
    return frame.with_columns(bought).with_columns(basket_items=pl.col("items") / pl.col("order_days"))


def _derive_email_and_support(frame: pl.LazyFrame) -> pl.LazyFrame:
    frame = frame.with_columns(pl.col(_EVENT_COUNTS).fill_null(0).cast(pl.Float64))
    return frame.with_columns(
        views_trend=pl.col("views_30d") - pl.col("views_90d") / 3,
        open_share_90d=pl.when(pl.col("emails_90d") > 0).then(pl.col("opens_90d") / pl.col("emails_90d")).clip(0, 1),
        click_share_90d=pl.when(pl.col("emails_90d") > 0).then(pl.col("clicks_90d") / pl.col("emails_90d")).clip(0, 1),
        open_complaints=(pl.col("complaints") - pl.col("complaints_closed")).clip(lower_bound=0),
    )

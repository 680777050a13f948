"""The features again, customer by customer in plain Python: slow, obvious, and written without the builder."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import statistics
from typing import Any

import polars as pl

Row = dict[str, Any]
DAY = dt.timedelta(days=1)


def plain_features(
    orders: pl.DataFrame, lines: pl.DataFrame, events: pl.DataFrame, as_of: dt.datetime
) -> dict[int, Row]:
    known = [o for o in orders.to_dicts() if o["ordered_at"] < as_of]
    bought = [line for line in lines.to_dicts() if line["ordered_at"] < as_of]
    log = [e for e in events.to_dicts() if e["occurred_at"] < as_of]
    popularity = _popularity([line for line in bought if line["quantity"] > 0 and not line["is_charge"]])
    found = {}
    for customer in {o["customer_id"] for o in known if not o["is_return"]}:
        mine = [o for o in known if o["customer_id"] == customer]
        row = _from_orders([o for o in mine if not o["is_return"]], [o for o in mine if o["is_return"]], as_of)
        row |= _from_lines([line for line in bought if line["customer_id"] == customer], row["order_days"], popularity)
        row |= _from_events([e for e in log if e["customer_id"] == customer], as_of)
        angle = 2 * math.pi * (as_of.timetuple().tm_yday - 1) / 365.25
        found[customer] = row | {"month_sin": math.sin(angle), "month_cos": math.cos(angle)}
    return found


def _from_orders(purchases: list[Row], returns: list[Row], as_of: dt.datetime) -> Row:
    by_day: dict[dt.date, list[Row]] = {}
    for order in sorted(purchases, key=lambda o: o["ordered_at"]):
        by_day.setdefault(order["ordered_at"].date(), []).append(order)
    days = sorted(by_day)
    ages = [(as_of - by_day[day][-1]["ordered_at"]) / DAY for day in days]
    paid = [[o["total"] for o in by_day[day] if o["total"] is not None] for day in days]
    values = [sum(of_day) for of_day in paid]
    known = [value for value, of_day in zip(values, paid, strict=True) if of_day]
    gaps = [(b - a).days for a, b in itertools.pairwise(days)]
    tenure = max((as_of - o["ordered_at"]) / DAY for o in purchases)

    def orders_within(window: int) -> int:
        return sum(age <= window for age in ages)

    def revenue_within(window: float) -> float:
        gross = sum(value for value, age in zip(values, ages, strict=True) if age <= window)
        return gross + sum((o["total"] or 0) for o in returns if (as_of - o["ordered_at"]) / DAY <= window)

    def gross_within(window: float) -> float:
        return sum(value for value, age in zip(values, ages, strict=True) if age <= window)

    gap_mean = statistics.mean(gaps) if gaps else None
    gap_std = statistics.stdev(gaps) if len(gaps) > 1 else None
    returned = -sum((o["total"] or 0) for o in returns)
    return {
        "recency_days": min(ages),
        "tenure_days": tenure,
        "gap_mean": gap_mean,
        "gap_median": statistics.median(gaps) if gaps else None,
        "gap_std": gap_std,
        "gap_last": gaps[-1] if gaps else None,
        "overdue_ratio": min(ages) / gap_mean if gap_mean else None,
        "last_gap_ratio": gaps[-1] / gap_mean if gap_mean else None,
        "gap_variation": gap_std / gap_mean if gap_mean and gap_std is not None else None,
        "order_days": len(days),
        "orders_30d": orders_within(30),
        "orders_90d": orders_within(90),
        "orders_180d": orders_within(180),
        "orders_365d": orders_within(365),
        "orders_decayed_30d": sum(0.5 ** (age / 30) for age in ages),
        "orders_decayed_120d": sum(0.5 ** (age / 120) for age in ages),
        "orders_trend": orders_within(90) - (orders_within(180) - orders_within(90)),
        "orders_season": sum(275 < age <= 365 for age in ages),
        "active_share": len({int(age // 7) for age in ages}) / (int(tenure // 7) + 1),
        "revenue_total": revenue_within(math.inf),
        "revenue_90d": revenue_within(90),
        "revenue_365d": revenue_within(365),
        "revenue_decayed_90d": sum(value * 0.5 ** (age / 90) for value, age in zip(values, ages, strict=True)),
        "revenue_trend": gross_within(90) - (gross_within(180) - gross_within(90)),
        "order_value_mean": statistics.mean(known) if known else None,
        "order_value_last": values[-1] if paid[-1] else None,
        "order_value_std": statistics.stdev(known) if len(known) > 1 else None,
        "return_share": min(max(returned / sum(values), 0), 1) if sum(values) > 0 else None,
        "returns_90d": sum((as_of - o["ordered_at"]) / DAY <= 90 for o in returns),
        "days_since_return": min(((as_of - o["ordered_at"]) / DAY for o in returns), default=None),
        "discounted_90d": sum(
            sum(o["discount"] > 0 for o in by_day[day]) for day, age in zip(days, ages, strict=True) if age <= 90
        ),
        "discount_share": sum(o["discount"] > 0 for o in purchases) / len(purchases),
    }


def _popularity(wares: list[Row]) -> dict[Any, float]:
    buyers: dict[Any, set[int]] = {}
    for line in wares:
        if line["product_id"] is not None:
            buyers.setdefault(line["product_id"], set()).add(line["customer_id"])
    everybody = len(set().union(*buyers.values()))
    return {product: math.log(len(who) / everybody) for product, who in buyers.items() if len(who) > 1}


def _from_lines(lines: list[Row], order_days: int, popularity: dict[Any, float]) -> Row:
    wares = [line for line in lines if line["quantity"] > 0 and not line["is_charge"]]
    days: dict[Any, set[dt.date]] = {}
    for line in wares:
        if line["product_id"] is not None:
            days.setdefault(line["product_id"], set()).add(line["ordered_at"].date())
    categories = [line["category"] for line in wares if line["category"]]
    common = [popularity[product] for product in days if product in popularity]
    most = max((categories.count(name) for name in categories), default=0)
    return {
        "basket_items": sum(line["quantity"] for line in wares) / order_days,
        "distinct_products": len(days),
        "distinct_categories": len(set(categories)),
        "favourite_share": most / len(categories) if categories else None,
        "line_items": statistics.median(line["quantity"] for line in wares) if wares else None,
        "rebought_share": sum(len(when) > 1 for when in days.values()) / len(days) if days else None,
        "product_popularity": statistics.mean(common) if common else None,
    }


def _from_events(events: list[Row], as_of: dt.datetime) -> Row:
    ages = [(e["kind"], (as_of - e["occurred_at"]) / DAY) for e in events]

    def count(kind: str, window: int) -> int:
        return sum(k == kind and age <= window for k, age in ages)

    def newest(kind: str) -> float | None:
        return min((age for k, age in ages if k == kind and age <= 180), default=None)

    visits = [age for k, age in ages if k in {"product_viewed", "search_performed", "cart_updated"} and age <= 180]
    sent = count("email_sent", 90)
    return {
        "days_since_visit": min(visits) if visits else None,
        "views_30d": count("product_viewed", 30),
        "views_90d": count("product_viewed", 90),
        "views_trend": count("product_viewed", 30) - count("product_viewed", 90) / 3,
        "views_decayed_14d": sum(0.5 ** (age / 14) for k, age in ages if k == "product_viewed" and age <= 180),
        "days_since_cart": newest("cart_updated"),
        "days_since_open": newest("email_opened"),
        "days_since_complaint": newest("complaint_opened"),
        "searches_30d": count("search_performed", 30),
        "carts_30d": count("cart_updated", 30),
        "emails_90d": sent,
        "opens_90d": count("email_opened", 90),
        "clicks_90d": count("email_clicked", 90),
        "open_share_90d": min(count("email_opened", 90) / sent, 1) if sent else None,
        "click_share_90d": min(count("email_clicked", 90) / sent, 1) if sent else None,
        "complaints_90d": count("complaint_opened", 90),
        "open_complaints": max(count("complaint_opened", 180) - count("complaint_closed", 180), 0),
        "tickets_90d": count("ticket_opened", 90),
    }

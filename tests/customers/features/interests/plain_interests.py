"""The interests again, customer by customer in plain Python: slow, obvious, and written without the set-based code."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import polars as pl

Row = dict[str, Any]
DAY = dt.timedelta(days=1)
COUNTS_FOR = {"ordered": (1.0, 180), "carts": (0.5, 30), "searched": (0.4, 30), "viewed": (0.1, 30)}
ACTS = {"cart_updated": "carts", "search_performed": "searched", "product_viewed": "viewed"}


def plain_affinities(
    lines: pl.DataFrame, events: pl.DataFrame, labels: dict[int, str], meanings: dict[str, str], as_of: dt.datetime
) -> dict[tuple[int, str], Row]:
    acts = [
        (line["customer_id"], labels.get(line["product_id"], ""), "ordered", line["ordered_at"])
        for line in lines.to_dicts()
        if line["quantity"] > 0 and not line["is_charge"]
    ]
    for event in events.to_dicts():
        act = ACTS.get(event["kind"])
        if act is None or event["occurred_at"] < as_of - 180 * DAY:
            continue
        category = labels.get(event["product_id"], "")
        if not category and event["category"] in labels.values():
            category = event["category"]
        acts.append((event["customer_id"], category or meanings.get(event["query"], ""), act, event["occurred_at"]))
    found: dict[tuple[int, str], Row] = {}
    for customer, category, act, at in acts:
        if at >= as_of or not category:
            continue
        row = found.setdefault((customer, category), {"weight": 0.0} | dict.fromkeys(COUNTS_FOR, 0))
        value, half_life = COUNTS_FOR[act]
        row["weight"] += value * 0.5 ** ((as_of - at) / DAY / half_life)
        row[act] += 1
    for (customer, _category), row in found.items():
        row["share"] = row["weight"] / sum(r["weight"] for (c, _), r in found.items() if c == customer)
    return found


def plain_prices(lines: pl.DataFrame, as_of: dt.datetime) -> dict[tuple[int, str], float]:
    paid: dict[tuple[int, str], list[float]] = defaultdict(list)
    for line in lines.to_dicts():
        if line["ordered_at"] < as_of and line["quantity"] > 0 and line["product_id"] is not None:
            paid[line["product_id"], line["currency"]].append(line["unit_price"])
    return {key: sum(prices) / len(prices) for key, prices in paid.items()}


def plain_levels(
    lines: pl.DataFrame, prices: dict[tuple[int, str], float], labels: dict[int, str], as_of: dt.datetime
) -> dict[int, Row]:
    places = {}
    for (product, currency), price in prices.items():
        peers = [
            round(other, 6)
            for (p, c), other in prices.items()
            if c == currency and product in labels and labels.get(p) == labels[product]
        ]
        if len(peers) >= 4:
            below = sum(peer < round(price, 6) for peer in peers)
            equal = sum(peer == round(price, 6) for peer in peers)
            places[product, currency] = (below + equal / 2) / len(peers)
    found: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for line in lines.to_dicts():
        place = places.get((line["product_id"], line["currency"]))
        if place is not None and line["ordered_at"] < as_of and line["quantity"] > 0 and not line["is_charge"]:
            found[line["customer_id"]].append((0.5 ** ((as_of - line["ordered_at"]) / DAY / 180), place))
    return {customer: _level(weighed) for customer, weighed in found.items()}


def _level(weighed: list[tuple[float, float]]) -> Row:
    if len(weighed) < 3:
        return {"price_level": None, "price_band": "", "price_lines": len(weighed)}
    level = round(sum(w * place for w, place in weighed) / sum(w for w, _ in weighed), 6)
    band = "low" if level < 0.4 else "high" if level >= 0.6 else "mid"
    return {"price_level": level, "price_band": band, "price_lines": len(weighed)}


def plain_unanswered(
    events: pl.DataFrame, lines: pl.DataFrame, labels: dict[int, str], meanings: dict[str, str], as_of: dt.datetime
) -> dict[tuple[int, str], Row]:
    found: dict[tuple[int, str], Row] = {}
    for event in events.to_dicts():
        if event["kind"] != "search_performed" or not event["query"]:
            continue
        if not as_of - 90 * DAY <= event["occurred_at"] < as_of:
            continue
        row = found.setdefault((event["customer_id"], event["query"]), {"times": 0, "last_at": event["occurred_at"]})
        row["times"] += 1
        row["last_at"] = max(row["last_at"], event["occurred_at"])
    for (customer, query), row in list(found.items()):
        category = meanings.get(query, "")
        answers = [
            line
            for line in _bought(lines, as_of)
            if line["customer_id"] == customer and line["ordered_at"] >= row["last_at"]
            if not category or labels.get(line["product_id"]) == category
        ]
        if answers:
            del found[customer, query]
    return found


def plain_unbought(events: pl.DataFrame, lines: pl.DataFrame, as_of: dt.datetime) -> dict[tuple[int, int], Row]:
    found: dict[tuple[int, int], Row] = {}
    for event in events.to_dicts():
        if event["kind"] != "product_viewed" or event["product_id"] is None:
            continue
        at = event["occurred_at"]
        if as_of - 60 * DAY <= at < as_of:
            row = found.setdefault(
                (event["customer_id"], event["product_id"]), {"times": 0, "first_at": at, "last_at": at}
            )
            row["times"] += 1
            row["first_at"], row["last_at"] = min(row["first_at"], at), max(row["last_at"], at)
    for (customer, product), row in list(found.items()):
        if any(
            line["customer_id"] == customer and line["product_id"] == product and line["ordered_at"] >= row["first_at"]
            for line in _bought(lines, as_of)
        ):
            del found[customer, product]
    return found


def _bought(lines: pl.DataFrame, as_of: dt.datetime) -> list[Row]:
    return [
        line
        for line in lines.to_dicts()
        if line["ordered_at"] < as_of and line["quantity"] > 0 and not line["is_charge"]
    ]

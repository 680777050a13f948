"""The same tokens once more, customer by customer in plain Python: slow, and easy to check by reading."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import polars as pl

from customers.scoring.sequence.tokens import KINDS, MOST_TOKENS

DAY = dt.timedelta(days=1)


def plain_tokens(orders: pl.DataFrame, events: pl.DataFrame, as_of: dt.datetime) -> dict[int, list[dict[str, Any]]]:
    seen: dict[int, list[tuple[dt.datetime, str, float]]] = defaultdict(list)
    for order in orders.to_dicts():
        if order["ordered_at"] < as_of:
            kind = "returned" if order["is_return"] else "ordered"
            seen[order["customer_id"]].append((order["ordered_at"], kind, order["total"] or 0.0))
    for event in events.to_dicts():
        if as_of - 180 * DAY <= event["occurred_at"] < as_of and event["kind"] in KINDS:
            seen[event["customer_id"]].append((event["occurred_at"], event["kind"], 0.0))
    return {customer: _make_sequence(things, as_of) for customer, things in seen.items()}


def _make_sequence(things: list[tuple[dt.datetime, str, float]], as_of: dt.datetime) -> list[dict[str, Any]]:
    days: dict[tuple[dt.date, str], list[tuple[dt.datetime, float]]] = defaultdict(list)
    for moment, kind, amount in things:
        days[moment.date(), kind].append((moment, amount))
    of_kind: dict[str, int] = defaultdict(int)
    tokens: list[dict[str, Any]] = []
    previous = None
    in_order = sorted(days.items(), key=lambda day: (max(day[1])[0], min(day[1])[0], KINDS.index(day[0][1])))
    for (_, kind), moments in in_order:
        last = max(moment for moment, _ in moments)
        of_kind[kind] += 1
        tokens.append(
            {
                "kind": KINDS.index(kind),
                "age_days": (as_of - last) / DAY,
                "gap_days": (last - previous) / DAY if previous else None,
                "amount": sum(amount for _, amount in moments),
                "times": float(len(moments)),
                "nth": float(of_kind[kind]),
            }
        )
        previous = last
    return tokens[-MOST_TOKENS:]

"""Carts and checkouts as events. A cart names nobody: what it held is kept apart until its checkout or order says whose it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl

from customers.ingest.identity import EVENT_FRAME, find_visitors, link_visitors, record_or_hold
from customers.ingest.recorder import storable_json
from customers.models import EventKind

from .told import ToldCart, ToldLink


def keep_carts(
    carts: Sequence[ToldCart],
    links: Sequence[ToldLink],
    people: Mapping[str, int],
    *,
    source: str,
    now: dt.datetime,
) -> int:
    """Record or hold them; returns how many went into the log. The same cart at the same time is one event."""
    owners = {link.visitor: people[link.customer] for link in links if link.customer in people}
    recorded = link_visitors(owners, source=source, by=f"shop:{source}", now=now)
    if not carts:
        return recorded
    known = find_visitors(source, {cart.visitor for cart in carts})
    frame = pl.DataFrame(
        [
            (
                f"cart:{cart.token}", cart.at, people.get(cart.customer) or known.get(cart.visitor), cart.visitor,
                str(EventKind.CART_UPDATED), storable_json(dict(cart.properties)),
            )
            for cart in carts
        ],
        schema=EVENT_FRAME,
        orient="row",
    ).unique(["external_id", "occurred_at"], keep="last", maintain_order=True)  # fmt: skip
    return recorded + record_or_hold(frame, source=source)[0].recorded

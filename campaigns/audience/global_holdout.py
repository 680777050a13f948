"""Who is in the global hold-out: a stable draw from the round's salt and the customer, for ever the same.

Somebody into whom others were merged is held out where any of them was drawn: the stricter arm. It keeps nobody from a
service message (UNCAPPED_TOPICS), a confirmation mail or an answer of support.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db import connection

from campaigns.models import Campaign, ExclusionReason, GlobalHoldout
from customers.ingest.merged import list_identities

from .caps import is_uncapped
from .holdout import draw_sql, draws_holdout


def read_round(at: dt.datetime) -> GlobalHoldout | None:
    """The round in force at an instant; None before the first. One query."""
    return GlobalHoldout.objects.filter(begins_at__lte=at).order_by("-number").first()


def is_held_out(holdout: GlobalHoldout | None, customer_id: int) -> bool:
    """Whether a customer, or anybody merged into them, was drawn. One query where the round holds anybody out."""
    if holdout is None or not holdout.is_on:
        return False
    return any(draws_holdout(holdout.salt, each, holdout.share) for each in list_identities(customer_id))


def global_holdout_sql(customer: str) -> str:
    """SQL for the ExclusionReason of a row of customers_customer called `customer`, or ''; `global_holdout_params` fills it."""
    own, theirs = (draw_sql(row, seed="x_g_salt", share="x_g_share") for row in (f"{customer}.id", "x_h.loser_id"))
    return f"""CASE
    WHEN %(x_g_share)s::float8 > 0 AND ({own} OR EXISTS (
      SELECT 1 FROM customers_customermerge x_h
      WHERE x_h.holder_id = {customer}.id AND x_h.undone_at IS NULL AND {theirs}))
      THEN '{ExclusionReason.GLOBAL_HOLDOUT}' ELSE '' END"""


def global_holdout_params(campaign: Campaign, *, now: dt.datetime) -> dict[str, Any]:
    """Nobody is drawn for a service message, or while the hold-out is off. One query."""
    holdout = None if is_uncapped(campaign.topic) else read_round(now)
    return {"x_g_salt": holdout.salt if holdout else "", "x_g_share": holdout.share if holdout else 0.0}


def list_held_out(holdout: GlobalHoldout, *, batch: int = 10_000) -> Iterator[tuple[int, str]]:
    """Of everybody who is in the table, whoever was drawn in that round: (id, external id), by id. A row that was merged since
    is listed under its own number, in the arm of its own draw."""
    drawn = draw_sql("id", seed="salt", share="share")
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT id, external_id FROM customers_customer WHERE {drawn} ORDER BY id",
            {"salt": holdout.salt, "share": holdout.share},
        )
        while rows := cursor.fetchmany(batch):
            yield from rows

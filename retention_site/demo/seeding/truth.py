"""What the simulator knows of each campaign, by kind of person, beside what both arms then did."""

from __future__ import annotations

import datetime as dt

import polars as pl
from django.db import connection

from campaigns.models import Arm, Campaign, KnownTruth
from campaigns.outcomes.windows import people_sql, read_window, window_params
from customers.ingest.merged import order_join_sql


def tell_truth(campaign: Campaign, effects: pl.DataFrame, kinds: pl.DataFrame, *, as_of: dt.datetime) -> int:
    """Keep one row for each kind of person in the campaign; returns how many. Safe to run twice.

    `effects` (customer_external_id, effect) is of those whom the message reached; who was skipped adds nothing to the mean over
    the treatment arm. `kinds` (customer_external_id, kind) is of everybody.
    """
    people = _read_people(campaign, as_of).join(kinds, on="customer_external_id", how="inner")
    people = people.join(effects.select("customer_external_id", "effect"), on="customer_external_id", how="left")
    is_treated = pl.col("arm") == Arm.TREATMENT.value
    sums = people.group_by("kind").agg(
        treated=is_treated.sum(),
        treated_kept=(is_treated & pl.col("kept")).sum(),
        holdout=(~is_treated).sum(),
        holdout_kept=(~is_treated & pl.col("kept")).sum(),
        effect=pl.col("effect").filter(is_treated).sum(),
    )
    for row in sums.iter_rows(named=True):
        effect = row.pop("effect")
        points = round(100 * effect / row["treated"], 3) if row["treated"] else 0.0
        values = {**row, "true_effect_points": points}
        KnownTruth.objects.update_or_create(campaign=campaign, kind=values.pop("kind"), defaults=values)
    return sums.height


def _read_people(campaign: Campaign, as_of: dt.datetime) -> pl.DataFrame:
    """customer_external_id, arm, and whether they ordered in their window: as `campaigns.outcomes` counts it."""
    schema = {"customer_external_id": pl.String, "arm": pl.String, "kept": pl.Boolean}
    window = read_window(campaign, as_of=as_of)
    if window is None:
        return pl.DataFrame(schema=schema)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT c.external_id, m.arm, bool_or(o.id IS NOT NULL)
            FROM ({people_sql(campaign)}) m JOIN customers_customer c ON c.id = m.customer_id
            {order_join_sql("m.customer_id")} AND NOT o.is_return
             AND o.ordered_at >= m.opens_at AND o.ordered_at < m.closes_at AND o.ordered_at < %(end)s
            GROUP BY c.external_id, m.arm
            """,
            window_params(campaign, window, as_of=as_of),
        )
        return pl.DataFrame(cursor.fetchall(), schema=schema, orient="row")

"""What all scores add up to, kept beside them: a page shall not add up a million of them.

A run of scoring counts at its end. Whatever else writes a score (an objection to profiling, a merge, an erasure) is noted by a
trigger of the database, and the sweep, once a minute, counts anew. Pages say as of when the figures are.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max

from customers.models import ModelVersion, Score, ScoreHistory, ScoreMark, ScoreStatus, ScoreTotals
from customers.scoring.logits import MAX_PROBABILITY

#: From this churn probability on a customer counts as at risk.
AT_RISK: Final = 0.6
#: Bins of equal width; a probability of 1 belongs to the last.
BINS: Final = 20
#: How old scores are that count as those of a week before: a night may be left out.
SHORTEST_WEEK: Final = dt.timedelta(days=6)
LONGEST_WEEK: Final = dt.timedelta(days=10)
_FIGURES: Final = (
    "counted_at",
    "newest_score",
    "scored",
    "at_risk",
    "value_at_risk",
    "change_in_week",
    "bins",
    "unscored",
)
_EDGES: Final = [number / BINS for number in range(BINS)]


def read_totals(now: dt.datetime) -> ScoreTotals:
    """The figures that are kept; counted at once where there are none yet."""
    return ScoreTotals.objects.first() or _count(now)


def count_scores(now: dt.datetime) -> ScoreTotals:
    """Count all scores and keep the figures; marks that were set before are answered by it. Running it again changes nothing
    but the time of the count."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('customers.scoring.totals'))"
        )  # the last to count counts last
        # One that is set from now on stays for the next count.
        seen = list(ScoreMark.objects.values_list("pk", flat=True))
        totals = _count(now)
        ScoreTotals.objects.bulk_create([totals], update_conflicts=True, unique_fields=["id"], update_fields=_FIGURES)
        ScoreMark.objects.filter(pk__in=seen).delete()
    return totals


def sweep_totals(now: dt.datetime) -> bool:
    """Count anew where a score was written since the last count; whether it was done. Of two at once the second does nothing."""
    if not ScoreMark.objects.exists():
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('customers.scoring.totals'))")
        if not cursor.fetchone()[0]:
            return False
        count_scores(now)
    return True


def _count(now: dt.datetime) -> ScoreTotals:
    """One pass over the scores, and one over those of a week before."""
    rows = _read_bins()
    scored = [row for row in rows if row["status"] == ScoreStatus.SCORED]
    bins = [0] * BINS
    for row in scored:
        if row["bin"] is not None:
            bins[row["bin"] - 1] += row["customers"]
    unscored: dict[str, int] = {}
    for row in rows:
        if row["status"] != ScoreStatus.SCORED:
            unscored[row["status"]] = unscored.get(row["status"], 0) + row["customers"]
    at_risk = sum(row["at_risk"] for row in scored)
    newest = Score.objects.aggregate(newest=Max("as_of"))["newest"]
    return ScoreTotals(
        counted_at=now,
        newest_score=newest,
        scored=sum(row["customers"] for row in scored),
        at_risk=at_risk,
        value_at_risk=Decimal(sum(row["value"] for row in scored)).quantize(Decimal("0.01")),
        change_in_week=_change_in_a_week(newest, at_risk),
        bins=bins,
        unscored=unscored,
    )


def _read_bins() -> list[dict[str, Any]]:
    """Customers by status and bin of their probability; `value` is what those at risk would spend if all of them stayed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, width_bucket(churn_probability, %(edges)s::float8[]), count(*),"
            " count(*) FILTER (WHERE churn_probability >= %(at_risk)s),"
            " coalesce(sum(expected_value::float8 / greatest(1 - churn_probability, %(least)s))"
            " FILTER (WHERE churn_probability >= %(at_risk)s), 0)"
            " FROM customers_score GROUP BY 1, 2",
            {"edges": _EDGES, "at_risk": AT_RISK, "least": 1 - MAX_PROBABILITY},
        )
        names = ("status", "bin", "customers", "at_risk", "value")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _change_in_a_week(newest: dt.datetime | None, at_risk: int) -> int | None:
    """Against the history of the model in use a week before; None where there is none. After a pause the newest scores before
    it are no week old: what changed since then did not change this week."""
    model = ModelVersion.objects.in_use().values_list("pk", flat=True).first()
    if model is None or newest is None:
        return None
    history = ScoreHistory.objects.filter(model=model, as_of__range=(newest - LONGEST_WEEK, newest - SHORTEST_WEEK))
    before = history.aggregate(newest=Max("as_of"))["newest"]
    if before is None:
        return None
    return at_risk - history.filter(as_of=before, churn_probability__gte=AT_RISK).count()

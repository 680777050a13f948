"""Consents that a shop can prove: noted with its own time, and never over a withdrawal that is as new or newer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl

from customers.ingest.consent import record_consents
from customers.ingest.recorder import storable_json
from customers.models import ConsentRecord

from .told import ToldConsent


def keep_consents(told: Sequence[ToldConsent], people: Mapping[str, int], *, source: str, now: dt.datetime) -> int:
    """Append them; returns how many are new. What a person suppressed here stays suppressed: a shop cannot lift that.

    Left out: who is not here, a time that lies in the future, and a consent that is not newer than a withdrawal here.
    """
    wanted = [one for one in told if one.customer in people and one.at <= now]
    if not wanted:
        return 0
    withdrawn = _find_withdrawals([people[one.customer] for one in wanted])
    rows = {
        (people[one.customer], one.channel, one.is_given, one.at): one
        for one in wanted
        if not one.is_given or one.at > withdrawn.get((people[one.customer], one.channel), _NEVER)
    }
    if not rows:
        return 0
    frame = pl.DataFrame(
        [
            (
                source, one.customer, channel, "given" if is_given else "withdrawn", "consent", f"shop:{source}"[:80],
                storable_json(dict(one.proof)), at,
            )
            for (_pk, channel, is_given, at), one in rows.items()
        ],
        schema={
            "source": pl.String, "customer": pl.String, "channel": pl.String, "status": pl.String,
            "legal_basis": pl.String, "consent_source": pl.String, "proof": pl.String,
            "recorded_at": pl.Datetime("us", "UTC"),
        },
        orient="row",
    )  # fmt: skip
    return record_consents(frame, source=source).created


_NEVER = dt.datetime(1, 1, 1, tzinfo=dt.UTC)


def _find_withdrawals(customers: Sequence[int]) -> dict[tuple[int, str], dt.datetime]:
    """The newest withdrawal of each person and channel."""
    found: dict[tuple[int, str], dt.datetime] = {}
    rows = ConsentRecord.objects.filter(customer__in=customers, status=ConsentRecord.Status.WITHDRAWN)
    for pk, channel, at in rows.values_list("customer_id", "channel", "recorded_at"):
        found[pk, channel] = max(at, found.get((pk, channel), at))
    return found

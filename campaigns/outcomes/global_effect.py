"""What all promotions together did: everybody who could be written to when a round of the global hold-out began, by arm.

Intention to treat, by the draw of each person's own number, whatever reached them. Who agreed to be written to later, or became
a customer later, is left alone or not by the same draw, and counts from the next round on: what is asked of people must have
been true before. Who was merged since counts under their own number, whose consents and orders say where they came from. One
statement counts it, as for a campaign.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.core.cache import cache
from django.db import connection

from campaigns.audience.caps import uncapped_topics
from campaigns.audience.holdout import draw_sql
from campaigns.models import Arm, GlobalHoldout
from customers.ingest.clock import read_shop_clock
from customers.ingest.currency import read_shop_currency
from customers.ingest.merged import came_under_sql, holder_join_sql
from customers.models import ConsentRecord

from .attribution import expect
from .counting import counting_cursor
from .estimates import check_ratio, describe_amount_looks, describe_estimates, describe_look
from .lift import estimate_lift
from .sums import count_people

#: Seconds for which what a round would show is kept.
KEPT_S: Final = 3600
#: With the columns of `windows.PEOPLE_SQL`. The newest score of the month before the start is what was expected of them: a shop
#: keeps those of every night, and the index of their days finds that month alone.
PEOPLE_SQL = f"""
SELECT CASE WHEN {draw_sql("c.id", seed="salt", share="share")} THEN '{Arm.HOLDOUT}' ELSE '{Arm.TREATMENT}' END AS arm,
       c.id AS customer_id, NULL::bigint AS archetype_id, h.churn_probability, h.expected_value,
       0 AS in_looks, %(start)s::timestamptz AS opens_at, %(end)s::timestamptz AS closes_at
FROM customers_customer c
JOIN (
  SELECT DISTINCT customer_id FROM (
    SELECT DISTINCT ON (1, channel) coalesce(came_as, customer_id) AS customer_id, status FROM customers_consentrecord
    WHERE recorded_at <= %(start)s AND NOT is_test ORDER BY 1, channel, recorded_at DESC, id DESC
  ) newest WHERE status = '{ConsentRecord.Status.GIVEN}'
) agreed ON agreed.customer_id = c.id
LEFT JOIN (
  SELECT DISTINCT ON (customer_id) customer_id, churn_probability, expected_value FROM customers_scorehistory
  WHERE as_of <= %(start)s AND as_of > %(start)s::timestamptz - interval '31 days'
  ORDER BY customer_id, as_of DESC, id DESC
) h ON h.customer_id = c.id
WHERE NOT EXISTS (
  SELECT 1 FROM customers_customermerge g WHERE g.loser_id = c.id AND g.undone_at IS NULL AND g.merged_at <= %(start)s)"""


def measure_round(holdout: GlobalHoldout, *, as_of: dt.datetime) -> dict[str, Any]:
    """The figures of one round as of an instant, as JSON; {} before it began, or where it holds nobody out.

    `estimates` are per person, with the past taken out; `any_look` and `any_look_amounts` hold however often one looks, because a
    round has no planned end that nobody looks before; `reached` is how many people of each arm got a promotion all the same.
    Pure reading.
    """
    until = min(as_of, find_end(holdout) or as_of)
    if not holdout.is_on or until <= holdout.begins_at:
        return {}
    window = {"salt": holdout.salt, "share": holdout.share, "start": holdout.begins_at, "end": until}
    currency = read_shop_currency()
    sums = count_people(PEOPLE_SQL, window, currency=currency, orders_first=True)
    treated, held = sums.treated, sums.holdout
    expected = expect(treated, held, days=holdout.renew_days)
    days = (until - holdout.begins_at) / dt.timedelta(days=1)
    return {
        "as_of": as_of.isoformat(),
        "until": until.isoformat(),
        "days": round(days, 2),
        "currency": currency,
        "retention": estimate_lift(treated.n, treated.kept, held.n, held.kept, is_complete=until < as_of).as_json(),
        "estimates": describe_estimates(treated.moments, held.moments),
        "cap": sums.cap,
        "any_look": describe_look(
            treated.moments, held.moments, expected=expected, elapsed_days=days, grows=False
        ),
        "any_look_amounts": describe_amount_looks(treated.moments, held.moments, expected=expected),
        "sample_ratio": check_ratio(treated.n, held.n, holdout.share),
        "reached": _count_reached(window),
    }  # fmt: skip


def find_end(holdout: GlobalHoldout) -> dt.datetime | None:
    """When the next round began; None while it is the newest."""
    later = GlobalHoldout.objects.filter(number__gt=holdout.number).order_by("number")
    return later.values_list("begins_at", flat=True).first()


def expect_round(days: int, *, now: dt.datetime) -> tuple[int, float]:
    """How many people a round would have that began now, and the share of them (0 to 1) to be expected to order within so many
    days: as many as did in the last ones. Kept for an hour, for at a million people it takes seconds."""
    clock = read_shop_clock(now)
    key = f"campaigns.expected_round:{connection.settings_dict['NAME']}:{days}:{clock:%Y%m%d%H}".replace(" ", "_")
    found: tuple[int, float] | None = cache.get(key)
    if found is None:
        found = _expect_round(now, clock - dt.timedelta(days=days), clock)
        cache.set(key, found, KEPT_S)
    return found


def _expect_round(now: dt.datetime, first: dt.datetime, last: dt.datetime) -> tuple[int, float]:
    params: dict[str, Any] = {"salt": "", "share": 0, "start": now, "end": now, "first": first, "last": last}
    with counting_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*), count(*) FILTER (WHERE EXISTS (
                SELECT 1 FROM customers_order o
                WHERE {came_under_sql("p.customer_id")} AND NOT o.is_return
                  AND o.ordered_at >= %(first)s AND o.ordered_at < %(last)s))
            FROM ({PEOPLE_SQL}) p {holder_join_sql("p.customer_id")}
            """,
            params,
        )
        people, ordered = cursor.fetchone()
    return people, ordered / max(people, 1)


def _count_reached(window: dict[str, Any]) -> dict[str, int]:
    with counting_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT p.arm, count(*) FROM ({PEOPLE_SQL}) p
            WHERE EXISTS (
                SELECT 1 FROM campaigns_message x JOIN campaigns_campaign k ON k.id = x.campaign_id
                WHERE x.customer_id = p.customer_id AND x.sending_at >= %(start)s AND x.sending_at < %(end)s
                  AND x.status IN ('accepted', 'delivered', 'complained') AND k.topic <> ALL(%(service)s))
            GROUP BY p.arm
            """,
            {**window, "service": uncapped_topics()},
        )
        found = dict(cursor.fetchall())
    return {"treated": int(found.get(Arm.TREATMENT, 0)), "holdout": int(found.get(Arm.HOLDOUT, 0))}

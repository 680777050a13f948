"""How long it takes to measure a campaign of 1,000,000 people, against the plainest count that any measurement needs.

The floor joins the same people with their orders in the window and counts those who ordered, by arm. Ours adds a year of their
past, three outcomes, four covariates, all their covariances, and the same by archetype.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time

from benchmarks.frame import set_up_django

ORDERS_EACH = 4
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench measuring", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100,000 people instead of 1,000,000")
    options = parser.parse_args()
    people = 100_000 if options.quick else 1_000_000
    set_up_django()
    campaign = _make_shop(people)
    floor, ours = _measure(campaign)
    figures = {"seed": 0, "size": people, "orders": people * ORDERS_EACH, "floor_s": floor, "measure_s": ours,
               "vs_floor": round(ours / floor, 2)}  # fmt: skip
    for name, value in figures.items():
        print(f"  {name:<12} {value}")
    print(json.dumps(figures))


def _make_shop(people):  # type: ignore[no-untyped-def]
    """So many people in ten archetypes, a tenth held out, with four orders each over fourteen months."""
    from django.db import connection
    from django.utils import timezone

    from campaigns.models import Archetype, Campaign
    from tests.campaigns import arrange

    now = timezone.now()
    campaign = arrange.make_campaign(arrange.make_cast().marketer, [], now=now)
    kinds = [Archetype(campaign=campaign, cell=f"bench {number}", language="en", size=0) for number in range(10)]
    places = [archetype.pk for archetype in Archetype.objects.bulk_create(kinds)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(
            "INSERT INTO customers_customer (source, external_id, email, first_name, last_name, language, time_zone,"
            " country, attributes) SELECT 'bench', n, 'c' || n || '@shopper.test', 'Ada', n, 'en', 'UTC', 'Scotland', '{}'"
            " FROM generate_series(1, %s) n",
            [people],
        )
        cursor.execute(
            "INSERT INTO customers_order (source, external_id, customer_id, ordered_at, currency, total, discount_code)"
            " SELECT 'bench', c.id || '-' || n, c.id, now() - make_interval(days => (420 * random())::int), 'EUR',"
            " round((10 + 90 * random())::numeric, 2), '' FROM customers_customer c, generate_series(1, %s) n",
            [ORDERS_EACH],
        )
        cursor.execute(
            "INSERT INTO campaigns_audiencemember (campaign_id, customer_id, arm, exclusion_reason, archetype_id,"
            " churn_probability, expected_value) SELECT %s, id, CASE WHEN id %% 10 = 0 THEN 'holdout' ELSE 'treatment' END, '',"
            " (%s::bigint[])[1 + (id / 10 %% 10)], random(), 100 * random() FROM customers_customer WHERE source = 'bench'",
            [campaign.pk, places],
        )
        cursor.execute("ANALYZE")
    Campaign.objects.filter(pk=campaign.pk).update(sending_started_at=now - dt.timedelta(days=60))
    campaign.refresh_from_db()
    return campaign


def _measure(campaign):  # type: ignore[no-untyped-def]
    """Seconds of the floor and of `measure_campaign`, the best of three each, in turn."""
    from django.db import connection
    from django.utils import timezone

    from campaigns.outcomes.attribution import measure_campaign

    as_of, floors, ours = timezone.now(), [], []
    for _round in range(ROUNDS):
        begun = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT arm, count(*), count(*) FILTER (WHERE orders > 0)"
                " FROM (SELECT m.arm, m.customer_id, count(o.id) AS orders"
                " FROM campaigns_audiencemember m LEFT JOIN customers_order o ON o.customer_id = m.customer_id"
                " AND o.ordered_at >= %s AND o.ordered_at < %s WHERE m.campaign_id = %s GROUP BY m.arm, m.customer_id) p"
                " GROUP BY arm",
                [campaign.sending_started_at, as_of, campaign.pk],
            )
            cursor.fetchall()
        floors.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        measure_campaign(campaign, as_of=as_of)
        ours.append(time.perf_counter() - begun)
    return round(min(floors), 2), round(min(ours), 2)


if __name__ == "__main__":
    main()

"""Queueing an audience against a bare INSERT ... SELECT of the same rows into the same table, alternating in one run."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")

ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench queueing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100,000 messages instead of 1,000,000")
    parser.add_argument(
        "--nights", action="store_true", help="everybody by their own clock, in six zones with quiet hours"
    )
    parser.add_argument("--seed", type=int, default=20261123)
    options = parser.parse_args()
    size = 100_000 if options.quick else 1_000_000
    import django

    django.setup()
    from campaigns.delivery.outbox import queue_messages

    campaign, variant = _make_audience(size)
    if options.nights:
        _keep_nights(campaign)
    ours, floors = [], []
    for _round in range(ROUNDS):
        floors.append(_time(lambda: _insert_bare(campaign.pk, variant)))
        _empty()
        ours.append(_time(lambda: queue_messages(campaign)))
        _empty()
    figures = {
        "seed": options.seed,
        "size": size,
        "queue_s": round(statistics.median(ours), 3),
        "insert_select_s": round(statistics.median(floors), 3),
        "vs_insert_select": round(statistics.median(ours) / statistics.median(floors), 3),
    }
    for name, value in figures.items():
        print(f"  {name:<18} {value}")
    print(json.dumps(figures))


def _make_audience(size):  # type: ignore[no-untyped-def]
    from django.db import connection
    from django.utils import timezone

    from campaigns.models import Archetype
    from tests.campaigns import arrange

    now = timezone.now()
    campaign = arrange.make_campaign(arrange.make_cast().marketer, [], send_at=now, now=now)
    archetype = Archetype.objects.get(campaign=campaign)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer (source, external_id, email, first_name, last_name, language, time_zone,"
            " country, attributes) SELECT 'bench', n, 'c' || n || '@shopper.test', '', '', 'en', 'UTC', '', '{}'"
            " FROM generate_series(1, %s) n",
            [size],
        )
        cursor.execute(
            "INSERT INTO campaigns_audiencemember (campaign_id, customer_id, arm, exclusion_reason, archetype_id)"
            " SELECT %s, id, 'treatment', '', %s FROM customers_customer WHERE source = 'bench'",
            [campaign.pk, archetype.pk],
        )
        cursor.execute("ANALYZE")
    return campaign, archetype.variants.get().pk


def _keep_nights(campaign):  # type: ignore[no-untyped-def]
    from django.db import connection

    from campaigns.models import CountryRule

    CountryRule.objects.update(quiet_from="21:00", quiet_until="08:00")
    campaign.send_mode = "local"
    campaign.save()
    zones = ["Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Shanghai", "Asia/Seoul", ""]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET time_zone = (%s::text[])[1 + id %% 6]", [zones])
        cursor.execute("VACUUM ANALYZE customers_customer")


def _insert_bare(campaign_id: int, variant_id: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_message (campaign_id, step, customer_id, variant_id)"
            " SELECT %s, 1, customer_id, %s FROM campaigns_audiencemember WHERE campaign_id = %s",
            [campaign_id, variant_id, campaign_id],
        )


def _empty() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE campaigns_message CASCADE")


def _time(work) -> float:  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

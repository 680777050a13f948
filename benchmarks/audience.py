"""Freezing 100,000 people into archetypes against a bare INSERT ... SELECT of the same members, and what a page of cards costs.

Each size of audience is frozen into 12 archetypes; the cards of all of them are built, then those of 30. Cards are made
from sums that the freeze kept, so their cost must not grow with the people.
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")

ORDERS_EACH = 10
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench audience", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 people instead of 100,000")
    options = parser.parse_args()
    large = 10_000 if options.quick else 100_000
    import django

    django.setup()
    figures: dict[str, float] = {"people": large, "orders": large * ORDERS_EACH}
    for size in (1_000, large):
        campaign = _make_shop(size)
        figures |= _measure_freeze(campaign, size) if size == large else {}
        figures |= {f"{name}_{size}": value for name, value in _measure_cards(campaign).items()}
    figures["cards_growth"] = round(figures[f"cards_12_ms_{large}"] / figures["cards_12_ms_1000"], 2)
    for name, value in figures.items():
        print(f"  {name:<24} {value}")
    print(json.dumps(figures))


def _make_shop(size):  # type: ignore[no-untyped-def]
    """So many people of 20 interests, two languages and all themes, with ten orders each; and a campaign on all of them."""
    from django.db import connection
    from django.utils import timezone

    from campaigns.models import Campaign
    from customers.features.catalogue import THEMES
    from customers.models import ModelVersion, Segment
    from tests.campaigns import arrange

    now = timezone.now()
    source = f"bench{size}"
    model, _created = ModelVersion.objects.get_or_create(
        version=1, defaults={"estimator": "bench", "horizon_days": 60, "trained_at": now, "data_from": now,
                             "data_until": now, "artifact": b""},
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_product (sku, name, names, category, currency, is_charge, version, updated_at, url)"
            " SELECT 'b' || n, 'Ware ' || n, '{}', 'Interest ' || n % 20, 'EUR', false, 1, now(), ''"
            " FROM generate_series(1, 200) n ON CONFLICT DO NOTHING"
        )
        cursor.execute(
            "INSERT INTO customers_customer (source, external_id, email, first_name, last_name, language, time_zone,"
            " country, attributes) SELECT %s, n, 'c' || n || '@shopper.test', 'Ada', n, CASE WHEN n %% 8 = 0 THEN 'zh' ELSE"
            " 'en' END, 'UTC', %s, '{}' FROM generate_series(1, %s) n",
            [source, source, size],
        )
        cursor.execute(
            "INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, proof, is_test, recorded_at)"
            " SELECT id, 'email', 'given', 'consent', 'bench', '{}', false, now() FROM customers_customer WHERE source = %s",
            [source],
        )
        cursor.execute(
            "INSERT INTO customers_score (customer_id, model_id, as_of, churn_probability, expected_value, interest,"
            " main_reason, reasons) SELECT id, %s, now(), 0.3 + 0.6 * random(), 100 * random(),"
            " 'Interest ' || (power(random(), 3) * 20)::int, (%s::text[])[1 + (power(random(), 3) * %s)::int], '[{}]'"
            " FROM customers_customer WHERE source = %s",
            [model.pk, list(THEMES), len(THEMES) - 1, source],
        )
        cursor.execute(
            "INSERT INTO customers_order (source, external_id, customer_id, ordered_at, currency, total, discount_code)"
            " SELECT %s, c.id || '-' || n, c.id, now() - make_interval(days => (900 * random())::int), 'EUR',"
            " round((10 + 90 * random() * (c.id %% 7))::numeric, 2), ''"
            " FROM customers_customer c, generate_series(1, %s) n WHERE c.source = %s",
            [source, ORDERS_EACH, source],
        )
        cursor.execute(
            "INSERT INTO customers_orderline (order_id, position, product_id, quantity, unit_price)"
            " SELECT o.id, 1, p.id, 1, 10 FROM customers_order o JOIN customers_product p ON p.sku = 'b' || 1 + o.id %% 200"
            " WHERE o.source = %s",
            [source],
        )
        cursor.execute("ANALYZE")
    segment = Segment.objects.create(name=source, rule={"field": "country", "op": "is", "value": source})
    return Campaign.objects.create(
        name=source, segment=segment, author=arrange.make_cast().marketer, holdout_seed="5eed"
    )


def _measure_freeze(campaign, size):  # type: ignore[no-untyped-def]
    from django.db import connection
    from django.utils import timezone

    from campaigns.audience.freeze import freeze_audience
    from campaigns.models import Archetype, AudienceCell, Campaign

    ours, floors = [], []
    for _round in range(ROUNDS):
        ours.append(_time(lambda: freeze_audience(campaign, now=timezone.now(), actor=None)))
        other = Campaign.objects.create(
            name="floor", segment=campaign.segment, author=campaign.author, holdout_seed="x"
        )
        with connection.cursor() as cursor:
            floors.append(
                _time(
                    lambda pk=other.pk, cursor=cursor: cursor.execute(
                        "INSERT INTO campaigns_audiencemember (campaign_id, customer_id, arm, exclusion_reason,"
                        " churn_probability, expected_value) SELECT %s, customer_id, arm, exclusion_reason,"
                        " churn_probability, expected_value FROM campaigns_audiencemember WHERE campaign_id = %s",
                        [pk, campaign.pk],
                    )
                )
            )
        other.members.all().delete()
    return {
        "cells": AudienceCell.objects.filter(campaign=campaign).count(),
        "archetypes": Archetype.objects.filter(campaign=campaign).count(),
        "freeze_s": round(min(ours), 2),
        "insert_s": round(min(floors), 2),
        "freeze_vs_insert": round(min(ours) / min(floors), 1),
    }


def _measure_cards(campaign):  # type: ignore[no-untyped-def]
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from campaigns.audience.cards import build_cards
    from campaigns.audience.freeze import freeze_audience
    from campaigns.audience.shaping import split_again
    from campaigns.models import Campaign

    freeze_audience(campaign, now=timezone.now(), actor=None)
    found = {}
    for most in (12, 30):
        Campaign.objects.filter(pk=campaign.pk).update(max_archetypes=most)
        campaign.refresh_from_db()
        found[f"split_{most}_ms"] = round(1000 * _time(lambda: split_again(campaign, now=timezone.now())))
        build_cards(campaign)
        with CaptureQueriesContext(connection) as asked:
            cards = build_cards(campaign)
        found[f"cards_{most}"] = len(cards)
        found[f"cards_{most}_queries"] = len(asked)
        found[f"cards_{most}_ms"] = round(1000 * min(_time(lambda: build_cards(campaign)) for _round in range(ROUNDS)))
    return found


def _time(act):  # type: ignore[no-untyped-def]
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()

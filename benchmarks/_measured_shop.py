"""A shop whose campaigns are over and running, written straight into the tables: for the benchmark of measuring.

Everybody is in a campaign that is over, with an offer and a message sent, and in a live one whose texts shift their shares;
everybody agreed to be written to, has a score of today and one of the time before. No benchmark by itself, hence the name.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

ORDERS_EACH = 4
#: Days since the campaign that is over was sent, and since the first person entered the live one.
SENT_DAYS, LIVE_DAYS = 75, 40


@dataclass(frozen=True)
class MeasuredShop:
    """`finished` and `live` are campaigns, `round` that of the global hold-out."""

    finished: Any
    live: Any
    round: Any


def fill_measured_shop(people: int, *, now: dt.datetime) -> MeasuredShop:
    """So many people in ten archetypes, a tenth held out, with four orders each over fourteen months. Into empty tables."""
    from django.db import connection

    from campaigns.models import GlobalHoldout
    from customers.models import ModelVersion, SensitiveAttributes
    from tests.campaigns import arrange

    cast = arrange.make_cast()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no check of foreign keys: the ids are ours
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(_CUSTOMERS, {"people": people})
        cursor.execute(_ORDERS, {"each": ORDERS_EACH, "now": now})
    finished = _make_campaign("Finished", now - dt.timedelta(days=SENT_DAYS), people, is_live=False)
    live = _make_campaign("Live", now - dt.timedelta(days=LIVE_DAYS), people, is_live=True)
    model = ModelVersion.objects.create(
        version=1, estimator="bench", status=ModelVersion.Status.CHAMPION, horizon_days=60, trained_at=now, data_from=now,
        data_until=now, artifact=b"",
    )  # fmt: skip
    holdout = GlobalHoldout.objects.create(
        number=1, salt="5a17" * 8, share=0.05, begins_at=now - dt.timedelta(days=90), reason="bench", changed_at=now
    )
    SensitiveAttributes.objects.create(keys=["country"], changed_by=cast.approver, changed_at=now)
    with connection.cursor() as cursor:
        for sql in (_MEMBERS, _MESSAGES, _CONSENTS, _SCORES, _PAST_SCORES, _ENTRIES, _ENTRY_MESSAGES):
            cursor.execute(
                sql,
                {
                    "now": now, "model": model.pk, "finished": finished.pk, "live": live.pk, "people": people,
                    "places": list(finished.archetypes.order_by("pk").values_list("pk", flat=True)),
                    "live_places": list(live.archetypes.order_by("pk").values_list("pk", flat=True)),
                },
            )  # fmt: skip
        cursor.execute("RESET session_replication_role")
        cursor.execute("ANALYZE")
    return MeasuredShop(finished, live, holdout)


def _make_campaign(name: str, at: dt.datetime, people: int, *, is_live: bool) -> Any:
    """With ten archetypes of two texts each and an offer with a code."""
    from campaigns.models import Archetype, Campaign, CampaignKind, CampaignStatus, Offer, Variant
    from tests.campaigns import arrange

    made = arrange.make_campaign(arrange.make_cast().marketer, [], name=name, now=at)
    made.archetypes.all().delete()
    kinds = [Archetype(campaign=made, cell=f"bench {number}", language="en", size=0) for number in range(10)]
    for kind in Archetype.objects.bulk_create(kinds):
        Variant.objects.bulk_create(Variant(archetype=kind, label=label, origin="person") for label in "AB")
    Offer.objects.update_or_create(campaign=made, defaults={"kind": Offer.Kind.PERCENT, "value": 10, "code": "BENCH"})
    values: dict[str, Any] = {
        "sending_started_at": at,
        "audience_as_of": at,
        "holdout_share": 0.1,
        "attribution_days": 60,
    }
    values["audience_counts"] = {"treatment": people - people // 10, "holdout": people // 10}
    if is_live:
        values |= {"kind": CampaignKind.TRIGGERED, "adapts_texts": True}
    status = CampaignStatus.SENDING if is_live else CampaignStatus.SENT
    Campaign.objects.filter(pk=made.pk).update(status=status, scheduled_for=at, **values)
    return Campaign.objects.get(pk=made.pk)


_CUSTOMERS = """
INSERT INTO customers_customer (source, external_id, email, first_name, last_name, language, time_zone, country, attributes)
SELECT 'bench', n, 'c' || n || '@shopper.test', 'Ada', n, 'en', 'UTC',
       (ARRAY['Scotland', 'Ireland', 'France', 'Norway'])[1 + n %% 4], '{}' FROM generate_series(1, %(people)s) n"""
_ORDERS = """
INSERT INTO customers_order (source, external_id, customer_id, ordered_at, currency, total, discount, discount_code)
SELECT 'bench', c.id || '-' || n, c.id, %(now)s - make_interval(days => (420 * random())::int), 'EUR',
       round((10 + 90 * random())::numeric, 2), CASE WHEN random() < 0.1 THEN 5 ELSE 0 END,
       CASE WHEN random() < 0.1 THEN 'BENCH' ELSE '' END
FROM customers_customer c, generate_series(1, %(each)s) n"""
_ARM = "CASE WHEN id %% 10 = 0 THEN 'holdout' ELSE 'treatment' END"
_MEMBERS = f"""
INSERT INTO campaigns_audiencemember (campaign_id, customer_id, arm, exclusion_reason, archetype_id, churn_probability,
                                      expected_value)
SELECT %(finished)s, id, {_ARM}, '', (%(places)s::bigint[])[1 + (id / 10 %% 10)], random(), 100 * random()
FROM customers_customer WHERE source = 'bench'"""
_MESSAGES = """
INSERT INTO campaigns_message (campaign_id, step, customer_id, variant_id, status, sending_at, settled_at, route)
SELECT m.campaign_id, 1, m.customer_id, t.ids[1 + (m.customer_id / 100 %% 2)], 'delivered',
       %(now)s - make_interval(days => 75), %(now)s - make_interval(days => 75), 'smtp'
FROM campaigns_audiencemember m
JOIN (SELECT archetype_id, array_agg(id ORDER BY id) AS ids FROM campaigns_variant GROUP BY 1) t USING (archetype_id)
WHERE m.campaign_id = %(finished)s AND m.arm = 'treatment'"""
_CONSENTS = """
INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, recorded_at)
SELECT id, 'email', 'given', 'consent', 'bench', %(now)s - make_interval(days => 200) FROM customers_customer
WHERE source = 'bench'"""
_SCORES = """
INSERT INTO customers_score (customer_id, model_id, as_of, churn_probability, expected_orders, expected_value)
SELECT id, %(model)s, %(now)s, random(), 1, 100 * random() FROM customers_customer WHERE source = 'bench'"""
_PAST_SCORES = """
INSERT INTO customers_scorehistory (customer_id, model_id, as_of, churn_probability, expected_orders, expected_value)
SELECT id, %(model)s, %(now)s - make_interval(days => 100), random(), 1, 100 * random() FROM customers_customer
WHERE source = 'bench'"""
_ENTRIES = f"""
INSERT INTO campaigns_entry (campaign_id, customer_id, number, cause, arm, archetype_id, churn_probability, expected_value,
                             entered_at)
SELECT %(live)s, id, 1, 'bench', {_ARM}, (%(live_places)s::bigint[])[1 + (id / 10 %% 10)], random(), 100 * random(),
       %(now)s - make_interval(days => (40 * random())::int) FROM customers_customer WHERE source = 'bench'"""
_ENTRY_MESSAGES = """
INSERT INTO campaigns_message (campaign_id, step, customer_id, variant_id, status, sending_at, settled_at, route)
SELECT e.campaign_id, 1, e.customer_id, t.ids[1 + (e.customer_id / 100 %% 2)], 'delivered', e.entered_at, e.entered_at, 'smtp'
FROM campaigns_entry e
JOIN (SELECT archetype_id, array_agg(id ORDER BY id) AS ids FROM campaigns_variant GROUP BY 1) t USING (archetype_id)
WHERE e.campaign_id = %(live)s AND e.arm = 'treatment'"""

"""How long pages and lists of the API take in a shop of a thousand customers, and in one a hundred or a thousand times as large.

The same shop twice, drawn from the seed inside the database: customers with four orders, five events, a score and a consent
each, four segments, and a campaign whose audience and messages are everybody. Each page is asked many times at both
sizes; `p95_ms` is of those, `ratio` the larger over the smaller, `queries` how many statements each needs.
`unequal` names pages whose number of statements differs. `timeline` is one customer with 10 events, and one with 100,000
(10,000 in the quick run).

The full size takes about half an hour and 20 GB of disk on two cores; `--customers 300000` is a size between.
"""

from __future__ import annotations

import argparse
import datetime as dt
from contextlib import nullcontext
from typing import Any

from benchmarks._shop import without_indexes
from benchmarks.frame import measure, parse_arguments, print_result, set_up_django

ROUNDS = 30
QUICK_ROUNDS = 10
SMALL = 1_000
#: How often beat sweeps segments.
SWEPT_EVERY = dt.timedelta(minutes=1)
#: From so many customers on, indexes of orders and events are made after the rows.
WORTH_DROPPING = 50_000
RULE = '{"match":"all","rules":[{"field":"country","op":"is","value":"Norway"}]}'
SEGMENTS: dict[str, Any] = {
    "north": {"field": "country", "op": "is", "value": "Norway"},
    "quiet": {"field": "recency_days", "op": "gte", "value": 60},
    "at risk": {"match": "all", "rules": [{"field": "churn_probability", "op": "gte", "value": 0.6},
                                          {"field": "expected_value", "op": "gte", "value": 20}]},
    "viewers": {"did": "viewed_product", "op": "gte", "times": 2, "within_days": 14},
}  # fmt: skip

#: Rows %(low)s to %(high)s of each table; d(i) is a number from 0 to 1 that the seed draws for a row.
CUSTOMERS = """
INSERT INTO customers_customer (source, external_id, email, phone, first_name, last_name, language, time_zone, country,
  attributes, joined_at)
SELECT 'bench', 'b' || i, 'b' || i || '@shopper.test', '', (ARRAY['Ada','Ben','Cleo','Dag','Eva'])[1 + i %% 5],
  'N' || md5(%(seed)s || i::text), 'en', 'UTC', (ARRAY['Norway','Germany','France','China','Wales'])[1 + i %% 5],
  '{}', %(today)s - i %% 700 * interval '1 day' FROM generate_series(%(low)s, %(high)s) i"""
ORDERS = """
INSERT INTO customers_order (source, external_id, customer_id, ordered_at, currency, total, discount_code)
SELECT 'bench', c.external_id || '-' || k, c.id,
  %(today)s - interval '1 day' * ((('x' || left(md5(%(seed)s || c.id || k), 4))::bit(16)::int %% 600) + 1),
  'EUR', 20 + (c.id + k) %% 90, '' FROM customers_customer c, generate_series(1, 4) k WHERE c.id > %(after)s"""
EVENTS = """
INSERT INTO customers_customerevent (source, external_id, occurred_at, customer_id, kind, properties)
SELECT 'bench', c.external_id || '-' || k, %(today)s - interval '1 hour' * ((c.id * 7 + k * 131) %% 1400), c.id,
  (ARRAY['product_viewed','product_viewed','search_performed','cart_updated','email_opened'])[k],
  '{"category": "tents"}' FROM customers_customer c, generate_series(1, 5) k WHERE c.id > %(after)s"""
SCORES = """
INSERT INTO customers_score (customer_id, model_id, as_of, status, churn_probability, expected_orders, expected_value,
  recency_days, interest, main_reason)
SELECT c.id, %(model)s, %(today)s, 'scored', (('x' || left(md5(%(seed)s || c.id), 6))::bit(24)::int) / 16777216.0,
  1.2, c.id %% 400, c.id %% 600, 'tents', 'recency' FROM customers_customer c WHERE c.id > %(after)s"""
CONSENTS = """
INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, recorded_at)
SELECT c.id, 'email', 'given', 'consent', 'bench', %(today)s FROM customers_customer c WHERE c.id > %(after)s"""
MEMBERS = """
INSERT INTO campaigns_audiencemember (campaign_id, customer_id, arm, exclusion_reason, archetype_id)
SELECT %(campaign)s, c.id, 'treatment', '', %(archetype)s FROM customers_customer c WHERE c.id > %(after)s"""
MESSAGES = """
INSERT INTO campaigns_message (campaign_id, step, customer_id, variant_id)
SELECT %(campaign)s, 1, c.id, %(variant)s FROM customers_customer c WHERE c.id > %(after)s"""


class Shop:
    """The shop of the run, which grows once."""

    def __init__(self, seed: int) -> None:
        from django.utils import timezone

        from campaigns.models import Archetype
        from customers.models import ModelVersion, Segment, ensure_event_partitions
        from customers.segments.rules import dump_rule, parse_rule
        from tests.campaigns import arrange

        self.today = timezone.now()
        ensure_event_partitions((self.today - dt.timedelta(days=70)).date(), self.today.date())
        campaign = arrange.make_campaign(arrange.make_cast().marketer, [], send_at=self.today, now=self.today)
        archetype = Archetype.objects.get(campaign=campaign)
        model = ModelVersion.objects.create(
            version=1, status="champion", estimator="blend", horizon_days=60, trained_at=self.today,
            data_from=self.today, data_until=self.today, artifact=b"",
        )  # fmt: skip
        self.segments = [
            Segment.objects.create(name=name, rule=dump_rule(parse_rule(tree))) for name, tree in SEGMENTS.items()
        ]
        self.campaign = campaign.pk
        self.values = {
            "seed": str(seed), "today": self.today, "model": model.pk, "campaign": campaign.pk,
            "archetype": archetype.pk, "variant": archetype.variants.get().pk,
        }  # fmt: skip
        self.size = self.swept_size = 0
        self.swept_at: dt.datetime | None = None

    def grow(self, size: int) -> None:
        """Up to `size` customers, with all that belongs to them, and segments counted."""
        from django.db import connection
        from django.db.models import Max

        from customers.models import Customer, TouchedCustomer, note_everybody
        from customers.scoring.totals import count_scores

        after = Customer.objects.aggregate(last=Max("pk"))["last"] or 0
        values = {**self.values, "low": self.size + 1, "high": size, "after": after}
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # no check of foreign keys: the ids are ours
            cursor.execute(CUSTOMERS, values)
            with without_indexes(cursor) if size >= WORTH_DROPPING else nullcontext():
                cursor.execute(ORDERS, values)
                cursor.execute(EVENTS, values)
            for statement in (SCORES, CONSENTS, MEMBERS, MESSAGES):
                cursor.execute(statement, values)
            cursor.execute("RESET session_replication_role")
            TouchedCustomer.objects.all().delete()
            note_everybody()
            cursor.execute("VACUUM ANALYZE")
        self.size = size
        count_scores(self.today)  # as a run of scoring does at its end
        self.sweep()

    def sweep(self) -> None:
        """As beat does once a minute in a running shop: segments that were not looked at for minutes are asked by their rule
        instead, which is one statement more, however many customers there are."""
        from django.utils import timezone

        from customers.segments.sweep import sweep_segments

        if self.swept_at is None or timezone.now() - self.swept_at > SWEPT_EVERY or self.swept_size != self.size:
            self.swept_at, self.swept_size = timezone.now(), self.size
            sweep_segments(self.swept_at)

    def list_pages(self) -> dict[str, str]:
        """The addresses to ask for, by name."""
        from customers.insights.browsing import browse
        from customers.models import Customer

        found = Customer.objects.known().select_related("score")
        first = browse(found, sort="-risk", place=None)
        person = Customer.objects.filter(source="bench").earliest("pk")
        segment = self.segments[0].pk
        return {
            "home": "/",
            "customers": "/customers/",
            "customers_next": f"/customers/?after={first.later}",
            "customers_by_name": "/customers/?sort=name",
            "customers_of_country": "/customers/?country=Norway&risk=high",
            "customers_found": "/customers/?q=b777@shopper.test",
            "customers_found_many": "/customers/?q=Ada",
            "customers_of_rule": f"/customers/?rule={RULE}",
            "customers_of_segment": f"/customers/?segment={segment}",
            "customer": f"/customers/{person.pk}/",
            "timeline_part": f"/customers/{person.pk}/timeline/",
            "segments": "/segments/",
            "segment": f"/segments/{self.segments[2].pk}/",
            "segment_new": "/segments/new/",
            "segment_revisions": f"/segments/{segment}/revisions/",
            "predictions": "/predictions/",
            "campaigns": "/campaigns/",
            "audience": f"/campaigns/{self.campaign}/audience/",
            "messages": f"/campaigns/{self.campaign}/messages/",
            "outbox": "/outbox/",
            "outbox_next": f"/outbox/?after={self.size // 2}",
            "outbox_of_state": f"/outbox/?campaign={self.campaign}&status=queued",
            "review": "/review/",
            "api_customers": "/api/v1/customers/",
            "api_customers_of_segment": f"/api/v1/customers/?segment={segment}",
            "api_orders": "/api/v1/orders/",
            "api_events": f"/api/v1/events/?customer={person.pk}",
            "api_segments": "/api/v1/segments/",
            "api_members": f"/api/v1/segments/{segment}/members/",
            "api_campaigns": "/api/v1/campaigns/",
        }


def time_pages(shop: Shop, pages: dict[str, str], rounds: int) -> dict[str, dict[str, Any]]:
    """Of each page the p95 of `rounds` answers in milliseconds, and how many statements one needs."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="localhost")
    user = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench")
    client.force_login(user)
    told = {}
    for name, address in pages.items():
        shop.sweep()
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
        queries = len(asked)  # now: the log of statements is emptied with the next request
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
        took = []
        for _round in range(rounds):
            with measure() as asking:
                client.get(address)
            took.append(asking.seconds)
        took.sort()
        told[name] = {"p95_ms": took[max(0, int(len(took) * 0.95) - 1)] * 1000, "queries": queries}
    return told


def time_lives(shop: Shop, long: int, rounds: int) -> dict[str, float]:
    """The p95 of a part of a time line of 10 and of `long` events, the last part of each, and the narrowed one."""
    from django.db import connection

    from customers.models import Customer

    pages = {}
    people = list(Customer.objects.filter(source="bench").order_by("-pk")[:2])
    with connection.cursor() as cursor:
        for person, length in zip(people, (10, long), strict=True):
            cursor.execute(
                "INSERT INTO customers_customerevent (source, external_id, occurred_at, customer_id, kind, properties)"
                " SELECT 'life', %s || '-' || i, %s - i * interval '1 minute' * 50000 / %s, %s, 'product_viewed', '{}'"
                " FROM generate_series(1, %s) i",
                [person.pk, shop.today, length, person.pk, length],
            )
        cursor.execute("ANALYZE customers_customerevent")
    for person, name in zip(people, ("short", "long"), strict=True):
        address = f"/customers/{person.pk}/timeline/"
        pages |= {name: address, f"{name}_old": f"{address}?before={(shop.today - dt.timedelta(days=30)).isoformat()}"}
        pages[f"{name}_support"] = f"{address}?show=support"
    pages = {name: address.replace("+00:00", "Z") for name, address in pages.items()}
    return {name: row["p95_ms"] for name, row in time_pages(shop, pages, rounds).items()}


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--customers", type=int, help="another large size than 100,000 with --quick and 1,000,000 without"
    )


def main() -> None:
    arguments = parse_arguments(__doc__ or "", _add_options)
    set_up_django()
    large, rounds = (100_000, QUICK_ROUNDS) if arguments.quick else (1_000_000, ROUNDS)
    large = arguments.more.customers or large
    shop = Shop(arguments.seed)
    shop.grow(SMALL)
    small = time_pages(shop, shop.list_pages(), rounds)
    with measure() as growing:
        shop.grow(large)
    big = time_pages(shop, shop.list_pages(), rounds)
    lives = time_lives(shop, 10_000 if arguments.quick else 100_000, rounds)
    print(f"pages at {SMALL:,} and at {large:,} customers (grown in {growing.seconds:.0f} s)")
    pages = {}
    for name, few in small.items():
        many = big[name]
        ratio = many["p95_ms"] / few["p95_ms"]
        pages[name] = {
            "p95_ms": [round(few["p95_ms"], 1), round(many["p95_ms"], 1)],
            "ratio": round(ratio, 2),
            "queries": few["queries"] if few["queries"] == many["queries"] else [few["queries"], many["queries"]],
        }
        print(
            f"  {name:<26}{few['p95_ms']:>9.1f} ms{many['p95_ms']:>9.1f} ms{ratio:>7.2f} x   {pages[name]['queries']}"
        )
    for name, took in lives.items():
        print(f"  time line, {name:<15}{took:>9.1f} ms")
    unequal = [name for name, row in pages.items() if isinstance(row["queries"], list)]
    print_result(
        arguments, size=large, worst_ratio=max(row["ratio"] for row in pages.values()), unequal=unequal, pages=pages,
        timeline={name: round(took, 1) for name, took in lives.items()},
    )  # fmt: skip


if __name__ == "__main__":
    main()

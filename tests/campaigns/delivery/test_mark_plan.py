"""How PostgreSQL reaches its rows when a message is marked: by index, in a large shop, with statistics and without."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
import pytest
from django.db import connection

from campaigns.content.ledger import version_of_text
from campaigns.delivery import outbox
from campaigns.delivery.copies import make_copy, prepare_batch
from campaigns.delivery.marking import Bid
from campaigns.delivery.outbox import Settlement
from campaigns.models import Archetype, Campaign, ShopPolicies, Variant
from customers.ingest.consent import address_hash_sql
from customers.models import Product
from customers.models.event import ensure_event_partitions
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast

from .conftest import write

SIZE = 5_000
CLAIMED = 20
#: Prepared statements get a plan for any values after five runs; so the sixth is looked at too.
RUNS = 8
#: Each customer below has fewer rows in every table; a step that reads more reads those of others.
ROWS_OF_ONE = 15


def fill_shop(campaign: Campaign, size: int, now: dt.datetime) -> None:
    """`size` customers with two consents each, half as many suppressions, a fifth as many complaints over two years,
    most of them closed, ten other events each, and three earlier messages to everybody."""
    ensure_event_partitions((now - dt.timedelta(days=740)).date(), now.date())
    with connection.cursor() as cursor:
        for statement in _FILL:
            # The campaign has begun: the database would not have anybody added.
            with arrange.ledger_open() if "INTO campaigns_audiencemember" in statement else nullcontext():
                cursor.execute(statement, {"size": size, "now": now, "campaign": campaign.pk})


def fill_catalogue(size: int) -> None:
    Product.objects.bulk_create(
        Product(sku=f"J-{n}", name=f"Fjell {n} Tent", category="Tents" if n < 6 else "Bags", price=n + 1, currency="GBP",
                stock=7)
        for n in range(size)
    )  # fmt: skip


def make_claiming_campaign(cast: Cast, now: dt.datetime) -> Campaign:
    """Its text stands on something of every kind: products, prices, stock, a policy, a talking point, days."""
    campaign = arrange.make_campaign(cast.marketer, send_at=now, now=now)
    Campaign.objects.update(talking_points="120 colours in the new range.")
    Archetype.objects.update(interest="Tents")
    opening = "The Fjell 3 Tent is £4, and only 7 of the Fjell 3 Tent are left. 120 colours in the new range."
    archetype = Archetype.objects.select_related("campaign").get()
    variant = arrange.make_variant(archetype, cast.marketer, now=now, opening=opening)
    assert len(variant.stands_on["products"]) > 2 and variant.stands_on["points"]
    return campaign


def add_policy(campaign: Campaign, cast: Cast) -> None:
    """After the last check of the texts, because facts that code makes would be read anew."""
    sentence = "Returns are free within 45 days."
    ShopPolicies.objects.create(number=1, texts={"en": [sentence]}, saved_by=cast.marketer, saved_at=arrange.NOW)
    variant = Variant.objects.get(archetype__campaign=campaign)
    variant.stands_on |= {"policies": [version_of_text(sentence)]}
    variant.save()


def forget_statistics() -> None:
    """As in a shop that was filled a minute ago, whatever autovacuum made of the tables that earlier tests left empty: it thinks
    that their pages hold no rows. Rolled back with the test; only a superuser may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')")
        if cursor.fetchone()[0] == "on":
            ours = "(SELECT oid FROM pg_class WHERE relkind = 'r' AND oid > 16383)"
            cursor.execute(f"DELETE FROM pg_statistic WHERE starelid IN {ours}")
            cursor.execute(f"UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid IN {ours}")


@contextmanager
def plans_of(raw: psycopg.Connection[Any]) -> Iterator[list[dict[str, Any]]]:
    """The plan of each statement that runs meanwhile, as PostgreSQL itself reports it. Needs a superuser."""
    found: list[dict[str, Any]] = []

    def note(notice: psycopg.errors.Diagnostic) -> None:
        text = notice.message_primary or ""
        if "plan:" in text:
            found.append(json.loads(text[text.index("{") :]))

    try:
        with raw.transaction():
            raw.execute("LOAD 'auto_explain'")
    except psycopg.Error:
        pytest.skip("this PostgreSQL does not let us look at plans (auto_explain)")
    raw.execute("SET auto_explain.log_min_duration = 0; SET auto_explain.log_format = json")
    raw.execute("SET auto_explain.log_analyze = on; SET auto_explain.log_level = notice")
    raw.add_notice_handler(note)
    yield found
    raw.execute("SET auto_explain.log_min_duration = -1")
    raw.remove_notice_handler(note)


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)


def greedy_steps(plan: dict[str, Any]) -> list[str]:
    """The steps that read more rows for one person than one person has."""
    return [
        f"{node['Node Type']} of {node.get('Relation Name')} {node.get('Index Name', '')}: {rows:.0f} rows"
        for node in nodes_of(plan["Plan"])
        if (rows := rows_read(node)) > ROWS_OF_ONE
    ]


def rows_read(node: dict[str, Any]) -> float:
    """By each turn of a step: what it gave, and what it read and threw away."""
    return float(
        sum(node.get(part, 0) for part in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"))
    )


def make_bids(campaign: Campaign, now: dt.datetime) -> list[Bid]:
    claimed = outbox.claim_batch("w", campaign_id=campaign.pk, size=CLAIMED)
    batch = prepare_batch(campaign, claimed, now=now)
    return [Bid("w", make_copy(batch, message).intent, batch.checks) for message in claimed]


@pytest.mark.parametrize("analyzed", [False, True], ids=["just filled", "after ANALYZE"])
def test_a_mark_reads_no_rows_of_other_customers(cast: Cast, now: dt.datetime, analyzed: bool) -> None:
    if not analyzed:
        forget_statistics()
    fill_catalogue(SIZE)
    campaign = arrange.start(make_claiming_campaign(cast, now), cast, now=now)
    fill_shop(campaign, SIZE, now)
    if analyzed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    add_policy(campaign, cast)
    bids = make_bids(campaign, now)

    with plans_of(connection.connection) as plans:
        outcomes: list[Settlement] = []
        for first in range(0, RUNS * 2, 2):
            pair = bids[first : first + 2]
            written = write(outcomes, pair)
            assert len(written.marks) == 2
            outcomes = [Settlement(row, "w", "accepted", "ok") for row, mark in written.marks.items() if mark.may_send]

    marks = [plan for plan in plans if "checked AS MATERIALIZED" in plan["Query Text"]]
    settles = [plan for plan in plans if "json_to_recordset" in plan["Query Text"] and plan not in marks]
    assert len(marks) == RUNS and settles
    assert {step for plan in [*marks, *settles] for step in greedy_steps(plan)} == set()


_FILL = (
    """INSERT INTO customers_customer (source, external_id, email, first_name, last_name, country,
         language, time_zone, attributes)
       SELECT 'shop', 'p' || n, 'p' || n || '@shopper.test', 'Kim', 'Number' || n, 'Scotland', 'en', '', '{}'
       FROM generate_series(1, %(size)s) n""",
    """INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, proof, recorded_at)
       SELECT id, 'email', given, 'consent', 'checkout', '{}', %(now)s - make_interval(days => age)
       FROM customers_customer, (VALUES ('withdrawn', 60), ('given', 30)) AS said(given, age)
       WHERE external_id LIKE 'p%%'""",
    f"""INSERT INTO customers_suppression (channel, address_hash, reason, source)
       SELECT 'email', {address_hash_sql("email")}, 'unsubscribed', ''
       FROM customers_customer WHERE external_id LIKE 'p%%' AND id %% 2 = 0""",
    """INSERT INTO customers_customerevent (source, external_id, customer_id, kind, occurred_at, properties)
       SELECT 'shop', kind || id, id, kind, %(now)s - make_interval(days => (id * 7 %% 700)::int + wait),
              jsonb_build_object('ticket', 't' || id)
       FROM customers_customer, (VALUES ('complaint_opened', 3), ('complaint_closed', 1)) AS told(kind, wait)
       WHERE external_id LIKE 'p%%' AND id %% 5 = 0 AND (kind = 'complaint_opened' OR id %% 20 > 0)""",
    """INSERT INTO customers_customerevent (source, external_id, customer_id, kind, occurred_at, properties)
       SELECT 'shop', 'v' || id || '-' || n, id, 'product_viewed',
              %(now)s - make_interval(days => ((id * 13 + n * 71) %% 720)::int), '{"sku": "J-1"}'
       FROM customers_customer, generate_series(1, 10) n WHERE external_id LIKE 'p%%'""",
    """INSERT INTO campaigns_audiencemember (campaign_id, customer_id, arm, archetype_id, exclusion_reason)
       SELECT m.campaign_id, c.id, m.arm, m.archetype_id, ''
       FROM customers_customer c, (SELECT * FROM campaigns_audiencemember WHERE campaign_id = %(campaign)s LIMIT 1) m
       WHERE c.external_id LIKE 'p%%'""",
    """INSERT INTO campaigns_message (campaign_id, step, customer_id, variant_id, status, sending_at, settled_at)
       SELECT m.campaign_id, earlier, c.id, m.variant_id, 'accepted', %(now)s - make_interval(days => earlier * 10),
              %(now)s - make_interval(days => earlier * 10)
       FROM customers_customer c, generate_series(2, 4) AS earlier,
            (SELECT * FROM campaigns_message WHERE campaign_id = %(campaign)s LIMIT 1) m
       WHERE c.external_id LIKE 'p%%'""",
    """INSERT INTO campaigns_message (campaign_id, step, customer_id, variant_id)
       SELECT m.campaign_id, 1, c.id, m.variant_id
       FROM customers_customer c, (SELECT * FROM campaigns_message WHERE campaign_id = %(campaign)s LIMIT 1) m
       WHERE c.external_id LIKE 'p%%'""",
)

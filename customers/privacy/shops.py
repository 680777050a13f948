"""What connected shops ask for their customers (Shopify's mandatory privacy webhooks): requests that a person decides on."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from customers.ingest.shops.applying import Applied
from customers.merging.suggesting import note_shops_word
from customers.models import Customer, ShopConnection

from .requests import ANSWERED_WITHIN, ask


def answer_shop(applied: Applied, shop: ShopConnection, now: dt.datetime) -> None:
    """Make a request for each person asked for, and for everybody where the shop's whole data are to go; pass on whom the shop
    made one. Safe to run twice."""
    people = Customer.objects.in_bulk([asked.customer for asked in applied.asked])
    for asked in applied.asked:
        if asked.customer in people:
            ask(people[asked.customer], asked.kind, source=f"shop:{shop.source}", now=now)
    note_shops_word(applied.merged)
    if applied.wants_everything_gone:
        ShopConnection.objects.filter(pk=shop.pk, redaction_asked_at=None).update(redaction_asked_at=now)
        ask_for_everybody(shop.source, now=now)


def ask_for_everybody(source: str, *, now: dt.datetime) -> int:
    """A request to erase each customer of a shop, set-based; returns how many are new. What waits for the person's own word
    waits for it no longer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_privacyrequest (customer_number, kind, status, source, asked_at, due_at)"
            " SELECT id, 'erasure', 'open', %s, %s, %s FROM customers_customer WHERE source = %s ORDER BY id"
            " ON CONFLICT (customer_number, kind) WHERE status IN ('open', 'waiting', 'scheduled')"
            " DO UPDATE SET status = 'open', source = EXCLUDED.source WHERE customers_privacyrequest.status = 'waiting'",
            [f"shop:{source}"[:80], now, now + ANSWERED_WITHIN, source],
        )
        return int(cursor.rowcount)

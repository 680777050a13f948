"""Erases again whom a restored backup has brought back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from customers.ingest.erased import identity_hash_sql
from customers.models import Channel, Customer, ErasedPerson

from .addresses import erase_restored
from .erasure import erase_customer
from .witness import list_unknown_erasures, suppress_again

REASON = "erased before the backup was restored"


def repeat_erasures(now: dt.datetime) -> int:
    """Do again every erasure that the database does not know of; returns how many people went. Safe to run twice."""
    gone = 0
    for line in list_unknown_erasures():
        suppress_again(line)
        erase_restored([found for channel, found in line["addresses"] if channel == Channel.EMAIL])
        for pk in _find_restored(line["identities"]):
            erase_customer(Customer.objects.get(pk=pk), actor=None, reason=REASON, now=now)
            gone += 1
        ErasedPerson.objects.bulk_create(
            [ErasedPerson(identity_hash=found) for found in line["identities"]], ignore_conflicts=True
        )
    return gone


def _find_restored(identities: Sequence[str]) -> list[int]:
    """Customers whose identity has one of the hashes. Reads all customers."""
    mine = identity_hash_sql("c.source", "c.external_id")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id FROM customers_customer c WHERE {mine} = ANY(%s)", [list(identities)])
        return [int(row[0]) for row in cursor.fetchall()]

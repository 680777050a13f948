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
    """Do again every erasure that the database does not know of; returns how many people went. Safe to run twice.

    Customers and conversations are each read once for all of them; what was done is noted last, so that a crash does it again.
    """
    lines = list_unknown_erasures()
    if not lines:
        return 0
    suppress_again(lines)
    erase_restored({found for line in lines for channel, found in line["addresses"] if channel == Channel.EMAIL})
    identities = sorted({found for line in lines for found in line["identities"]})
    gone = _find_restored(identities)
    for pk in gone:
        erase_customer(Customer.objects.get(pk=pk), actor=None, reason=REASON, now=now)
    ErasedPerson.objects.bulk_create(
        [ErasedPerson(identity_hash=found) for found in identities], ignore_conflicts=True, batch_size=1000
    )
    return len(gone)


def _find_restored(identities: Sequence[str]) -> list[int]:
    """Customers whose identity has one of the hashes. Reads all customers."""
    mine = identity_hash_sql("c.source", "c.external_id")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id FROM customers_customer c WHERE {mine} = ANY(%s)", [list(identities)])
        return [int(row[0]) for row in cursor.fetchall()]

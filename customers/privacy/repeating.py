"""Erases again whom a restored backup has brought back."""

from __future__ import annotations

import datetime as dt

from customers.ingest.erased import identity_hash_sql
from customers.models import Customer, ErasedPerson

from .erasure import erase_customer
from .witness import find_restored, list_unknown_erasures, suppress_again

REASON = "erased before the backup was restored"


def repeat_erasures(now: dt.datetime) -> int:
    """Do again every erasure that the database does not know of; returns how many people went. Safe to run twice."""
    gone = 0
    for line in list_unknown_erasures():
        suppress_again(line)
        for pk in find_restored(line["identities"], identity_hash_sql("c.source", "c.external_id")):
            erase_customer(Customer.objects.get(pk=pk), actor=None, reason=REASON, now=now)
            gone += 1
        ErasedPerson.objects.bulk_create(
            [ErasedPerson(identity_hash=found) for found in line["identities"]], ignore_conflicts=True
        )
    return gone

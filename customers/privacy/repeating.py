"""Erases again whom a restored backup has brought back, and notes again who objected to being profiled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import connection
from django.utils.translation import gettext_noop

from customers.ingest.erased import hash_identity, identity_hash_sql
from customers.ingest.outside import list_noted_objections
from customers.ingest.preferences import save_preference
from customers.models import Channel, Customer, ErasedPerson

from .addresses import erase_restored
from .erasure import erase_customer
from .witness import list_unknown_erasures, suppress_again

REASON: Final = gettext_noop("erased before the backup was restored")
#: The column, and where a change of preferences says that it came from.
OBJECTION = "objects_to_profiling_at"
SOURCE = "restored backup"


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


def repeat_objections(now: dt.datetime) -> int:
    """Note again every objection to profiling that the database does not know of; returns how many people. Safe to run twice.

    What the database knows later of a person counts: they may have taken it back this very moment.
    """
    noted = list_noted_objections()
    lost = set(noted) - _list_objectors() if noted else set()
    lost -= set(ErasedPerson.objects.filter(identity_hash__in=lost).values_list("identity_hash", flat=True))
    again = 0
    for customer in Customer.objects.filter(pk__in=_find_restored(sorted(lost)) if lost else []):
        said_at = noted[hash_identity(customer.source, customer.external_id)]
        newer = customer.preference_changes.filter(changes__has_key=OBJECTION, recorded_at__gte=said_at)
        if not newer.exists():
            again += bool(save_preference(customer, {OBJECTION: said_at}, source=SOURCE, now=now))
    return again


def _list_objectors() -> set[str]:
    """Hashes of all identities of those who object, as the database has them: few rows."""
    objecting = "SELECT p.customer_id FROM customers_preference p WHERE p.objects_to_profiling_at IS NOT NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {identity_hash_sql('c.source', 'c.external_id')} FROM customers_customer c WHERE c.id IN ({objecting})"
            f" UNION SELECT {identity_hash_sql('a.source', 'a.external_id')} FROM customers_customeralias a"
            f" WHERE NOT a.is_visitor AND a.customer_id IN ({objecting})"
        )
        return {str(row[0]) for row in cursor.fetchall()}


def _find_restored(identities: Sequence[str]) -> list[int]:
    """Customers whose identity has one of the hashes. Reads all customers."""
    mine = identity_hash_sql("c.source", "c.external_id")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id FROM customers_customer c WHERE {mine} = ANY(%s)", [list(identities)])
        return [int(row[0]) for row in cursor.fetchall()]

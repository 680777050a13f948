"""Erases again whom a restored backup has brought back, notes again who objected to being profiled or confirmed that they want
to be erased, and spares who took that back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext_noop

from customers.ingest.erased import hash_identity, identity_hash_sql
from customers.ingest.merged import find_current
from customers.ingest.outside import list_noted_objections, list_noted_scheduled, list_noted_spared
from customers.ingest.preferences import OBJECTION, save_preference
from customers.models import Channel, Customer, ErasedPerson, PrivacyRequest

from .addresses import erase_restored
from .erasure import erase_customer
from .own import find_spared, set_erasure, spare
from .requests import ask
from .witness import list_unknown_erasures, suppress_again

REASON: Final = gettext_noop("erased before the backup was restored")
#: Where a change of preferences says that it came from.
SOURCE = "restored backup"


def repeat_erasures(now: dt.datetime, *, is_dry: bool = False) -> int:
    """Do again every erasure that the database does not know of; returns how many people went. Safe to run twice. With `is_dry`
    only the people are counted.

    Customers and conversations are each read once for all of them; what was done is noted last, so that a crash does it again.
    """
    lines = list_unknown_erasures()
    if not lines:
        return 0
    if is_dry:
        return len(_find_restored(sorted({found for line in lines for found in line["identities"]})))
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


def repeat_objections(now: dt.datetime, *, is_dry: bool = False) -> int:
    """Note again every objection to profiling that the database does not know of; returns how many people. Safe to run twice.
    With `is_dry` they are only counted.

    What the database knows later of a person counts: they may have taken it back this very moment.
    """
    noted = list_noted_objections()
    lost = set(noted) - _list_objectors() if noted else set()
    lost -= set(ErasedPerson.objects.filter(identity_hash__in=lost).values_list("identity_hash", flat=True))
    again = 0
    for customer in Customer.objects.filter(pk__in=_find_restored(sorted(lost)) if lost else []):
        said_at = noted[hash_identity(customer.source, customer.external_id)]
        newer = customer.preference_changes.filter(changes__has_key=OBJECTION, recorded_at__gte=said_at)
        if newer.exists():
            continue
        if is_dry:
            again += 1
        else:
            again += bool(save_preference(customer, {OBJECTION: said_at}, source=SOURCE, now=now))
    return again


def repeat_scheduled(now: dt.datetime, *, is_dry: bool = False) -> int:
    """Schedule again every erasure that a person confirmed for a later day and that the database does not know of; returns how
    many. One whose day is over by now runs at the next sweep. Safe to run twice."""
    noted = list_noted_scheduled()
    known = set(PrivacyRequest.objects.filter(runs_at__in=set(noted.values())).values_list("runs_at", flat=True))
    lost = {found: moment for found, moment in noted.items() if moment not in known}
    if lost:
        gone = ErasedPerson.objects.filter(identity_hash__in=lost).values_list("identity_hash", flat=True)
        lost = {found: moment for found, moment in lost.items() if found not in set(gone)}
    people = Customer.objects.filter(pk__in=_find_restored(sorted(lost)) if lost else [])
    again = 0
    for customer in people:
        again += is_dry or _schedule(customer, lost[hash_identity(customer.source, customer.external_id)], now)
    return again


@transaction.atomic
def _schedule(customer: Customer, runs_at: dt.datetime, now: dt.datetime) -> bool:
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    request = ask(customer, PrivacyRequest.Kind.ERASURE, source=SOURCE, now=now)
    return set_erasure(request, customer, runs_at, now=now)


def spare_restored(now: dt.datetime, *, is_dry: bool = False) -> int:
    """Decide the erasures that wait for their day and that were taken back or refused after the backup was taken; returns how
    many. The sweep that erases looks at the same, so that none runs before this. Safe to run twice."""
    waiting = list(PrivacyRequest.objects.filter(status=PrivacyRequest.Status.SCHEDULED))
    spared = list_noted_spared() if waiting else {}
    count = 0
    for request in waiting if spared else ():
        customer = find_current(request.customer_number or 0)
        if customer is not None and (why := find_spared(customer, request, spared)):
            count += is_dry or spare(customer, request, why=why, now=now)
    return count


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

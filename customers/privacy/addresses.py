"""People of whom nothing but an address is known: they wrote, and are no customers. Found, exported and erased by that address.

What is tied to a customer is not touched: that goes by the customer (`erasure`, `export`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from customers.ingest.consent import address_hash_sql, hash_address, suppress_address
from customers.ingest.erased import hash_identity
from customers.models import AuditAction, Channel, ErasedPerson, Suppression, record_audit

from .erasure import ErasureReport, empty_texts, erase_rows
from .export import make_export, read_rows
from .tables import list_personal_tables
from .witness import note_erasure

log = structlog.get_logger(__name__)

#: The source under which the hash of an address stands among those of shops' ids.
ADDRESS_SOURCE = "address"


def count_rows(address: str) -> dict[str, int]:
    """How many rows of nobody's name the address, by table; empty where none does."""
    found = {
        table.model._meta.label: table.rows_of(addresses=[address]).count()
        for table in list_personal_tables()
        if table.address
    }
    return {label: count for label, count in found.items() if count}


@transaction.atomic
def export_address(address: str, *, actor: User | None, now: dt.datetime) -> dict[str, Any]:
    """All that is kept under the address and tied to nobody, as `export_customer` gives it. Written into the audit log."""
    tables = read_rows([], addresses=[address])
    rows = sum(map(len, tables.values()))
    record_audit(AuditAction.EXPORTED, actor=actor, about=("address", hash_address(address)[:16]), rows=rows)
    return make_export(tables, now=now)


@transaction.atomic
def erase_address(address: str, *, actor: User | None, reason: str, now: dt.datetime) -> ErasureReport:
    """Erase for good what is kept under the address and tied to nobody; it stays suppressed. Safe to run twice."""
    report = ErasureReport()
    empty_texts([address], report)
    erase_rows([], report, addresses=[address])
    suppress_address(address, reason=Suppression.Reason.ERASED, source="erasure", channel=Channel.EMAIL)
    identity = hash_identity(ADDRESS_SOURCE, hash_address(address))
    ErasedPerson.objects.get_or_create(identity_hash=identity)
    rows = sum(report.deleted.values())
    about = ("address", hash_address(address)[:16])
    record_audit(AuditAction.CUSTOMER_ERASED, actor=actor, about=about, reason=reason[:200], rows=rows)
    note_erasure([identity], [(Channel.EMAIL.value, address)], now=now)
    log.info("address_erased", rows=rows)
    return report


def erase_restored(hashes: Collection[str]) -> int:
    """Erase what a backup brought back under addresses of which these are the keyed hashes; returns how many rows went.

    The database hashes what rows of nobody's name and hands over only what is found, however many erasures there were.
    """
    report = ErasureReport()
    if found := _find_restored(hashes):
        empty_texts(found, report)
        erase_rows([], report, addresses=found)
    return sum(report.deleted.values())


def _find_restored(hashes: Collection[str]) -> set[str]:
    """The addresses, as they are written there."""
    found: set[str] = set()
    for table in list_personal_tables():
        if not hashes or not table.address or "__" in table.address:
            continue
        meta = table.model._meta
        column = f'"{meta.db_table}"."{meta.get_field(table.address).column}"'  # type: ignore[union-attr]
        hashed = RawSQL(address_hash_sql(column), (), output_field=TextField())
        held = table.model._default_manager.filter(**{f"{table.path}__isnull": True}).exclude(**{table.address: ""})
        held = held.alias(hashed=hashed).filter(hashed__in=hashes)
        found |= set(held.values_list(table.address, flat=True).distinct())
    return found

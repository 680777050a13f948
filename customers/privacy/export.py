"""Everything that is kept of one person, as JSON that a machine can read (GDPR, articles 15 and 20)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from customers.ingest.merged import list_identities
from customers.models import AuditAction, Customer, HeldEvent, record_audit

from .tables import held_of, list_personal_tables

FORMAT = "rekindle.person/1"


@transaction.atomic
def export_customer(customer: Customer, *, actor: User | None, now: dt.datetime) -> dict[str, Any]:
    """All rows of all tables that refer to the customer, or to those who were merged into them, by table, with all their
    columns. Written into the audit log."""
    people = list_identities(customer.pk)
    tables: dict[str, list[dict[str, Any]]] = {
        table.model._meta.label: rows
        for table in list_personal_tables()
        if (rows := list(table.rows_of(*people).values(*_columns(table.model))))
    }
    if held := _list_held(customer):
        tables[HeldEvent._meta.label] = held
    record_audit(
        AuditAction.EXPORTED, actor=actor, about=("customer", customer.pk), rows=sum(map(len, tables.values()))
    )
    return {"format": FORMAT, "shop": settings.SHOP_NAME, "exported_at": now, "tables": tables}


def dump_export(export: Mapping[str, Any]) -> str:
    """As text: times in ISO 8601 with their offset, money as exact decimals."""
    return json.dumps(export, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)


def _list_held(customer: Customer) -> list[dict[str, Any]]:
    return [dict(row) for row in held_of(customer).values(*_columns(HeldEvent))]


def _columns(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]

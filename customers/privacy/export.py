"""Everything that is kept of one person, as JSON that a machine can read (GDPR, articles 15 and 20)."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from customers.ingest.merged import list_former_rows, list_identities
from customers.models import AuditAction, Customer, HeldEvent, record_audit
from customers.models.kept_files import find_file

from .tables import held_of, list_personal_tables

FORMAT = "rekindle.person/1"


@transaction.atomic
def export_customer(customer: Customer, *, actor: User | None, now: dt.datetime) -> dict[str, Any]:
    """All rows of all tables that refer to the customer, or to those who were merged into them, by table, with all their
    columns. Written into the audit log."""
    former = [str(row.get("email") or "") for row in list_former_rows(customer.pk)]
    emails = {email for email in (customer.email, *former) if email}
    tables = read_rows(list_identities(customer.pk), addresses=emails)
    if held := _list_held(customer):
        tables[HeldEvent._meta.label] = held
    record_audit(
        AuditAction.EXPORTED, actor=actor, about=("customer", customer.pk), rows=sum(map(len, tables.values()))
    )
    return make_export(tables, now=now)


def make_export(tables: Mapping[str, Any], *, now: dt.datetime) -> dict[str, Any]:
    return {"format": FORMAT, "shop": settings.SHOP_NAME, "exported_at": now, "tables": tables}


def read_rows(people: Collection[int], *, addresses: Collection[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """The rows of the customers by table, and those of nobody's that name one of the addresses; files in base64 beside
    their rows."""
    tables = {}
    for table in list_personal_tables():
        rows = [dict(row) for row in table.rows_of(*people, addresses=addresses).values(*_columns(table.model))]
        if table.files is not None:
            for row in rows:
                path = find_file(str(row[table.files.column]))
                row["content"] = base64.b64encode(path.read_bytes()).decode() if path else None
        if rows:
            tables[table.model._meta.label] = rows
    return tables


def dump_export(export: Mapping[str, Any]) -> str:
    """As text: times in ISO 8601 with their offset, money as exact decimals."""
    return json.dumps(export, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)


def _list_held(customer: Customer) -> list[dict[str, Any]]:
    return [dict(row) for row in held_of(customer).values(*_columns(HeldEvent))]


def _columns(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]

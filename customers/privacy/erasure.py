"""Erases one person everywhere: rows that refer to them, texts that name them, and the way back in.

The row of the customer stays, empty and under a name that means nothing, because campaigns count their arms with it. What
stays beside it says that somebody was written to and when, and nothing of whom (`Model.on_erasure`).
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from customers.ingest.consent import suppress_address
from customers.ingest.erased import hash_identity
from customers.ingest.merged import list_former_rows, list_identities
from customers.ingest.resuming.stages import forget_in_stages
from customers.models import (
    AuditAction,
    Channel,
    Customer,
    ErasedPerson,
    HeldEvent,
    OutgoingKind,
    PrivacyRequest,
    Suppression,
    record_audit,
)
from customers.models.consent import forgetting
from customers.models.customer import ERASED_SOURCE
from customers.models.kept_files import remove_files
from customers.outgoing.announcing import announce_rows

from .tables import held_of, list_personal_tables
from .witness import note_erasure

log = structlog.get_logger(__name__)

#: Shorter than this, a name or id stands in other people's texts by chance.
SHORTEST_VALUE = 6
#: Tables without a reference to the customer whose texts may name them: the column, and what it becomes (None: the row goes).
NAMING_TEXTS: tuple[tuple[str, str, Any], ...] = (
    ("customers.ImportRejection", "content", ""),
    ("customers.KeptAnswer", "body", None),
    ("customers.ShopDelivery", "body", ""),
    ("customers.RefusedItem", "examples", []),
    ("customers.OutgoingAttempt", "answer", ""),
    ("llm.LlmCall", "masked_request", {"erased": True}),
    ("llm.LlmCall", "response", ""),
)


@dataclass(frozen=True)
class ErasureReport:
    """How many rows went, by table, and how many stay without a word of the person."""

    deleted: dict[str, int] = field(default_factory=dict)
    emptied: dict[str, int] = field(default_factory=dict)


@transaction.atomic
def erase_customer(customer: Customer, *, actor: User | None, reason: str, now: dt.datetime) -> ErasureReport:
    """Erase for good, with everybody who was merged into them: what a merge kept for its undo goes too, and
    conversations of nobody's
    that were written from their address. Their addresses stay suppressed, and a later import does not bring them back.

    Safe to run twice. Outside the database the erasure is noted as a hash, so that it can be done again after a restore.
    """
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    if customer.source == ERASED_SOURCE:
        return ErasureReport()
    report = ErasureReport()
    identities = [(customer.source, customer.external_id)] + [
        (alias.source, alias.external_id) for alias in customer.aliases.filter(is_visitor=False)
    ]
    people, former = list_identities(customer.pk), list_former_rows(customer.pk)
    rows_of_theirs = [customer, *(_as_customer(row) for row in former)]
    addresses = [found for one in rows_of_theirs for found in _suppress_addresses(one)]
    _erase_held_events(customer, report)
    empty_texts({value for one in rows_of_theirs for value in _list_strong_values(one)}, report)
    _empty_admin_history(people, report)
    _tell_former_ids(former)
    emails = {one.email for one in rows_of_theirs if one.email}
    erase_rows(people, report, addresses=emails)
    for number in people:
        Customer.objects.filter(pk=number).empty(ERASED_SOURCE, uuid.uuid4().hex)
    hashes = [hash_identity(*identity) for identity in identities]
    ErasedPerson.objects.bulk_create([ErasedPerson(identity_hash=found) for found in hashes], ignore_conflicts=True)
    PrivacyRequest.objects.filter(customer_number__in=people).exclude(status__in=PrivacyRequest.UNDECIDED).update(
        customer_number=None
    )
    PrivacyRequest.objects.filter(customer_number__in=people).update(
        customer_number=None, status=PrivacyRequest.Status.DONE, decided_at=now, decided_by=actor
    )
    rows = sum(report.deleted.values())
    record_audit(
        AuditAction.CUSTOMER_ERASED, actor=actor, about=("customer", customer.pk), reason=reason[:200], rows=rows
    )
    note_erasure(hashes, addresses, now=now)
    log.info("customer_erased", customer=customer.pk, rows=rows)
    return report


def _as_customer(row: Mapping[str, Any]) -> Customer:
    """What a merge kept of a row."""
    return Customer(**{name: row[name] for name in ("email", "phone", "external_id", "first_name", "last_name")})


def _tell_former_ids(former: Sequence[Mapping[str, Any]]) -> None:
    """Other systems may know those who were merged by the id that they had; of the person's own a trigger tells."""
    told = [{"customer": row["id"], "source": row["source"], "external_id": row["external_id"]} for row in former]
    announce_rows(
        OutgoingKind.CUSTOMER_ERASED,
        "SELECT place, item FROM jsonb_array_elements(%(former_ids)s::jsonb) WITH ORDINALITY AS former(item, place)",
        {"former_ids": json.dumps(told)},
    )


def _suppress_addresses(customer: Customer) -> list[tuple[str, str]]:
    """Each address of theirs is never written to again, under whichever name it may come back. Returns (channel, address)."""
    found = []
    for channel, address in ((Channel.EMAIL, customer.email), (Channel.SMS, customer.phone)):
        if address:
            suppress_address(address, reason=Suppression.Reason.ERASED, source="erasure", channel=channel)
            found.append((channel.value, address))
    return found


def _erase_held_events(customer: Customer, report: ErasureReport) -> None:
    gone, _by_table = held_of(customer).delete()
    if gone:
        report.deleted[HeldEvent._meta.label] = gone


def erase_rows(people: Sequence[int], report: ErasureReport, *, addresses: Collection[str] = ()) -> None:
    """Children first, with those rows of nobody's that name one of the addresses. Rows that stay are emptied of what tells of the
    person. Files go once this is committed."""
    with forgetting():
        for table in reversed(list_personal_tables()):
            if table.model is Customer:
                continue
            label, rows = table.model._meta.label, table.rows_of(*people, addresses=addresses)
            if table.kept is not None:
                count = rows.update(**table.kept.blanked) if table.kept.blanked else rows.count()
                if count:
                    report.emptied[label] = count
                continue
            if table.files is not None:
                transaction.on_commit(partial(remove_files, list(rows.values_list(table.files.column, flat=True))))
            count = rows.delete()[1].get(label, 0)
            if count:
                report.deleted[label] = count


def _list_strong_values(customer: Customer) -> list[str]:
    """What names this person and nobody else: address, number, whole name, and the shop's id where it is long enough."""
    values = [customer.email, customer.phone, customer.external_id]
    if customer.first_name and customer.last_name:
        values += [f"{customer.first_name} {customer.last_name}", f"{customer.last_name}{customer.first_name}"]
    return sorted({value for value in values if len(value) >= SHORTEST_VALUE})


def empty_texts(values: Iterable[str], report: ErasureReport) -> None:
    """Texts that name the person although nothing refers to them. All rows are read: an erasure is rare."""
    values = list(values)
    if not values:
        return
    if staged := forget_in_stages(values):
        report.emptied["import stages"] = staged
    for label, column, becomes in NAMING_TEXTS:
        model = apps.get_model(label)
        names = Q()
        for value in values:
            names |= Q(searched__icontains=value)
        found = model._default_manager.annotate(searched=Cast(column, TextField())).filter(names)
        keys = list(found.values_list("pk", flat=True))
        rows = model._default_manager.filter(pk__in=keys)
        if keys and becomes is None:
            report.deleted[label] = report.deleted.get(label, 0) + rows.delete()[0]
        elif keys:
            report.emptied[label] = report.emptied.get(label, 0) + rows.update(**{column: becomes})


def _empty_admin_history(people: Sequence[int], report: ErasureReport) -> None:
    """Django's admin keeps the name of what was changed."""
    kind = ContentType.objects.get_for_model(Customer)
    history = apps.get_model("admin.LogEntry")._default_manager.filter(
        content_type=kind, object_id__in=list(map(str, people))
    )
    if count := history.update(object_repr=_("erased")):
        report.emptied["admin.LogEntry"] = count

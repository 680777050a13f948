"""What people ask for, by the link in their mail or of staff, and how it is answered."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction

from customers.ingest.merged import find_current, list_identities
from customers.ingest.preferences import read_preference, save_preference
from customers.models import AuditAction, Customer, PrivacyRequest, record_audit

from .own import note_spared

#: GDPR, article 12 (3): within one month.
ANSWERED_WITHIN = dt.timedelta(days=30)


def ask(customer: Customer, kind: str, *, source: str, now: dt.datetime, confirms: bool = False) -> PrivacyRequest:
    """Note what a person asks for; who asks twice has asked once. With `confirms` they are to say so by the link in a mail;
    without, staff decide, also on what waited for that."""
    status = PrivacyRequest.Status.WAITING if confirms else PrivacyRequest.Status.OPEN
    row, is_new = PrivacyRequest.objects.filter(status__in=PrivacyRequest.UNDECIDED).get_or_create(
        customer_number=customer.pk,
        kind=PrivacyRequest.Kind(kind),
        defaults={"source": source[:80], "status": status, "asked_at": now, "due_at": now + ANSWERED_WITHIN},
    )
    if not confirms and not is_new:
        PrivacyRequest.objects.filter(pk=row.pk, status=PrivacyRequest.Status.WAITING).update(status=status)
        row.refresh_from_db()
    return row


@transaction.atomic
def note_objection(
    customer: Customer, *, objects: bool, source: str, actor: User | None, now: dt.datetime
) -> dt.datetime | None:
    """Note for a person that they object to being profiled (GDPR, article 21), or that they no longer do; since when they do.

    From then on there is no score, no interest and no text by a reason for leaving; what was worked out goes in the same
    transaction. Safe to run twice.
    """
    kept = read_preference(customer)
    if objects != (kept.objects_to_profiling_at is not None):
        save_preference(customer, {"objects_to_profiling_at": now if objects else None}, source=source, now=now)
        record_audit(AuditAction.PROFILING_OBJECTED, actor=actor, about=("customer", customer.pk), objects=objects)
    return read_preference(customer).objects_to_profiling_at


@transaction.atomic
def refuse(request_id: int, *, actor: User, reason: str, now: dt.datetime) -> bool:
    """Refuse with a reason, also an erasure that the person confirmed and that has not run yet; False where it was decided
    before."""
    undecided = PrivacyRequest.objects.filter(pk=request_id, status__in=PrivacyRequest.UNDECIDED)
    request = undecided.select_for_update().first()
    if request is None:
        return False
    undecided.update(status=PrivacyRequest.Status.REFUSED, decided_at=now, decided_by=actor, reason=reason[:300])
    record_audit(AuditAction.PRIVACY_REFUSED, actor=actor, about=("privacy_request", request_id))
    customer = find_current(request.customer_number or 0)
    if request.status == PrivacyRequest.Status.SCHEDULED and customer is not None:
        note_spared(customer, request, why=PrivacyRequest.Status.REFUSED)
    return True


def note_export(customer: Customer, *, actor: User | None, now: dt.datetime) -> int:
    """An export was made: what asked for one is done, under whichever id they asked; the copy holds what is kept of each."""
    return PrivacyRequest.objects.filter(
        customer_number__in=list_identities(customer.pk),
        kind=PrivacyRequest.Kind.EXPORT,
        status=PrivacyRequest.Status.OPEN,
    ).update(status=PrivacyRequest.Status.DONE, decided_at=now, decided_by=actor)

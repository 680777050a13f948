"""What people ask for by the link in their mail, and how staff answer it."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction

from customers.models import AuditAction, Customer, PrivacyRequest, record_audit

#: GDPR, article 12 (3): within one month.
ANSWERED_WITHIN = dt.timedelta(days=30)


def ask(customer: Customer, kind: str, *, source: str, now: dt.datetime) -> PrivacyRequest:
    """Note what a person asks for; who asks twice has asked once."""
    row, _is_new = PrivacyRequest.objects.get_or_create(
        customer_number=customer.pk,
        kind=PrivacyRequest.Kind(kind),
        status=PrivacyRequest.Status.OPEN,
        defaults={"source": source[:80], "asked_at": now, "due_at": now + ANSWERED_WITHIN},
    )
    return row


@transaction.atomic
def refuse(request_id: int, *, actor: User, reason: str, now: dt.datetime) -> bool:
    """Refuse with a reason; False where it was decided before."""
    changed = PrivacyRequest.objects.filter(pk=request_id, status=PrivacyRequest.Status.OPEN).update(
        status=PrivacyRequest.Status.REFUSED, decided_at=now, decided_by=actor, reason=reason[:300]
    )
    if changed:
        record_audit(AuditAction.PRIVACY_REFUSED, actor=actor, about=("privacy_request", request_id))
    return bool(changed)


def note_export(customer: Customer, *, actor: User | None, now: dt.datetime) -> int:
    """An export was made: what asked for one is done."""
    return PrivacyRequest.objects.filter(
        customer_number=customer.pk, kind=PrivacyRequest.Kind.EXPORT, status=PrivacyRequest.Status.OPEN
    ).update(status=PrivacyRequest.Status.DONE, decided_at=now, decided_by=actor)

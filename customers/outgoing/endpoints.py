"""What people change about endpoints: add, change address and events, change the secret, switch off and on, try."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Collection
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from customers.models import (
    TEST_KIND,
    AuditAction,
    OutgoingDelivery,
    OutgoingEndpoint,
    OutgoingEvent,
    OutgoingKind,
    record_audit,
)

from .addresses import AddressFault, find_fault

#: How long the secret before is still signed with after a change.
OVERLAP: Final = dt.timedelta(hours=24)
MOST_ENDPOINTS: Final = 50


def add_endpoint(user: User, url: str, kinds: Collection[str], *, note: str = "") -> OutgoingEndpoint:
    """Raises ValidationError with a sentence for an address that must not be used and for events that do not exist."""
    url = _check_address(url)
    if OutgoingEndpoint.objects.count() >= MOST_ENDPOINTS:
        raise ValidationError(_("There are %(most)d endpoints already.") % {"most": MOST_ENDPOINTS})
    with transaction.atomic():
        row = OutgoingEndpoint.objects.create(
            url=url, note=note.strip()[:80], kinds=_check_kinds(kinds), created_by=user
        )
        record_audit(AuditAction.ENDPOINT_ADDED, actor=user, about=("endpoint", row.pk), kinds=row.kinds)
    return row


@transaction.atomic
def change_endpoint(
    user: User,
    row: OutgoingEndpoint,
    *,
    url: str | None = None,
    note: str | None = None,
    kinds: Collection[str] | None = None,
) -> None:
    """What is given is changed: where it leads, what it is for, what it is told from now on. Raises ValidationError.

    What waits goes to the new address too, which begins with a clean slate. The audit log says that the address was
    changed, not what it is: addresses of receivers often hold a password.
    """
    changes: dict[str, Any] = {}
    if kinds is not None and (chosen := _check_kinds(kinds)) != row.kinds:
        changes["kinds"] = chosen
    if url is not None and (address := _check_address(url)) != row.url:
        changes["url"] = address
    if note is not None and (words := note.strip()[:80]) != row.note:
        changes["note"] = words
    if not changes:
        return
    fields = sorted(changes)
    if "url" in changes:
        changes |= {"failing_since": None, "rests_until": None, "told_at": None}
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
    told = {"kinds": row.kinds} if "kinds" in changes else {}
    record_audit(AuditAction.ENDPOINT_CHANGED, actor=user, about=("endpoint", row.pk), fields=fields, **told)


@transaction.atomic
def change_secret(user: User, row: OutgoingEndpoint, *, now: dt.datetime) -> str:
    """A new secret, which is returned to be shown once. For a day requests are signed with the old one too."""
    row = OutgoingEndpoint.objects.select_for_update().get(pk=row.pk)
    row.secret_number += 1
    row.previous_until = now + OVERLAP
    row.save(update_fields=["secret_number", "previous_until"])
    record_audit(AuditAction.ENDPOINT_CHANGED, actor=user, about=("endpoint", row.pk), secret_number=row.secret_number)
    return make_secret(row, row.secret_number)


@transaction.atomic
def switch_endpoint(user: User, row: OutgoingEndpoint, *, on: bool, now: dt.datetime) -> bool:
    """Switch off, or on again with a clean slate; False where it was so already. What waits is sent when it is on again."""
    status = OutgoingEndpoint.Status
    changes = (
        {"status": status.ACTIVE, "disabled_at": None, "disabled_why": "", "failing_since": None, "rests_until": None,
         "told_at": None}
        if on
        else {"status": status.DISABLED, "disabled_at": now, "disabled_why": OutgoingEndpoint.Why.BY_HAND}
    )  # fmt: skip
    if not OutgoingEndpoint.objects.filter(pk=row.pk).exclude(status=changes["status"]).update(**changes):
        return False
    record_audit(AuditAction.ENDPOINT_CHANGED, actor=user, about=("endpoint", row.pk), on=on)
    return True


@transaction.atomic
def send_test(row: OutgoingEndpoint, *, now: dt.datetime) -> OutgoingDelivery:
    """Queue a test event for this endpoint alone."""
    event = OutgoingEvent.objects.create(kind=TEST_KIND, data={"items": [{"endpoint": row.pk}]}, fanned_at=now)
    return OutgoingDelivery.objects.create(endpoint=row, event=event, next_try_at=now)


def retry_delivery(delivery: OutgoingDelivery, *, now: dt.datetime) -> bool:
    """Queue a delivery that was given up, or that waits, for at once; False where it was taken. The id stays the same."""
    rows = OutgoingDelivery.objects.filter(pk=delivery.pk).exclude(held_until__gte=now)
    found = rows.exclude(status=OutgoingDelivery.Status.DELIVERED)
    done = found.update(status=OutgoingDelivery.Status.WAITING, next_try_at=now, held_until=None, finished_at=None)
    if done:
        OutgoingEndpoint.objects.filter(pk=delivery.endpoint_id).update(rests_until=None)
    return bool(done)


def list_secrets(row: OutgoingEndpoint, now: dt.datetime) -> list[str]:
    """The secret that is valid, and while it is being changed the one before."""
    numbers = [row.secret_number]
    if row.previous_until is not None and now < row.previous_until:
        numbers.append(row.secret_number - 1)
    return [make_secret(row, number) for number in numbers]


def make_secret(row: OutgoingEndpoint, number: int) -> str:
    """whsec_ and 32 bytes that follow from SECRET_KEY: a copy of the database alone holds no secret."""
    key = salted_hmac("customers.outgoing", "endpoint", algorithm="sha256").digest()
    digest = hmac.digest(key, f"{row.salt.hex}/{number}".encode(), hashlib.sha256)
    return f"whsec_{base64.b64encode(digest).decode()}"


def _check_address(url: str) -> str:
    url = url.strip()
    if len(url) > 500:
        raise ValidationError({"url": _("The address is too long.")})
    fault = find_fault(url, may_be_loopback=settings.OUTGOING_MAY_BE_LOOPBACK)
    if fault is not None:
        raise ValidationError({"url": _tell_fault(fault)})
    return url


def _check_kinds(kinds: Collection[str]) -> list[str]:
    if not kinds or set(kinds) - set(OutgoingKind.values):
        raise ValidationError({"kinds": _("Choose at least one event.")})
    return sorted(set(kinds))


def _tell_fault(fault: AddressFault) -> str:
    return {
        AddressFault.NO_ADDRESS: _("An address is https://host/path, without a log-in and without #."),
        AddressFault.NOT_TLS: _("The address has to start with https://."),
        AddressFault.LOOPBACK: _("The address leads to this machine itself."),
        AddressFault.INTERNAL: _("The address leads into an internal network."),
    }[fault]

"""The link in the mail, and what pressing the button behind it does. Fetching the page does nothing, and it works once."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import F

from campaigns.delivery.tokens import sign_token
from campaigns.delivery.unsubscribe import BadToken, interface_language
from campaigns.models import OwnRequest
from customers.ingest.consent import hash_address
from customers.ingest.merged import find_current
from customers.models import AuditAction, Customer, PrivacyRequest, record_audit
from customers.models.customer import ERASED_SOURCE
from customers.privacy.export import dump_export, export_customer
from customers.privacy.own import schedule_erasure, take_back_erasure

SALT: Final = "campaigns.delivery.own_data"
#: The address of the public page. It stands in mail that was sent, so it can never change; a test holds it to the URL conf.
OWN_DATA_PATH: Final = "/d/"
#: How long, and how often, a copy may be fetched after it was confirmed.
FETCHED_WITHIN: Final = dt.timedelta(hours=24)
MOST_DOWNLOADS: Final = 10


class Standing(enum.StrEnum):
    """How a request stands for whoever follows the link. OVER: used, too late, decided otherwise, or of another address."""

    WAITING = "waiting"
    READY = "ready"
    SCHEDULED = "scheduled"
    GONE = "gone"
    OVER = "over"


@dataclass(frozen=True)
class OwnWish:
    """What the public page tells, and nothing more of the person. `until`: until when a copy may be fetched, or when the
    erasure runs."""

    kind: str
    standing: Standing
    interface_language: str
    key: UUID
    until: dt.datetime | None = None


def own_data_url(key: UUID) -> str:
    """The address in the mail. The key is of the row alone: numbers come again after a backup was put back."""
    return f"{settings.SITE_URL}{OWN_DATA_PATH}{sign_token(key.hex, salt=SALT)}/"


def describe_own_wish(token: str, *, now: dt.datetime) -> OwnWish:
    """What the page behind the link shows. Raises BadToken. Changes nothing."""
    key = _read_token(token)
    row = OwnRequest.objects.select_related("request").filter(key=key).first()
    customer = find_current(row.customer_id) if row is not None else None
    if row is None or customer is None or customer.source == ERASED_SOURCE:
        return OwnWish("erasure", Standing.GONE, "", key)  # only an erasure takes such a row away
    standing = _judge(row, customer, now)
    until = None
    if standing is Standing.READY and row.confirmed_at is not None:
        until = row.confirmed_at + FETCHED_WITHIN
    elif standing is Standing.SCHEDULED:
        until = row.request.runs_at
    elif standing is Standing.WAITING and row.kind == PrivacyRequest.Kind.ERASURE:
        until = now + dt.timedelta(days=settings.ERASURE_COOLING_DAYS)
    return OwnWish(row.kind, standing, interface_language(row.language), key, until)


@transaction.atomic
def confirm_own_wish(token: str, *, now: dt.datetime) -> bool:
    """The person says from the address itself that it was them: a copy may be fetched from now on, or the erasure is scheduled.

    Once: False where the link was used, is too old, or its request is decided. Raises BadToken. Two at once count once.
    """
    row, customer = _lock(token)
    if row is None or customer is None or _judge(row, customer, now) is not Standing.WAITING:
        return False
    if row.kind == PrivacyRequest.Kind.ERASURE:
        if not schedule_erasure(row.request, customer, now=now):
            return False
    else:
        PrivacyRequest.objects.filter(pk=row.request_id).update(status=PrivacyRequest.Status.DONE, decided_at=now)
    OwnRequest.objects.filter(pk=row.pk).update(state=OwnRequest.State.CONFIRMED, confirmed_at=now)
    about = ("privacy_request", row.request_id)
    record_audit(AuditAction.PRIVACY_CONFIRMED, actor=None, about=about, kind=row.kind)
    return True


@transaction.atomic
def take_back_own_wish(token: str, *, now: dt.datetime) -> bool:
    """Not after all, while the erasure has not run; False where it has. Raises BadToken."""
    row, customer = _lock(token)
    if row is None or customer is None or _judge(row, customer, now) is not Standing.SCHEDULED:
        return False
    if not take_back_erasure(row.request, customer, now=now):
        return False
    OwnRequest.objects.filter(pk=row.pk).update(state=OwnRequest.State.TAKEN_BACK)
    return True


@transaction.atomic
def make_own_copy(token: str, *, now: dt.datetime) -> str | None:
    """The copy as text, made as it is fetched, so that none lies about; None where it may not be fetched (any more). The caller
    has made sure that it is the browser in which it was confirmed. Raises BadToken. Written into the audit log."""
    row, customer = _lock(token)
    if row is None or customer is None or _judge(row, customer, now) is not Standing.READY:
        return None
    taken = OwnRequest.objects.filter(pk=row.pk, downloads__lt=MOST_DOWNLOADS).update(downloads=F("downloads") + 1)
    return dump_export(export_customer(customer, actor=None, now=now)) if taken else None


def _lock(token: str) -> tuple[OwnRequest | None, Customer | None]:
    """The row and whose it is now, the customer locked first as wherever somebody is erased; None for what is gone."""
    key = _read_token(token)
    found = OwnRequest.objects.filter(key=key).values_list("customer_id", flat=True).first()
    current = find_current(found) if found is not None else None
    customer = Customer.objects.known().select_for_update().filter(pk=current.pk if current else 0).first()
    rows: Any = OwnRequest.objects.select_for_update(of=("self",)).select_related("request")
    return rows.filter(key=key).first(), customer


def _judge(row: OwnRequest, customer: Customer, now: dt.datetime) -> Standing:
    is_theirs = bool(customer.email) and hash_address(customer.email) == row.address_hash
    request = row.request
    if not is_theirs:
        return Standing.OVER
    if row.state == OwnRequest.State.WAITING:
        is_undecided = request.status in (PrivacyRequest.Status.OPEN, PrivacyRequest.Status.WAITING)
        return Standing.WAITING if is_undecided and row.expires_at > now else Standing.OVER
    if row.state != OwnRequest.State.CONFIRMED or row.confirmed_at is None:
        return Standing.OVER
    if row.kind == PrivacyRequest.Kind.ERASURE:
        return Standing.SCHEDULED if request.status == PrivacyRequest.Status.SCHEDULED else Standing.OVER
    is_open = row.confirmed_at + FETCHED_WITHIN > now and row.downloads < MOST_DOWNLOADS
    return Standing.READY if is_open else Standing.OVER


def _read_token(token: str) -> UUID:
    try:
        return UUID(hex=Signer(sep=".", salt=SALT).unsign(token))
    except (BadSignature, ValueError) as error:
        raise BadToken from error

"""Erasures that the person themselves has confirmed: when they run, and how they are taken back until then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from customers.ingest.erased import hash_identities
from customers.ingest.merged import find_current
from customers.ingest.outside import list_noted_spared
from customers.ingest.outside_queue import note_scheduled_outside, note_spared_outside
from customers.ingest.preferences import read_preference, save_preference
from customers.models import AuditAction, Customer, PrivacyRequest, record_audit
from customers.models.customer import MERGED_SOURCE

from .erasure import erase_customer

log = structlog.get_logger(__name__)

#: Where a change of preferences says that it came from, and the reason in the audit log. It names nobody.
SOURCE = "own link"
REASON: Final = gettext_noop("confirmed by the person's own link")


def schedule_erasure(request: PrivacyRequest, customer: Customer, *, now: dt.datetime) -> bool:
    """The person confirmed it: it runs once ERASURE_COOLING_DAYS are over, and until then nothing is sent to them. False where
    staff had decided before. In the caller's transaction."""
    runs_at = now + dt.timedelta(days=settings.ERASURE_COOLING_DAYS)
    return set_erasure(request, customer, runs_at, now=now)


def set_erasure(request: PrivacyRequest, customer: Customer, runs_at: dt.datetime, *, now: dt.datetime) -> bool:
    """Have it run at that moment, with a pause of all messages until then; it is noted outside the database, so that a restored
    backup does not lose it. False where it was decided before. In the caller's transaction."""
    waits = PrivacyRequest.objects.filter(pk=request.pk, status__in=["open", "waiting"])
    if not waits.update(status=PrivacyRequest.Status.SCHEDULED, runs_at=runs_at):
        return False
    if runs_at > now:
        paused = read_preference(customer).paused_until
        save_preference(customer, {"paused_until": max(runs_at, paused or runs_at)}, source=SOURCE, now=now)
        hashes = hash_identities(customer)
        note_scheduled_outside(hashes, runs_at)
    return True


@transaction.atomic
def take_back_erasure(request: PrivacyRequest, customer: Customer, *, now: dt.datetime) -> bool:
    """Not after all: False where it has run, or was decided otherwise. What was paused for it goes on."""
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    if not _decide(request, PrivacyRequest.Status.TAKEN_BACK, now):
        return False
    _end_pause(customer, request, now)
    record_audit(AuditAction.PRIVACY_TAKEN_BACK, actor=None, about=("privacy_request", request.pk))
    note_spared(customer, request, why=PrivacyRequest.Status.TAKEN_BACK)
    return True


def find_spared(customer: Customer, request: PrivacyRequest, spared: Mapping[tuple[str, dt.datetime], str]) -> str:
    """Why an erasure that waits for its day is not to run, by what is noted outside the database; "" where it is."""
    if request.runs_at is None:
        return ""
    told = (spared.get((found, request.runs_at), "") for found in hash_identities(customer))
    return next(filter(None, told), "")


@transaction.atomic
def spare(customer: Customer, request: PrivacyRequest, *, why: str, now: dt.datetime) -> bool:
    """Decide it as it was decided after the backup was taken that is here now; False where it is decided."""
    # The customer first, as wherever somebody is erased.
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    if not _decide(request, PrivacyRequest.Status(why), now):
        return False
    _end_pause(customer, request, now)
    is_refused = why == PrivacyRequest.Status.REFUSED
    action = AuditAction.PRIVACY_REFUSED if is_refused else AuditAction.PRIVACY_TAKEN_BACK
    record_audit(action, actor=None, about=("privacy_request", request.pk), restored=True)
    return True


def note_spared(customer: Customer, request: PrivacyRequest, *, why: str) -> None:
    """Note outside the database, once this is committed, that an erasure does not run, so that a backup of before does not run
    it when its day comes. `request` as it was scheduled."""
    runs_at = request.runs_at
    if runs_at is not None:
        hashes = hash_identities(customer)
        note_spared_outside(hashes, runs_at, why=why)


def _decide(request: PrivacyRequest, status: PrivacyRequest.Status, now: dt.datetime) -> bool:
    """What waits for its day gets this state; False where it does not wait any more."""
    waits = PrivacyRequest.objects.filter(pk=request.pk, status=PrivacyRequest.Status.SCHEDULED)
    # What the shop has to do by law the person's link does not take back.
    if status == PrivacyRequest.Status.TAKEN_BACK and request.source.startswith("shop:"):
        return bool(waits.update(status=PrivacyRequest.Status.OPEN, runs_at=None))
    return bool(waits.update(status=status, decided_at=now))


def _end_pause(customer: Customer, request: PrivacyRequest, now: dt.datetime) -> None:
    if read_preference(customer).paused_until == request.runs_at:
        save_preference(customer, {"paused_until": _find_own_pause(customer, now)}, source=SOURCE, now=now)


def _find_own_pause(customer: Customer, now: dt.datetime) -> dt.datetime | None:
    """The pause that the person had chosen before, where it has not ended yet."""
    chosen = customer.preference_changes.filter(changes__has_key="paused_until").exclude(source=SOURCE)
    told = chosen.order_by("-recorded_at", "-pk").values_list("changes__paused_until", flat=True).first()
    former = dt.datetime.fromisoformat(told) if told else None
    return former if former is not None and former > now else None


def run_due_erasures(now: dt.datetime) -> int:
    """Erase whom it is time for, each in a transaction of their own; returns how many. Safe to run twice, and at once: what
    fails is tried again, and holds up no other. Who took it back after a backup was made that is here now is spared."""
    gone = 0
    due = PrivacyRequest.objects.filter(status=PrivacyRequest.Status.SCHEDULED, runs_at__lte=now).order_by("runs_at")
    numbers = list(due.values_list("pk", flat=True))
    spared = list_noted_spared() if numbers else {}
    for number in numbers:
        try:
            gone += _run(number, spared, now)
        except Exception:
            log.exception("own_erasure_failed", request=number)
    return gone


@transaction.atomic
def _run(number: int, spared: Mapping[tuple[str, dt.datetime], str], now: dt.datetime) -> bool:
    asked = PrivacyRequest.objects.get(pk=number)
    found = find_current(asked.customer_number or 0)
    # The customer first, as wherever somebody is erased.
    customer = Customer.objects.select_for_update().filter(pk=found.pk if found else 0).first()
    # Staff may have refused it, or the person taken it back, a moment ago: then nothing is found.
    waits = PrivacyRequest.objects.select_for_update().filter(pk=number, status=PrivacyRequest.Status.SCHEDULED)
    if not waits.exists():
        return False
    if customer is None:  # gone in another way
        waits.update(status=PrivacyRequest.Status.DONE, decided_at=now, customer_number=None)
        return False
    if customer.source == MERGED_SOURCE:  # merged this very moment: the next sweep finds into whom
        return False
    if why := find_spared(customer, asked, spared):
        spare(customer, asked, why=why, now=now)
        return False
    erase_customer(customer, actor=None, reason=REASON, now=now)
    return True

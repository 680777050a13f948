"""Consent to individual tracking of opens: off unless a person said yes, whatever they agreed to be sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from customers.models import Customer, TrackingConsent

from .wishes import TRACKING, note_answers


@transaction.atomic
def record_tracking_consent(
    customer: Customer, *, is_given: bool, source: str, now: dt.datetime, proof: dict[str, Any] | None = None
) -> TrackingConsent:
    """Note that `customer` agreed that we see when they open a message, or no longer does."""
    note_answers([(customer.pk, TRACKING, now)], is_given=is_given)
    return TrackingConsent.objects.create(
        customer=customer, is_given=is_given, source=source, proof=proof or {}, recorded_at=now
    )


def allows_tracking(customer: Customer) -> bool:
    """Whether the newest word of this person is yes; without a word it is no."""
    said = TrackingConsent.objects.filter(customer=customer).order_by("-recorded_at", "-id")
    return bool(said.values_list("is_given", flat=True).first())


def is_tracked_sql(customer_id: str) -> str:
    """SQL that is true where the newest word of the customer with this id (an expression) is yes."""
    return (
        "coalesce((SELECT said.is_given FROM customers_trackingconsent said"
        f" WHERE said.customer_id = {customer_id} ORDER BY said.recorded_at DESC, said.id DESC LIMIT 1), false)"
    )

"""What is wrong with items that have the right shape: rights, people who were erased, telephones, times, and totals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.translation import gettext as _

from customers.api.event_items import dump_properties
from customers.api.orders import FUTURE_TOLERANCE, MAX_TOTAL, total_of
from customers.ingest.erased import find_erased
from customers.ingest.phones import BadPhone, normalise_phone

from .items import Batch

#: What a key has to be allowed to do for each type of item.
RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "customer": ("customers.add_customer", "customers.change_customer"),
    "product": ("customers.add_product", "customers.change_product"),
    "order": ("customers.add_order", "customers.change_order"),
    "event": ("customers.add_customerevent",),
    "consent": ("customers.add_consentrecord",),
}


def list_writable(user: AbstractBaseUser | AnonymousUser) -> set[str]:
    """The types of item that this person may bring in."""
    may = getattr(user, "has_perms", None)
    return {kind for kind, rights in RIGHTS.items() if may is not None and may(rights)}


def check_batch(batch: Batch, writable: set[str], *, now: dt.datetime) -> None:
    """Take out of the batch what cannot be kept, whatever is in the database but who was erased."""
    for kind in RIGHTS.keys() - writable:
        for index in list(batch.of(kind)):
            batch.refuse(index, "type", _("This key may not write items of this type."), "right_missing")
    _check_people(batch)
    for index, item in list(batch.of("order").items()):
        _check_order(batch, index, item, now)
    latest = now + FUTURE_TOLERANCE
    for index, item in list(batch.of("event").items()):
        _check_event(batch, index, item, latest)
    for index, item in list(batch.of("consent").items()):
        if item["recorded_at"] > now + FUTURE_TOLERANCE:
            batch.refuse(index, "recorded_at", _("A consent cannot lie in the future."), "time_range")


def _check_people(batch: Batch) -> None:
    if not (people := dict(batch.of("customer"))):
        return
    gone = find_erased((batch.source, item["external_id"]) for item in people.values())
    for index, item in people.items():
        if (batch.source, item["external_id"]) in gone:
            batch.refuse(index, "external_id", _("This person was erased."), "erased")
        elif item.get("phone"):
            try:
                item["phone"] = normalise_phone(item["phone"], item.get("country") or "")  # type: ignore[index]
            except BadPhone:
                sentence = _("Not a telephone number. Write it with + and the country code.")
                batch.refuse(index, "phone", sentence, "phone")


def _check_order(batch: Batch, index: int, item: Mapping[str, Any], now: dt.datetime) -> None:
    if item["ordered_at"] > now + FUTURE_TOLERANCE:
        batch.refuse(index, "ordered_at", _("An order cannot lie in the future."), "time_range")
    elif abs(total_of(item)) >= MAX_TOTAL:
        batch.refuse(index, "lines", _("The total is too large."), "too_large")


def _check_event(batch: Batch, index: int, item: Mapping[str, Any], latest: dt.datetime) -> None:
    text = dump_properties(item.get("properties") or {})
    if item["occurred_at"] > latest:
        batch.refuse(index, "occurred_at", _("The time has to lie between 1990 and tomorrow."), "time_range")
    elif text is None:
        sentence = _("The properties are too long, or hold NUL or a number without end.")
        batch.refuse(index, "properties", sentence, "unstorable")
    else:
        batch.texts[index] = text

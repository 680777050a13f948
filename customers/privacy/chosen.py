"""Notes again what people chose in the preference centre, where a restored backup has forgotten it: topics, how often, pauses,
language. The person's last word holds, whichever way it points: it is theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from customers.ingest.preferences import choose_language, read_preference, save_preference
from customers.models import Customer, PreferenceChange

from .said import Choice

#: By number of the customer, their choices by field.
Chosen = Mapping[int, Mapping[str, Choice]]


def choose_again(chosen: Chosen, *, source: str, now: dt.datetime, is_dry: bool) -> int:
    """Note again what the database does not know; returns how many people. What it knows later of a field counts."""
    known = _find_known(chosen)
    count = 0
    for customer in Customer.objects.known().filter(pk__in=chosen).iterator():
        told = {
            name: _as_value(name, choice.value)
            for name, choice in chosen[customer.pk].items()
            if (at := known.get((customer.pk, name))) is None or choice.moment > at
        }
        lost = {name: value for name, value in told.items() if _read(customer, name) != value}
        count += bool(lost)
        if lost and not is_dry:
            _choose(customer, lost, source=source, now=now)
    return count


def _find_known(chosen: Chosen) -> dict[tuple[int, str], dt.datetime]:
    """When each of the fields was changed last, as the database has it."""
    if not chosen:
        return {}
    oldest = min(choice.moment for fields in chosen.values() for choice in fields.values())
    names = sorted({name for fields in chosen.values() for name in fields})
    rows = PreferenceChange.objects.filter(
        Q(changes__has_any_keys=names), customer__in=list(chosen), recorded_at__gte=oldest
    )
    found: dict[tuple[int, str], dt.datetime] = {}
    for pk, changes, at in rows.values_list("customer_id", "changes", "recorded_at").order_by("recorded_at"):
        found |= dict.fromkeys(((pk, name) for name in changes), at)
    return found


def _as_value(name: str, value: Any) -> Any:
    return dt.datetime.fromisoformat(value) if name == "paused_until" and value else value


def _read(customer: Customer, name: str) -> Any:
    return customer.language if name == "language" else getattr(read_preference(customer), name)


def _choose(customer: Customer, values: dict[str, Any], *, source: str, now: dt.datetime) -> None:
    language = values.pop("language", None)
    if language:
        choose_language(customer, language, source=source, now=now)
    if values:
        save_preference(customer, values, source=source, now=now)

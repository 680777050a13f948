"""Notes what a person chose, and takes away at once what an objection to profiling forbids to keep."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from customers.models import (
    Customer,
    InterestProfile,
    Preference,
    PreferenceChange,
    Reaction,
    Score,
    ScoreHistory,
    ScoreStatus,
    TextReading,
)

from .erased import hash_identities
from .outside_queue import note_objection_outside
from .wishes import note_choices

OBJECTION: Final = "objects_to_profiling_at"
#: What `save_preference` may set.
FIELDS: Final = frozenset({"topics_off", "most_per_month", "paused_until", OBJECTION})

#: SQL that is true for everybody who has not objected to being profiled; `{column}` is the customer's id. A hashed set of
#: the few who did: a scan of millions of rows probes it and asks no index.
MAY_PROFILE: Final = (
    "{column} NOT IN (SELECT objector.customer_id FROM customers_preference objector"
    " WHERE objector.objects_to_profiling_at IS NOT NULL)"
)


def may_profile_sql(column: str) -> str:
    """SQL that is true where the customer whose id is `column` may be profiled."""
    return MAY_PROFILE.format(column=column)


def read_preference(customer: Customer) -> Preference:
    """What they chose; an unsaved row with nothing chosen where there is none."""
    return Preference.objects.filter(customer=customer).first() or Preference(customer=customer)


@transaction.atomic
def save_preference(
    customer: Customer, values: Mapping[str, Any], *, source: str, now: dt.datetime, message_id: int | None = None
) -> list[str]:
    """Set fields of a person's preferences; returns the names of those that changed, and notes the change as proof.

    The same values again change nothing. An objection to profiling blanks the score and removes past scores, interests
    and what a model read, in the same transaction; taking it back lets the next night score them again. All of it is noted
    outside the database too, so that a restored backup undoes nothing.
    """
    assert set(values) <= FIELDS, sorted(set(values) - FIELDS)
    Customer.objects.select_for_update().get(pk=customer.pk)  # two clicks at once make one change
    kept = read_preference(customer)
    changed = sorted(name for name, value in values.items() if getattr(kept, name) != value)
    if not changed:
        return []
    for name in changed:
        setattr(kept, name, values[name])
    kept.updated_at = now
    kept.save()
    told = {name: _as_json(values[name]) for name in changed}
    PreferenceChange.objects.create(
        customer=customer, changes=told, source=source, message_id=message_id, recorded_at=now
    )
    note_choices(customer.pk, {name: told[name] for name in changed if name != OBJECTION}, now=now)
    if OBJECTION in changed:
        objects = kept.objects_to_profiling_at is not None
        if objects:
            forget_profile(customer)
        hashes = hash_identities(customer)
        note_objection_outside(hashes, objects=objects, now=now)
    return changed


@transaction.atomic
def choose_language(
    customer: Customer, language: str, *, source: str, now: dt.datetime, message_id: int | None = None
) -> bool:
    """The language that a person wants to be written to in; False where it is theirs already.

    The change is kept as proof, and a trigger holds on to it: no file and no shop writes another language over a person's own
    choice (migration 0030).
    """
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    if customer.language == language:
        return False
    PreferenceChange.objects.create(
        customer=customer, changes={"language": language}, source=source, message_id=message_id, recorded_at=now
    )
    Customer.objects.filter(pk=customer.pk).update(language=language, updated_at=now)
    note_choices(customer.pk, {"language": language}, now=now)
    return True


def forget_profile(customer: Customer) -> None:
    """Take away what is known of a person by working it out: score, past scores, interests, what a model read,
    what messages are thought to do to them."""
    Score.objects.filter(customer=customer).update(
        status=ScoreStatus.OBJECTED, churn_probability=None, expected_orders=None, expected_value=None,
        next_order_on=None, next_order_from=None, next_order_until=None, recency_days=None, interest="", main_reason="",
        reasons=[],
    )  # fmt: skip
    for model in (Reaction, ScoreHistory, InterestProfile, TextReading):
        model.objects.filter(customer=customer).delete()


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value

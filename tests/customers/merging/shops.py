"""Small random shops with a bit of everything that refers to a customer, and the whole database as one value."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import connection

from campaigns.models import AudienceMember, Campaign, Entry, Message, Presence, Variant
from customers.ingest.consent import hash_address
from customers.models import (
    ConsentRecord,
    Customer,
    CustomerAlias,
    CustomerEvent,
    CustomerTag,
    InterestProfile,
    ModelVersion,
    Order,
    OrderLine,
    Preference,
    PreferenceChange,
    PrivacyRequest,
    ReadingHour,
    Score,
    ScoreHistory,
    Suppression,
    TextReading,
    TrackingConsent,
)

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
#: What a merge and its undo may leave behind.
LOG = {
    "customers.CustomerMerge", "customers.MergeSuggestion", "customers.AuditEntry", "customers.TouchedCustomer",
    "customers.ScoreMark", "sessions.Session",
}  # fmt: skip


def fill_shop(rng: random.Random, tag: str, variants: list[Variant]) -> list[int]:
    """A few people and what is kept of them; returns their numbers. Every column takes odd values: microseconds, nulls."""
    people = [_make_person(rng, f"{tag}{letter}") for letter in "abcde"[: rng.randint(3, 5)]]
    for person in people:
        _give_history(rng, person, tag)
        _give_answers(rng, person)
        _give_worked_out(rng, person)
        for variant in variants:
            if rng.random() < 0.5:
                _give_campaign(rng, person, variant)
    return [person.pk for person in people]


def dump_shop() -> dict[str, list[str]]:
    """Every row of every table but the log, as text, by table."""
    tables = [
        model._meta
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.label not in LOG
    ]
    query = " UNION ALL ".join(
        f"SELECT '{meta.label}', to_jsonb(t)::text FROM \"{meta.db_table}\" t" for meta in tables
    )
    dumped: dict[str, list[str]] = {meta.label: [] for meta in tables}
    with connection.cursor() as cursor:
        cursor.execute(f"{query} ORDER BY 1, 2")
        for label, row in cursor.fetchall():
            dumped[label].append(row)
    return dumped


def _moment(rng: random.Random) -> dt.datetime:
    return NOW - dt.timedelta(days=rng.randint(1, 40), microseconds=rng.choice([0, 500_000, rng.randrange(10**6)]))


def _make_person(rng: random.Random, name: str) -> Customer:
    return Customer.objects.create(
        source=rng.choice(["shop", "crm"]),
        external_id=name,
        email=rng.choice(["", f"{name}@tarnside.test", "shared@tarnside.test"]),
        phone=rng.choice(["", "+4420712345", "+4420799999"]),
        first_name=rng.choice(["", "Mara", "Ava"]),
        country=rng.choice(["", "Scotland"]),
        attributes=rng.choice([{}, {"size": name}, {"size": "L", "price": 1.25, "deep": {"list": [1, None]}}]),
        joined_at=rng.choice([None, _moment(rng)]),
    )


def _give_history(rng: random.Random, person: Customer, tag: str) -> None:
    for number in range(rng.randint(0, 3)):
        order = Order.objects.create(
            source=person.source, external_id=f"{person.external_id}-o{number}", customer=person, ordered_at=_moment(rng),
            currency="EUR", total=Decimal("12.30"),
        )  # fmt: skip
        OrderLine.objects.create(order=order, position=1, quantity=1, unit_price=Decimal("12.3000"))
    CustomerEvent.objects.bulk_create(
        CustomerEvent(
            source=person.source, external_id=f"{person.external_id}-e{number}", occurred_at=_moment(rng),
            customer=person, kind=rng.choice(["product_viewed", "complaint_opened"]), properties={"sku": tag},
        )
        for number in range(rng.randint(0, 4))
    )  # fmt: skip
    if rng.random() < 0.6:
        CustomerAlias.objects.create(
            customer=person, source=person.source, external_id=f"v-{person.external_id}", is_visitor=True,
            merged_at=_moment(rng), merged_by="key",
        )  # fmt: skip
    if rng.random() < 0.5:
        TextReading.objects.create(
            text_hash=person.external_id, prompt_version="1", model="m", customer=person, kind="review_written",
            event_source="shop", event_external_id="e", occurred_at=_moment(rng),
        )  # fmt: skip
    for tag in rng.sample(["vip", "press", "friend"], rng.randint(0, 2)):
        CustomerTag.objects.create(customer=person, tag=tag)
    if rng.random() < 0.4:
        PrivacyRequest.objects.create(
            customer_number=person.pk, kind=rng.choice(["export", "erasure"]), status=rng.choice(["open", "refused"]),
            source="page", asked_at=NOW, due_at=NOW,
        )  # fmt: skip


def _give_answers(rng: random.Random, person: Customer) -> None:
    for _number in range(rng.randint(0, 3)):
        ConsentRecord.objects.create(
            customer=person, channel=rng.choice(["email", "sms"]), status=rng.choice(["given", "withdrawn"]),
            legal_basis=rng.choice(["consent", "existing_customer"]), is_test=rng.random() < 0.2, source="form",
            proof={"ip": "::1"}, recorded_at=_moment(rng),
        )  # fmt: skip
    for _number in range(rng.randint(0, 2)):
        TrackingConsent.objects.create(
            customer=person, is_given=rng.random() < 0.5, source="page", recorded_at=_moment(rng)
        )
    if rng.random() < 0.5:
        Preference.objects.create(
            customer=person, topics_off=rng.choice([[], ["news"], ["offers", "news"]]),
            most_per_month=rng.choice([None, 1, 4]), paused_until=rng.choice([None, _moment(rng)]),
            objects_to_profiling_at=rng.choice([None, None, _moment(rng)]),
        )  # fmt: skip
        PreferenceChange.objects.create(customer=person, changes={"a": 1}, source="page", message_id=7, recorded_at=NOW)
    if person.email and rng.random() < 0.2:
        Suppression.objects.get_or_create(
            channel="email",
            address_hash=hash_address(person.email),
            defaults={"reason": rng.choice(["bounced", "complained"])},
        )


def _give_worked_out(rng: random.Random, person: Customer) -> None:
    model = ModelVersion.objects.get()
    if rng.random() < 0.7:
        Score.objects.create(
            customer=person, model=model, as_of=NOW, churn_probability=rng.random(), expected_value=Decimal("99.90"),
            next_order_on=NOW.date(), reasons=[{"feature": "recency", "points": 12.5}],
        )  # fmt: skip
        ScoreHistory.objects.create(customer=person, model=model, as_of=_moment(rng), churn_probability=rng.random())
    if rng.random() < 0.5:
        InterestProfile.objects.create(
            customer=person, as_of=NOW, categories=[{"category": "Tents", "share": 0.1 + rng.random() / 3}]
        )
        ReadingHour.objects.create(customer=person, hour=7, share=rng.random(), opens=3, weak=1, as_of=NOW)


def _give_campaign(rng: random.Random, person: Customer, variant: Variant) -> None:
    campaign: Campaign = variant.archetype.campaign
    arm = rng.choice(["treatment", "holdout"])
    kinds: Any = rng.sample(["member", "message", "entry", "presence"], rng.randint(1, 4))
    if "member" in kinds:
        AudienceMember.objects.create(campaign=campaign, customer=person, arm=arm, churn_probability=rng.random())
    if "message" in kinds:
        Message.objects.create(campaign=campaign, customer=person, variant=variant, slots={"name": "x"})
    if "entry" in kinds:
        Entry.objects.create(campaign=campaign, customer=person, cause="c", arm=arm, entered_at=NOW)
    if "presence" in kinds:
        Presence.objects.create(campaign=campaign, customer=person)

"""An objection to profiling holds: in segments by score, after the next import, after a merge and its undo, after a restore."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.conf import settings

from customers.ingest.customers import upsert_customers
from customers.ingest.preferences import save_preference
from customers.merging.merge import merge_customers
from customers.models import Customer, ModelVersion, Preference, PreferenceChange, Score
from customers.privacy.erasure import erase_customer
from customers.privacy.repeating import repeat_erasures, repeat_objections
from customers.segments.preview import count_matching
from customers.segments.rules import parse_rule

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
BY_SCORE = [
    {"field": "churn_probability", "op": "gte", "value": 0},
    {"field": "churn_probability", "op": "lte", "value": 1},
    {
        "match": "all",
        "rules": [
            {"not": {"field": "churn_probability", "op": "gte", "value": 0.5}},
            {"field": "churn_probability", "op": "lte", "value": 1},
        ],
    },
]


@pytest.fixture
def ana() -> Customer:
    ana = Customer.objects.create(external_id="ana-0001", email="ana@shop.test")
    score(ana)
    return ana


def score(customer: Customer) -> None:
    model, _new = ModelVersion.objects.get_or_create(
        version=1,
        defaults={"status": "champion", "estimator": "blend", "horizon_days": 60, "trained_at": NOW, "data_from": NOW,
                  "data_until": NOW, "artifact": b""},
    )  # fmt: skip
    Score.objects.update_or_create(
        customer=customer, defaults={"model": model, "as_of": NOW, "status": "scored", "churn_probability": 0.4}
    )


def object_to(customer: Customer, commit: Any, *, at: dt.datetime | None = NOW) -> None:
    with commit(execute=True):
        save_preference(customer, {"objects_to_profiling_at": at}, source="preferences", now=at or NOW)


def restore_backup(customer: Customer) -> None:
    """The database of the day before: no word of the objection, and the score is back."""
    Preference.objects.filter(customer=customer).delete()
    PreferenceChange.objects.filter(customer=customer).delete()
    score(customer)


def objects(customer: Customer) -> bool:
    return Preference.objects.filter(customer=customer, objects_to_profiling_at__isnull=False).exists()


def test_no_segment_by_score_holds_them(ana: Customer, django_capture_on_commit_callbacks: Any) -> None:
    rules = [parse_rule(rule) for rule in BY_SCORE]
    assert [count_matching(rule, as_of=NOW) for rule in rules] == [1, 1, 1]
    object_to(ana, django_capture_on_commit_callbacks)
    assert [count_matching(rule, as_of=NOW) for rule in rules] == [0, 0, 0]


def test_an_import_does_not_take_it_back(ana: Customer, django_capture_on_commit_callbacks: Any) -> None:
    object_to(ana, django_capture_on_commit_callbacks)
    upsert_customers(pl.DataFrame({"external_id": ["ana-0001"], "email": ["new@shop.test"], "first_name": ["Ana"]}))
    ana.refresh_from_db()
    assert ana.email == "new@shop.test" and objects(ana)
    assert Score.objects.get(customer=ana).churn_probability is None


def test_a_restored_backup_does_not_either(ana: Customer, django_capture_on_commit_callbacks: Any) -> None:
    ben = Customer.objects.create(external_id="ben-0001")
    score(ben)
    object_to(ana, django_capture_on_commit_callbacks)
    assert repeat_objections(NOW) == 0, "nothing to do while the database knows"
    restore_backup(ana)
    assert repeat_erasures(NOW) == 0, "an objection is not taken for an erasure"
    with django_capture_on_commit_callbacks(execute=True):
        assert repeat_objections(NOW) == 1
    assert objects(ana) and Score.objects.get(customer=ana).churn_probability is None
    assert Score.objects.get(customer=ben).churn_probability == 0.4
    assert repeat_objections(NOW) == 0
    assert "ana" not in Path(settings.ERASURE_FILE).read_text()
    for line in Path(settings.ERASURE_FILE).read_text().splitlines():
        assert set(json.loads(line)) == {"said_at", "objects", "people", "at"}


def test_what_was_taken_back_stays_so(ana: Customer, django_capture_on_commit_callbacks: Any) -> None:
    object_to(ana, django_capture_on_commit_callbacks)
    object_to(ana, django_capture_on_commit_callbacks, at=None)
    restore_backup(ana)
    assert repeat_objections(NOW) == 0 and not objects(ana)


def test_a_newer_word_that_only_the_database_knows_counts(
    ana: Customer, django_capture_on_commit_callbacks: Any
) -> None:
    """Somebody takes it back, and the sweep comes between the commit and the file."""
    object_to(ana, django_capture_on_commit_callbacks)
    save_preference(ana, {"objects_to_profiling_at": None}, source="preferences", now=NOW + dt.timedelta(seconds=1))
    assert repeat_objections(NOW) == 0 and not objects(ana)


def test_of_whoever_was_merged_or_erased_since(django_capture_on_commit_callbacks: Any, ana: Customer) -> None:
    old = Customer.objects.create(source="till", external_id="t-1", email="ana@shop.test")
    object_to(old, django_capture_on_commit_callbacks)
    merge_customers(old.pk, ana.pk, reason="staff", actor=None, now=NOW)
    assert objects(ana), "the stricter of both"
    assert repeat_objections(NOW) == 0
    erase_customer(ana, actor=None, reason="asked", now=NOW)
    assert repeat_objections(NOW) == 0

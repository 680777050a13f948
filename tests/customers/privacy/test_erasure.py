"""Erasing one person: nothing of them is left anywhere, nobody else is touched, and they do not come back."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from campaigns.models import AudienceMember, Campaign, Message, Variant
from customers.ingest.consent import hash_address
from customers.ingest.customers import upsert_customers
from customers.ingest.erased import hash_identity, identity_hash_sql
from customers.models import (
    AuditEntry,
    Customer,
    ErasedPerson,
    HeldEvent,
    ImportRejection,
    ImportRun,
    KeptAnswer,
    ModelVersion,
    PrivacyRequest,
    Product,
    Segment,
    Suppression,
    ensure_event_partitions,
)
from customers.privacy.erasure import erase_customer
from customers.privacy.export import dump_export, export_customer
from customers.privacy.repeating import repeat_erasures
from customers.privacy.tables import list_personal_tables
from llm.models import LlmCall
from tests.campaigns.arrange import make_campaign
from tests.flows.canaries import Haystack, Planter, all_words

pytestmark = pytest.mark.django_db

#: What stays of a message says by which worker and door it left, and under which number.
TELLS_NOTHING = {
    "campaigns.Message.claimed_by", "campaigns.Message.message_id", "campaigns.Message.route",
    "campaigns.Message.attempts", "campaigns.DeliveryEvent.provider", "campaigns.DeliveryEvent.provider_event_id",
}  # fmt: skip
_TIME_OF_DAY = re.compile(r"\d\d:\d\d:\d\d|\.\d{6}")


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.fixture(autouse=True)
def _file(settings: Settings, tmp_path: Path) -> None:
    settings.ERASURE_FILE = str(tmp_path / "erasures.jsonl")


@pytest.fixture
def planter(marketer: User, now: dt.datetime) -> Planter:
    ensure_event_partitions((now - dt.timedelta(days=9)).date(), now.date())
    model = ModelVersion.objects.create(
        version=1, status="champion", estimator="blend", horizon_days=60, trained_at=now, data_from=now, data_until=now,
        artifact=b"",
    )  # fmt: skip
    tent = Product.objects.create(sku="T1", name="Fjell Tent", category="Tents", price=Decimal(249), currency="EUR")
    earlier = make_campaign(marketer, [], name="earlier")
    variant = Variant.objects.get(archetype__campaign=earlier)
    segment = Segment.objects.create(name="quiet", rule={"field": "recency_days", "op": "gte", "value": 60})
    asked = PrivacyRequest.objects.create(kind="export", source="x", asked_at=now, due_at=now)
    parents = {ModelVersion: model, Product: tent, Campaign: earlier, Variant: variant, Segment: segment}
    return Planter({**parents, PrivacyRequest: asked}, now)


def plant_texts(person: Customer, now: dt.datetime) -> None:
    """Tables that do not refer to the customer and name them all the same."""
    run = ImportRun.objects.create(file_name="orders.csv")
    ImportRejection.objects.create(run=run, line_number=2, reason="bad_date", content=f"x | {person.email.upper()} | y")
    KeptAnswer.objects.create(
        actor="a", key="k", request_hash="h", status=200, body=json.dumps({"email": person.email}), lease_until=now
    )
    LlmCall.objects.create(
        completion_id="8c1b3c2e-0000-4000-8000-000000000001", purpose="draft", prompt_name="p", prompt_version="1",
        masked_request={"text": f"a slip: {person.first_name} {person.last_name}"}, response=person.email,
        created_at=now, keep_until=now,
    )  # fmt: skip
    HeldEvent.objects.create(
        source=person.source, external_id="h1", occurred_at=now, visitor="browser-of-theirs", kind="page_viewed",
        properties={"said": person.email},
    )  # fmt: skip
    person.aliases.create(source=person.source, external_id="browser-of-theirs", is_visitor=True, merged_at=now)
    kind = ContentType.objects.get_for_model(Customer)
    LogEntry.objects.create(
        user=User.objects.first(),
        content_type=kind,
        object_id=str(person.pk),
        object_repr=str(person),
        action_flag=CHANGE,
    )


def dump_database() -> bytes:
    """Every row of every table, as text."""
    parts = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" t')
                parts += [row[0].encode() for row in cursor.fetchall()]
    return b"\n".join(parts)


def find_words(words: Mapping[str, Any], raw: bytes) -> set[str]:
    """Columns of which a word stands there. When something was sent says nothing of whom, so times of day do not count."""
    haystack = Haystack(raw)
    return {column for column, word in all_words(words) if not _TIME_OF_DAY.fullmatch(word) and haystack.find(word)}


# --- Nothing is left ---------------------------------------------------------------------------------------------------


def test_no_word_of_an_erased_person_is_left_in_any_table(
    planter: Planter, site_admin: User, now: dt.datetime, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    person = planter.plant_person("aa")
    plant_texts(person, now)
    address = person.email
    assert len(find_words(planter.words, dump_database())) > 50, "the search finds what is there"

    with django_capture_on_commit_callbacks(execute=True):
        erase_customer(person, actor=site_admin, reason="asked by letter", now=now)

    left = dump_database() + Path(settings.ERASURE_FILE).read_bytes()
    assert find_words(planter.words, left) - TELLS_NOTHING == set()
    assert address.encode() not in left
    assert Suppression.objects.get(reason="erased", channel="email").address_hash == hash_address(address)
    assert AuditEntry.objects.filter(action="customer_erased", object_id=str(person.pk)).exists()


def test_what_others_are_counted_with_stays_without_a_name(planter: Planter, now: dt.datetime) -> None:
    person, other = planter.plant_person("aa"), planter.plant_person("bb")
    campaign = Campaign.objects.get()
    for number, who in enumerate((person, other)):
        AudienceMember.objects.create(
            campaign=campaign, customer=who, arm="treatment", churn_probability=0.5 + number / 10
        )
    before = {table.model: table.rows_of(other.pk).count() for table in list_personal_tables()}

    erase_customer(person, actor=None, reason="", now=now)

    assert {table.model: table.rows_of(other.pk).count() for table in list_personal_tables()} == before
    assert AudienceMember.objects.get(customer=person).churn_probability is None
    assert AudienceMember.objects.get(customer=other).churn_probability == 0.6
    message = Message.objects.get(customer=person)
    assert (message.slots, message.body_hash, message.response) == ({}, "", "")
    assert erase_customer(person, actor=None, reason="", now=now).deleted == {}, "a second time changes nothing"


def test_every_table_that_refers_to_a_customer_is_known() -> None:
    """A new one is erased by itself; this says which stay, so that somebody looks when one is added."""
    kept = {table.model._meta.label for table in list_personal_tables() if table.kept is not None}
    assert kept == {
        "campaigns.AudienceMember", "campaigns.DeliveryEvent", "campaigns.Entry", "campaigns.Message",
        "customers.CustomerMerge",
    }  # fmt: skip
    names = {
        field.name for table in list_personal_tables() if table.kept for field in table.model._meta.concrete_fields
    }
    assert all(set(table.kept.blanked) <= names for table in list_personal_tables() if table.kept)


# --- They do not come back -------------------------------------------------------------------------------------------


def test_who_was_erased_is_not_made_again(api: APIClient, now: dt.datetime) -> None:
    ana = Customer.objects.create(external_id="ana-0001", email="ana@shop.test")
    erase_customer(ana, actor=None, reason="", now=now)
    one = api.post("/api/v1/customers/", {"external_id": "ana-0001", "email": "ana@shop.test"})
    assert (one.status_code, one.json()["errors"][0]["path"]) == (400, "external_id")
    many = api.post("/api/v1/customers/bulk/", [{"external_id": "bob"}, {"external_id": "ana-0001"}])
    assert (many.status_code, many.json()["errors"][0]["path"]) == (400, "[1].external_id")
    call = {"type": "identify", "userId": "ana-0001", "traits": {"email": "ana@shop.test"}}
    told = api.post("/v1/batch", {"batch": [call, {"type": "identify", "userId": "bob"}]}).json()
    assert ([error["index"] for error in told["errors"]], told["people"]) == ([0], 1)
    assert not Customer.objects.filter(external_id="ana-0001").exists()
    assert Customer.objects.filter(external_id="bob").exists()
    left = Customer.objects.get(pk=ana.pk)
    assert api.get(f"/api/v1/customers/{left.source}/{left.external_id}/").status_code == 404


def test_the_hash_is_the_same_in_the_database() -> None:
    for source, external_id in (("shop", "ana"), ("s", "Zoë-金丝 '\\ 1"), ("shop", "")):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {identity_hash_sql('%s::text', '%s::text')}", [source, external_id])
            assert cursor.fetchone()[0] == hash_identity(source, external_id)


def test_a_restored_backup_forgets_them_again(now: dt.datetime, django_capture_on_commit_callbacks: Any) -> None:
    ana = Customer.objects.create(external_id="ana-0001", email="ana@shop.test")
    with django_capture_on_commit_callbacks(execute=True):
        erase_customer(ana, actor=None, reason="", now=now)
    assert repeat_erasures(now) == 0
    # The backup is of the day before: no erasure, no suppression, and the person is back.
    ErasedPerson.objects.all().delete()
    Suppression.objects.all().delete()
    back = Customer.objects.create(external_id="ana-0001", email="ana@shop.test", first_name="Ana")
    other = Customer.objects.create(external_id="bob-0001", email="bob@shop.test")
    with django_capture_on_commit_callbacks(execute=True):
        assert repeat_erasures(now) == 1
    back.refresh_from_db()
    assert (back.email, back.first_name, back.source) == ("", "", "erased")
    assert Suppression.objects.filter(address_hash=hash_address("ana@shop.test")).exists()
    assert Customer.objects.filter(pk=other.pk, email="bob@shop.test").exists()
    assert repeat_erasures(now) == 0


def test_nothing_is_left_after_they_were_sent_in_again_and_a_backup_was_put_back(
    planter: Planter,
    api: APIClient,
    now: dt.datetime,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """Erased, delivered again by every way of the API and as a frame, back with a backup, and erased by the sweep."""
    person = planter.plant_person("aa")
    key, email, before = person.external_id, person.email, Customer.objects.values().get()
    settings.TRACKING_SOURCE = person.source
    caplog.set_level("DEBUG")
    with django_capture_on_commit_callbacks(execute=True):
        erase_customer(person, actor=None, reason="", now=now)
    whom = {"source": person.source, "external_id": key, "email": email}
    for number, (path, given) in enumerate(
        [
            ("/api/v1/customers/", whom),
            ("/api/v1/customers/bulk/", [whom]),
            ("/api/v1/batch", {"items": [{"type": "customer", **whom}]}),
            ("/v1/batch", {"batch": [{"type": "identify", "userId": key, "traits": {"email": email}}]}),
            ("/v1/identify", {"userId": key, "traits": {"email": email}}),
        ]
    ):
        api.post(path, given, HTTP_IDEMPOTENCY_KEY=f"again-{number}")
    upsert_customers(pl.DataFrame({"source": [person.source], "external_id": [key], "email": [email]}))
    assert not Customer.objects.known().exists(), "they do not come back"
    ErasedPerson.objects.all().delete()
    Suppression.objects.all().delete()
    Customer.objects.filter(pk=before["id"]).update(**before)
    with django_capture_on_commit_callbacks(execute=True):
        assert repeat_erasures(now) == 1
    left = dump_database() + Path(settings.ERASURE_FILE).read_bytes() + caplog.text.encode()
    which_shop = {"customers.Customer.source"}  # stands in the counts of what came in
    assert find_words(planter.words, left) - TELLS_NOTHING - which_shop == set()
    assert email.encode() not in left and key.encode() not in left


# --- A copy of all of it -----------------------------------------------------------------------------------------------


def test_an_export_is_complete_and_of_one_person(planter: Planter, now: dt.datetime) -> None:
    person, other = planter.plant_person("aa"), planter.plant_person("bb")
    plant_texts(person, now)
    text = dump_export(export_customer(person, actor=None, now=now))
    told = json.loads(text)
    assert set(told["tables"]) >= {
        table.model._meta.label for table in list_personal_tables() if table.rows_of(person.pk)
    }
    columns = {column for column, word in all_words(planter.words) if not _TIME_OF_DAY.fullmatch(word)}
    assert find_words(planter.words, text.encode()) == columns
    assert other.email not in text and person.email in text
    assert "customers.HeldEvent" in told["tables"]

"""A merged person: the copy covers both, and erasing the survivor leaves nothing of either."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from customers.ingest.consent import hash_address
from customers.merging.merge import merge_customers
from customers.merging.plan import CannotMerge
from customers.merging.undo import undo_merge
from customers.models import AuditEntry, Customer, CustomerMerge, ErasedPerson, PrivacyRequest, Suppression
from customers.privacy.erasure import erase_customer
from customers.privacy.export import dump_export, export_customer
from customers.privacy.requests import ask

from .test_erasure import dump_database

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _file(settings: Settings, tmp_path: Path) -> None:
    settings.ERASURE_FILE = str(tmp_path / "erasures.jsonl")


@pytest.fixture
def merged() -> CustomerMerge:
    now = timezone.now()
    old = Customer.objects.create(
        source="crm", external_id="crm-771204", email="odette@birchmere.test", first_name="Odette", last_name="Quarrington",
        phone="+442079460123", attributes={"nickname": "Zephyrine"},
    )  # fmt: skip
    new = Customer.objects.create(external_id="shop-9917", email="o.q@elsewhere.test", first_name="O.")
    return merge_customers(old.pk, new.pk, reason="staff", actor=None, now=now, note="card file 12")


def test_a_copy_holds_what_the_merged_row_said(merged: CustomerMerge, site_admin: User) -> None:
    survivor = Customer.objects.get(pk=merged.survivor_id)
    text = dump_export(export_customer(survivor, actor=site_admin, now=timezone.now()))
    for word in ("odette@birchmere.test", "crm-771204", "o.q@elsewhere.test", "Zephyrine"):
        assert word in text


def test_erasing_the_survivor_leaves_nothing_of_either(merged: CustomerMerge, site_admin: User) -> None:
    survivor = Customer.objects.get(pk=merged.survivor_id)
    audit = AuditEntry.objects.count()
    erase_customer(survivor, actor=site_admin, reason="asked", now=timezone.now())
    left = dump_database().decode().lower()
    words = ("odette", "quarrington", "birchmere", "771204", "zephyrine", "elsewhere.test", "shop-9917", "card file")
    assert [word for word in words if word in left] == []
    assert Suppression.objects.filter(address_hash=hash_address("odette@birchmere.test")).exists()
    assert ErasedPerson.objects.count() == 2, "neither id brings them back"
    assert AuditEntry.objects.count() == audit + 1
    with pytest.raises(CannotMerge, match="erased"):
        undo_merge(merged.pk, actor=site_admin, now=timezone.now() + dt.timedelta(hours=1))


def test_the_api_erases_by_the_old_id(merged: CustomerMerge, site_admin: User, api: Any) -> None:
    client: APIClient = APIClient()
    client.force_authenticate(site_admin)
    answer = client.post(
        "/api/v1/privacy/erase/", {"source": "crm", "external_id": "crm-771204", "reason": "asked"}, "json"
    )
    assert answer.status_code == 200
    assert set(Customer.objects.values_list("source", flat=True)) == {"erased"}


def test_who_asked_under_both_ids_is_answered_once(client: Client, site_admin: User) -> None:
    """The request of the row that is gone leads to the person, and one copy answers both."""
    now = timezone.now()
    old, new = (Customer.objects.create(source=source, external_id="77") for source in ("crm", "shop"))
    for customer in (old, new):
        ask(customer, "export", source="preferences", now=now)
    merge_customers(old.pk, new.pk, reason="staff", actor=None, now=now)
    client.force_login(site_admin)
    page = client.get("/privacy/").content.decode()
    assert f"/customers/{old.pk}/" not in page and page.count(f"/customers/{new.pk}/export/") == 2
    assert client.post(f"/customers/{new.pk}/export/").status_code == 200
    assert set(PrivacyRequest.objects.values_list("status", flat=True)) == {"done"}


def test_a_request_of_the_row_that_is_gone_is_answered_with_the_survivor(client: Client, site_admin: User) -> None:
    """The survivor has yet to confirm theirs, and a shop has asked for the other by law."""
    now = timezone.now()
    old, new = (Customer.objects.create(source=source, external_id="77") for source in ("crm", "shop"))
    ask(old, "erasure", source="shop:crm", now=now)
    ask(new, "erasure", source="preferences", now=now, confirms=True)
    merge_customers(old.pk, new.pk, reason="staff", actor=None, now=now)
    client.force_login(site_admin)
    assert f"/customers/{new.pk}/erase/" in client.get("/privacy/").content.decode()
    client.post(f"/customers/{new.pk}/erase/", {"confirm": "77", "reason": "by law"})
    assert set(PrivacyRequest.objects.values_list("status", flat=True)) == {"done"}

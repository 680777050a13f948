"""The pages and the API: who may, what is asked first, and what people ask for by their link."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from campaigns.delivery.unsubscribe import unsubscribe_url
from customers.models import AuditEntry, Customer, PrivacyRequest
from customers.privacy.requests import ask
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _file(settings: Settings, tmp_path: Any) -> None:
    settings.ERASURE_FILE = str(tmp_path / "erasures.jsonl")


@pytest.fixture
def ana() -> Customer:
    return Customer.objects.create(external_id="ana-0001", email="ana@shop.test", first_name="Ana", last_name="Lima")


def test_erasing_wants_the_id_and_a_reason(client: Client, site_admin: User, ana: Customer) -> None:
    client.force_login(site_admin)
    url = f"/customers/{ana.pk}/erase/"
    assert client.get(url).status_code == 200
    for wrong in ({"confirm": "ana", "reason": "asked"}, {"confirm": "ana-0001", "reason": " "}, {}):
        assert client.post(url, wrong).status_code == 422
    ana.refresh_from_db()
    assert ana.email == "ana@shop.test"
    done = client.post(url, {"confirm": "ana-0001", "reason": "asked by letter"}, follow=True)
    assert done.status_code == 200 and "Erased" in done.content.decode()
    ana.refresh_from_db()
    assert (ana.email, ana.last_name) == ("", "")
    for gone in (url, f"/customers/{ana.pk}/"):
        assert client.get(gone).status_code == 404
    listed = client.get("/customers/").content.decode().lower()
    assert not [word for word in ("ana-0001", "ana@shop", "ana lima") if word in listed]


def test_a_copy_is_a_file_and_in_the_audit_log(client: Client, make_user: MakeUser, ana: Customer) -> None:
    ask(ana, "export", source="preferences", now=timezone.now())
    client.force_login(make_user("sam", "support"))
    answer = client.post(f"/customers/{ana.pk}/export/")
    assert answer["Content-Disposition"] == f'attachment; filename="person-{ana.pk}.json"'
    assert json.loads(answer.content)["tables"]["customers.Customer"][0]["email"] == "ana@shop.test"
    assert AuditEntry.objects.filter(action="exported", object_id=str(ana.pk)).exists()
    assert PrivacyRequest.objects.get().status == "done"
    assert client.get(f"/customers/{ana.pk}/export/").status_code == 405


@pytest.mark.parametrize("role", ["marketer", "approver", "analyst", "support"])
def test_who_may_not_erase_is_refused(client: Client, make_user: MakeUser, ana: Customer, role: str) -> None:
    client.force_login(make_user("x", role))
    assert client.post(f"/customers/{ana.pk}/erase/", {"confirm": "ana-0001", "reason": "x"}).status_code == 403
    assert client.post(f"/customers/{ana.pk}/export/").status_code == (200 if role == "support" else 403)
    ana.refresh_from_db()
    assert ana.email


def test_people_ask_by_their_link_and_nothing_happens_by_itself(
    client: Client, site_admin: User, ana: Customer
) -> None:
    path = unsubscribe_url(7, ana.pk).partition("/u/")[2].strip("/")
    url = f"/p/{path}/data/"
    assert client.get(url).status_code == 405
    for kind in ("erasure", "erasure", "export", "everything"):
        assert client.post(url, {"kind": kind}).status_code == 302
    assert sorted(PrivacyRequest.objects.values_list("kind", flat=True)) == ["erasure", "export"]
    assert client.post(f"/p/{path}x/data/", {"kind": "erasure"}).status_code == 404
    ana.refresh_from_db()
    assert ana.email
    client.force_login(site_admin)
    page = client.get("/privacy/").content.decode()
    assert "Ana Lima" in page and "A copy of their data" in page and "to be confirmed by them" in page
    PrivacyRequest.objects.filter(kind="erasure").update(due_at=timezone.now() - dt.timedelta(days=1))
    assert "overdue" in client.get("/privacy/").content.decode()
    row = PrivacyRequest.objects.get(kind="erasure")
    client.post(f"/privacy/{row.pk}/refuse/", {"reason": ""})
    row.refresh_from_db()
    assert row.status == "waiting"
    client.post(f"/privacy/{row.pk}/refuse/", {"reason": "an invoice is open"})
    row.refresh_from_db()
    assert (row.status, row.reason) == ("refused", "an invoice is open")


def test_the_api_exports_and_erases(api: APIClient, marketing: APIClient, ana: Customer) -> None:
    who = {"external_id": "ana-0001"}
    assert marketing.post("/api/v1/privacy/erase/", who | {"reason": "x"}).status_code == 403
    assert marketing.post("/api/v1/privacy/export/", who).status_code == 403
    assert api.post("/api/v1/privacy/erase/", who).status_code == 400
    assert api.post("/api/v1/privacy/export/", {"external_id": "nobody"}).status_code == 404
    told = api.post("/api/v1/privacy/export/", who)
    assert told.json()["format"] == "rekindle.person/1"
    assert api.post("/api/v1/privacy/erase/", who | {"reason": "asked"}).status_code == 200
    assert api.post("/api/v1/privacy/erase/", who | {"reason": "asked"}).status_code == 404
    assert not Customer.objects.known().exists()

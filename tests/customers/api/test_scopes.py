"""A key may do a part of what its person may, and never more."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from customers.api.authentication import issue_api_key

pytestmark = pytest.mark.django_db
CUSTOMERS, SEGMENTS, BATCH = "/api/v1/customers/", "/api/v1/segments/", "/api/v1/batch"
ANA = {"external_id": "ana"}


def client_with(user: User, *scopes: str, expires_at: dt.datetime | None = None) -> APIClient:
    _row, key = issue_api_key(user, "test", scopes=scopes, expires_at=expires_at)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def test_a_key_that_reads_does_not_write(site_admin: User) -> None:
    reading = client_with(site_admin, "read")
    assert reading.get(CUSTOMERS).status_code == 200
    assert reading.post(CUSTOMERS, ANA).status_code == 403
    assert reading.post(BATCH, {"items": [{"type": "customer", **ANA}]}).status_code == 403


def test_a_key_that_writes_does_not_read(site_admin: User) -> None:
    writing = client_with(site_admin, "write")
    assert writing.get(CUSTOMERS).status_code == 403
    assert writing.post(CUSTOMERS, ANA).status_code == 201
    assert writing.get(SEGMENTS).status_code == 403
    assert writing.post("/v1/identify", {"userId": "bob"}).status_code == 200


def test_scopes_add_up_and_none_is_everything(site_admin: User) -> None:
    both = client_with(site_admin, "read", "write")
    assert both.post(CUSTOMERS, ANA).status_code == 201
    assert both.get(CUSTOMERS).status_code == 200
    assert client_with(site_admin).get("/api/v1/audit/").status_code == 200


def test_a_key_never_does_more_than_its_person(outsider: User, marketer: User) -> None:
    assert client_with(outsider, "read", "write").get(CUSTOMERS).status_code == 403
    assert client_with(marketer, "write").post(CUSTOMERS, ANA).status_code == 403


def test_a_scope_that_nobody_knows_allows_nothing(site_admin: User) -> None:
    assert client_with(site_admin, "of a later version").get(CUSTOMERS).status_code == 403


def test_the_person_keeps_their_rights_on_the_pages(site_admin: User) -> None:
    client_with(site_admin, "read").get(CUSTOMERS)
    assert User.objects.get(pk=site_admin.pk).has_perm("customers.change_customer")


def test_a_key_ends_when_it_was_said_to(site_admin: User) -> None:
    past = timezone.now() - dt.timedelta(seconds=1)
    assert client_with(site_admin, expires_at=past).get(CUSTOMERS).status_code == 401

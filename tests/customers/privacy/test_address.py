"""Somebody who is no customer: found, given a copy and erased by the address that they wrote from, by page and by REST."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from customers.models import AuditEntry, Customer, ErasedPerson, ImportRejection, ImportRun, Suppression
from customers.privacy.addresses import erase_address
from customers.privacy.repeating import repeat_erasures
from support.inbox.opening import Incoming
from support.models import Ticket, TicketChannel
from support.triage.deciding import receive
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
ADDRESS = "kim@shopper.test"


@pytest.fixture(autouse=True)
def _asked(settings: Settings, tmp_path: Path) -> None:
    settings.ERASURE_FILE = str(tmp_path / "erasures.jsonl")
    for number, address in enumerate((ADDRESS, ADDRESS.upper(), "other@shopper.test")):
        incoming = Incoming(TicketChannel.MAIL, f"t{number}", "m", f"Question {number}", NOW, email=address)
        receive(incoming, now=NOW)


def test_the_page_finds_gives_out_and_erases(client: Client, site_admin: User) -> None:
    client.force_login(site_admin)
    assert "Somebody who is no customer" in client.get("/privacy/").content.decode()
    page = client.post("/privacy/address/", {"address": " Kim@Shopper.test "}).content.decode()
    assert "2 conversations go for good" in page
    told = client.post("/privacy/address/export/", {"address": ADDRESS})
    assert {row["text"] for row in json.loads(told.content)["tables"]["support.TicketMessage"]} == {
        "Question 0",
        "Question 1",
    }
    url = "/privacy/address/erase/"
    for wrong in ({"confirm": "x", "reason": "asked"}, {"confirm": ADDRESS, "reason": " "}, {}):
        assert client.post(url, {"address": ADDRESS} | wrong).status_code == 422
    assert Ticket.objects.count() == 3
    done = client.post(url, {"address": ADDRESS, "confirm": ADDRESS, "reason": "by letter"}, follow=True)
    assert "Erased" in done.content.decode() and Ticket.objects.get().writer_email == "other@shopper.test"
    assert Suppression.objects.get(reason="erased").channel == "email"
    assert not [entry for entry in AuditEntry.objects.all() if "kim" in str(entry.details).lower() + entry.object_id]


def test_what_is_no_address_finds_nobody(client: Client, site_admin: User) -> None:
    client.force_login(site_admin)
    for wrong in ("", "kim", "%", "kim@"):
        assert (
            "That is no e-mail address"
            in client.post("/privacy/address/", {"address": wrong}, follow=True).content.decode()
        )
    assert client.get("/privacy/address/").status_code == 405, "an address stands in no web server's log"


def test_who_may(client: Client, make_user: MakeUser) -> None:
    rights = {"support": (200, 200, 403), "marketer": (403, 403, 403), "": (403, 403, 403)}
    for role, codes in rights.items():
        client.force_login(make_user(f"a-{role}", role))
        paths = ("/privacy/address/", "/privacy/address/export/", "/privacy/address/erase/")
        given = {"address": ADDRESS, "confirm": ADDRESS, "reason": "x"}
        assert tuple(client.post(path, given).status_code for path in paths) == codes
    assert Ticket.objects.count() == 3


def test_a_customer_with_the_address_is_named_and_left_alone(client: Client, site_admin: User) -> None:
    kim = Customer.objects.create(external_id="K-1", email=ADDRESS, last_name="Lee")
    client.force_login(site_admin)
    assert f"/customers/{kim.pk}/" in client.post("/privacy/address/", {"address": ADDRESS}).content.decode()
    client.post("/privacy/address/erase/", {"address": ADDRESS, "confirm": ADDRESS, "reason": "x"})
    kim.refresh_from_db()
    assert kim.email == ADDRESS


def test_the_same_by_rest(site_admin: User) -> None:
    api = APIClient()
    api.force_authenticate(site_admin)
    told = api.post("/api/v1/privacy/address/export/", {"email": ADDRESS})
    assert len(json.loads(told.content)["tables"]["support.Ticket"]) == 2
    assert api.post("/api/v1/privacy/address/erase/", {"email": ADDRESS}).status_code == 400, "why?"
    assert api.post("/api/v1/privacy/address/erase/", {"email": "kim", "reason": "x"}).status_code == 400
    done = api.post("/api/v1/privacy/address/erase/", {"email": ADDRESS, "reason": "asked"})
    assert done.json()["deleted"]["support.Ticket"] == 2 and Ticket.objects.count() == 1


def test_texts_that_name_the_address_are_emptied(site_admin: User) -> None:
    run = ImportRun.objects.create(file_name="tickets.csv")
    for number, address in enumerate((ADDRESS.upper(), "other@shopper.test")):
        ImportRejection.objects.create(run=run, line_number=number, reason="bad_date", content=f"x | {address}")
    erase_address(ADDRESS, actor=site_admin, reason="x", now=NOW)
    assert sorted(ImportRejection.objects.values_list("content", flat=True)) == ["", "x | other@shopper.test"]


def test_a_restored_backup_is_read_once_however_many_were_erased(django_capture_on_commit_callbacks: Any) -> None:
    """Whom a backup brought back is found by the database, in one pass over the conversations."""
    asked = []
    for size in (2, 12):
        addresses = [f"Back{size}-{number}@Shopper.test" for number in range(size)]
        with django_capture_on_commit_callbacks(execute=True):
            for address in addresses:
                erase_address(address.lower(), actor=None, reason="x", now=NOW)
        ErasedPerson.objects.all().delete()
        Suppression.objects.all().delete()
        for address in addresses:
            receive(Incoming(TicketChannel.MAIL, address, "m", "Hello", NOW, email=address), now=NOW)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert repeat_erasures(NOW) == 0, "none of them was a customer"
        asked.append([query["sql"] for query in queries if "customers_customer c" in query["sql"]
                      or ("support_ticket" in query["sql"] and "DISTINCT" in query["sql"])])  # fmt: skip
        assert Ticket.objects.count() == 3, "those of others stay"
        assert Suppression.objects.filter(reason="erased").count() >= size
        assert repeat_erasures(NOW) == 0
    assert len(asked[0]) == len(asked[1]) == 2

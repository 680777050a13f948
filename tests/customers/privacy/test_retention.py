"""Old events go by the month, after a look at what would go."""

from __future__ import annotations

import datetime as dt
import io

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from customers.ingest.recorder import NewEvent, record_events
from customers.models import AuditEntry, Customer, CustomerEvent
from customers.privacy.retention import EventsBusy, OldMonth, drop_old_months, first_kept_month, list_old_months
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 15, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def events() -> None:
    ana = Customer.objects.create(external_id="ana")
    moments = [dt.datetime(2025, month, 28, 23, 59, tzinfo=dt.UTC) for month in (1, 2, 3, 3)]
    record_events(
        [NewEvent(ana.pk, "product_viewed", at, f"e{number}") for number, at in enumerate(moments)], source="shop"
    )
    with connection.cursor() as cursor:  # as a commit would
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    ("months", "first"), [(1, dt.date(2026, 2, 1)), (12, dt.date(2025, 3, 1)), (15, dt.date(2024, 12, 1)), (0, None)]
)
def test_the_first_month_that_stays(months: int, first: dt.date | None) -> None:
    assert first_kept_month(NOW, months) == first


def test_whole_months_go_and_a_dry_run_changes_nothing(settings: Settings) -> None:
    settings.EVENT_RETENTION_MONTHS = 12
    old = [OldMonth(dt.date(2025, 1, 1), 1), OldMonth(dt.date(2025, 2, 1), 1)]
    assert [month for month in list_old_months(NOW) if month.events] == old
    assert CustomerEvent.objects.count() == 4
    assert [month for month in drop_old_months(NOW) if month.events] == old
    assert sorted(CustomerEvent.objects.values_list("external_id", flat=True)) == ["e2", "e3"]
    assert drop_old_months(NOW) == []


def test_the_command_drops_only_when_told_to() -> None:
    out = io.StringIO()
    call_command("apply_retention", stdout=out)
    assert "kept for good" in out.getvalue()
    call_command("apply_retention", months=1, stdout=out)
    assert "would drop" in out.getvalue() and CustomerEvent.objects.count() == 4
    call_command("apply_retention", months=1, yes=True, stdout=out)
    assert CustomerEvent.objects.count() == 0
    dropped = AuditEntry.objects.filter(action="events_dropped", object_kind="events")
    assert {row.object_id: row.details["events"] for row in dropped if row.details["events"]} == {
        "2025-01": 1, "2025-02": 1, "2025-03": 2,
    }  # fmt: skip


@pytest.fixture
def policy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EVENT_RETENTION_MONTHS = 12
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.mark.usefixtures("policy")
def test_the_api_says_what_would_go_and_drops_what_was_looked_at(api: APIClient, marketing: APIClient) -> None:
    url = "/api/v1/privacy/retention/"
    told = api.get(url).json()
    assert (told["months"], told["first_kept"], told["events"]) == (12, "2025-03-01", 2)
    for wrong, code in (({}, 400), ({"first_kept": "2025-04-01"}, 409), ({"first_kept": "x"}, 400)):
        assert api.post(url, wrong).status_code == code
    assert marketing.get(url).status_code == marketing.post(url, {"first_kept": "2025-03-01"}).status_code == 403
    assert CustomerEvent.objects.count() == 4
    assert api.post(url, {"first_kept": "2025-03-01"}).json()["events"] == 2
    assert api.post(url, {"first_kept": "2025-03-01"}).json()["events"] == 0, "a second time nothing"
    assert CustomerEvent.objects.count() == 2
    audit = AuditEntry.objects.filter(action="events_dropped", object_id__in=["2025-01", "2025-02"])
    assert [row.actor_id is not None for row in audit] == [True, True]


@pytest.mark.usefixtures("policy")
def test_the_page_drops_when_the_month_was_typed(client: Client, site_admin: User, make_user: MakeUser) -> None:
    client.force_login(make_user("sam", "support"))
    assert "Drop them" not in client.get("/privacy/").content.decode()
    assert client.post("/privacy/events/drop/", {"confirm": "2025-03"}).status_code == 403
    client.force_login(site_admin)
    assert "Type the first month that stays: 2025-03" in client.get("/privacy/").content.decode()
    for wrong in ("", "2025-04", "2025-02"):
        client.post("/privacy/events/drop/", {"confirm": wrong})
    assert CustomerEvent.objects.count() == 4
    assert "with 2 events" in client.post("/privacy/events/drop/", {"confirm": "2025-03"}, follow=True).content.decode()
    assert CustomerEvent.objects.count() == 2


def test_for_good_is_for_good(api: APIClient) -> None:
    assert api.get("/api/v1/privacy/retention/").json()["first_kept"] is None
    assert api.post("/api/v1/privacy/retention/", {"first_kept": "2026-11-01"}).status_code == 409
    assert CustomerEvent.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_a_drop_holds_nobody_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody reads the log in a transaction that stays open."""
    monkeypatch.setattr("customers.privacy.retention.PATIENCE_MS", 50)
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT count(*) FROM customers_customerevent")
        with pytest.raises(EventsBusy):
            drop_old_months(NOW, 1)
    assert CustomerEvent.objects.count() == 4
    assert drop_old_months(NOW, 1) and not CustomerEvent.objects.exists()

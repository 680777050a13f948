"""Old events go by the month, after a look at what would go."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from customers.ingest.recorder import NewEvent, record_events
from customers.models import AuditEntry, Customer, CustomerEvent
from customers.privacy.retention import OldMonth, drop_old_months, first_kept_month, list_old_months

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
    assert AuditEntry.objects.filter(action="events_dropped").count() == 1

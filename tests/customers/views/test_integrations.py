"""The pages of integrations: keys are made and shown once, endpoints are looked after, and what was refused can be read."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from customers.ingest.intake import Refusal, note_intake
from customers.models import (
    ApiKey,
    AuditEntry,
    Entrance,
    ImportRun,
    OutgoingAttempt,
    OutgoingDelivery,
    OutgoingEndpoint,
    OutgoingEvent,
)
from customers.outgoing.endpoints import make_secret

pytestmark = pytest.mark.django_db
PAGE = "/settings/integrations/"
HOOK = "https://shop.example/hook"


@pytest.fixture
def admin(client: Client, site_admin: User) -> Client:
    client.force_login(site_admin)
    return client


@pytest.fixture
def endpoint(site_admin: User) -> OutgoingEndpoint:
    return OutgoingEndpoint.objects.create(url=HOOK, note="Warehouse", kinds=["customer.created"])


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task only makes it sooner; the rows are what counts here."""
    monkeypatch.setattr("customers.tasks.send_outgoing.delay", lambda: None)


def test_a_key_is_shown_once_and_does_what_was_chosen(admin: Client) -> None:
    page = admin.post(reverse("key-new"), {"name": "Shop", "scopes": ["read"], "days": "30"})
    key = page.context["new_key"]
    assert key in page.content.decode()
    assert key not in admin.get(PAGE).content.decode()
    row = ApiKey.objects.get()
    assert row.scopes == ["read"]
    assert row.expires_at is not None and dt.timedelta(days=29) < row.expires_at - timezone.now() <= dt.timedelta(
        days=30
    )
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    assert program.get("/api/v1/customers/").status_code == 200
    assert program.post("/api/v1/customers/", {"external_id": "a"}).status_code == 403
    admin.post(reverse("key-end", args=[row.pk]))
    assert program.get("/api/v1/customers/").status_code == 401


def test_a_key_needs_a_name_and_something_to_do(admin: Client) -> None:
    admin.post(reverse("key-new"), {"name": " ", "whole": "1"})
    admin.post(reverse("key-new"), {"name": "Shop"})
    assert not ApiKey.objects.exists()


def test_sources_show_what_they_brought_and_what_was_refused(admin: Client) -> None:
    now = timezone.now()
    bad = Refusal("unknown_customer", "This customer is not known; create it first.", "order", "customer", "o-77")
    note_intake(Entrance.BATCH, "web-shop", accepted=41, refusals=[bad], now=now)
    note_intake(Entrance.TRACKING, "app", accepted=7, now=now - dt.timedelta(days=9))
    report = {"lines_read": 100, "left_out": {"bad_date": 3}}
    ImportRun.objects.create(
        file_name="orders.csv", status="done", options={"source": "till"}, report=report, finished_at=now
    )
    rows = {(row.name, row.entrance): row for row in admin.get(PAGE).context["sources"]}
    assert (rows["web-shop", "batch"].accepted, rows["web-shop", "batch"].refused) == (41, 1)
    assert rows["app", "tracking"].is_silent and not rows["web-shop", "batch"].is_silent
    assert (rows["till", "import"].accepted, rows["till", "import"].refused) == (97, 3)
    refused = admin.get(reverse("customers:refused")).content.decode()
    assert "o-77" in refused and "This customer is not known" in refused and "orders.csv" in refused
    narrowed = admin.get(reverse("customers:refused"), {"source": "app"}).content.decode()
    assert "o-77" not in narrowed


def test_a_marketer_sees_what_came_in_but_neither_keys_nor_endpoints(
    client: Client, marketer: User, endpoint: OutgoingEndpoint
) -> None:
    client.force_login(marketer)
    page = client.get(PAGE).content.decode()
    assert "What comes in" in page
    assert "Warehouse" not in page and "New key" not in page
    assert client.get(reverse("customers:endpoint", args=[endpoint.pk])).status_code == 403
    assert client.post(reverse("customers:endpoint-secret", args=[endpoint.pk])).status_code == 403


def test_an_endpoint_is_added_and_its_secret_shown_once(admin: Client) -> None:
    url = reverse("customers:endpoint-new")
    page = admin.post(url, {"url": HOOK, "note": "Warehouse", "kinds": ["customer.created"]})
    row = OutgoingEndpoint.objects.get()
    secret = make_secret(row, 1)
    assert secret in page.content.decode().replace("&#x27;", "'")
    assert secret not in admin.get(reverse("customers:endpoint", args=[row.pk])).content.decode()
    assert AuditEntry.objects.filter(action="endpoint_added", object_id=str(row.pk)).exists()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "http://shop.example/", "kinds": ["customer.created"]}, "https://"),
        ({"url": "https://169.254.169.254/", "kinds": ["customer.created"]}, "internal network"),
        ({"url": "https://127.0.0.1/", "kinds": ["customer.created"]}, "this machine"),
        ({"url": HOOK, "kinds": []}, "at least one event"),
        ({"url": HOOK, "kinds": ["no.such"]}, "at least one event"),
        ({"url": HOOK + "a" * 500, "kinds": ["customer.created"]}, "too long"),
    ],
)
def test_a_wrong_endpoint_is_refused_and_what_was_typed_stays(
    admin: Client, settings: Settings, given: dict[str, object], says: str
) -> None:
    settings.OUTGOING_MAY_BE_LOOPBACK = False
    page = admin.post(reverse("customers:endpoint-new"), given)
    assert page.status_code == 422
    assert says in page.content.decode() and str(given["url"]) in page.content.decode()
    assert not OutgoingEndpoint.objects.exists()


def test_the_log_shows_each_try_and_sends_again(admin: Client, endpoint: OutgoingEndpoint) -> None:
    now = timezone.now()
    event = OutgoingEvent.objects.create(kind="customer.created", data={"items": [{"customer": 0}]}, fanned_at=now)
    row = OutgoingDelivery.objects.create(
        endpoint=endpoint, event=event, status="failed", next_try_at=now, finished_at=now
    )
    OutgoingAttempt.objects.create(
        delivery=row, number=1, tried_at=now, took_ms=12, code=500, answer="<b>out of order</b>"
    )
    page = admin.get(reverse("customers:endpoint", args=[endpoint.pk])).content.decode()
    assert event.name in page and "&lt;b&gt;out of order" in page and "customer.created" in page
    admin.post(reverse("customers:delivery-retry", args=[row.pk]))
    row.refresh_from_db()
    assert (row.status, row.finished_at) == ("waiting", None)


def test_what_people_change_about_an_endpoint_counts_and_is_written_down(
    admin: Client, endpoint: OutgoingEndpoint
) -> None:
    kinds = ["consent.changed", "customer.erased"]
    admin.post(reverse("customers:endpoint-change", args=[endpoint.pk]), {"url": HOOK, "note": "", "kinds": kinds})
    page = admin.post(reverse("customers:endpoint-secret", args=[endpoint.pk]))
    endpoint.refresh_from_db()
    assert (endpoint.kinds, endpoint.secret_number) == (kinds, 2)
    assert make_secret(endpoint, 2) in page.content.decode()
    admin.post(reverse("customers:endpoint-test", args=[endpoint.pk]))
    assert OutgoingDelivery.objects.get().event.kind == "endpoint.test"
    for is_on in ("0", "0", "1"):
        admin.post(reverse("customers:endpoint-switch", args=[endpoint.pk]), {"on": is_on})
    assert OutgoingEndpoint.objects.get().is_active
    assert AuditEntry.objects.filter(action="endpoint_changed").count() == 4


def test_an_address_is_changed_on_its_page_and_begins_with_a_clean_slate(
    admin: Client, endpoint: OutgoingEndpoint
) -> None:
    now = timezone.now()
    OutgoingEndpoint.objects.update(failing_since=now, rests_until=now, told_at=now)
    page = admin.get(reverse("customers:endpoint", args=[endpoint.pk])).content.decode()
    assert f'value="{HOOK}"' in page
    given = {"url": " https://new.example/a?key=s3cret ", "note": "Warehouse", "kinds": endpoint.kinds}
    for _twice in range(2):
        assert admin.post(reverse("customers:endpoint-change", args=[endpoint.pk]), given).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.url == "https://new.example/a?key=s3cret"
    assert (endpoint.failing_since, endpoint.rests_until, endpoint.told_at) == (None, None, None)
    entry = AuditEntry.objects.get(action="endpoint_changed")
    assert entry.details == {"fields": ["url"]}, "who changed which field, and not the password in the address"


@pytest.mark.parametrize(
    "url",
    ["http://shop.example/", "https://10.0.0.8/", "https://169.254.169.254/", "https://127.0.0.1/", "https://[::1]/",
     "https://localhost/", "https://0x7f000001/", "https://2130706433/", "https://[::ffff:10.0.0.8]/", "https://db.internal/",
     "https://me:word@shop.example/", "javascript:alert(1)", "file:///etc/passwd", "", HOOK + "a" * 500],
)  # fmt: skip
def test_a_new_address_is_looked_at_as_the_first_was(
    admin: Client, endpoint: OutgoingEndpoint, settings: Settings, url: str
) -> None:
    settings.OUTGOING_MAY_BE_LOOPBACK = False
    given = {"url": url, "note": "typed", "kinds": ["customer.erased"]}
    page = admin.post(reverse("customers:endpoint-change", args=[endpoint.pk]), given)
    assert page.status_code == 422 and 'value="typed"' in page.content.decode(), "what was typed stays"
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.note, endpoint.kinds) == (HOOK, "Warehouse", ["customer.created"])
    assert not AuditEntry.objects.filter(action="endpoint_changed").exists()


def test_who_may_not_change_an_endpoint_is_refused(client: Client, marketer: User, endpoint: OutgoingEndpoint) -> None:
    client.force_login(marketer)
    given = {"url": "https://other.example/", "kinds": ["customer.created"]}
    assert client.post(reverse("customers:endpoint-change", args=[endpoint.pk]), given).status_code == 403


def test_pages_ask_as_often_for_three_rows_as_for_thirty(
    admin: Client, endpoint: OutgoingEndpoint, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()

    def add(count: int) -> None:
        for number in range(count):
            event = OutgoingEvent.objects.create(
                kind="import.finished", data={"items": [{"import": number}]}, fanned_at=now
            )
            row = OutgoingDelivery.objects.create(endpoint=endpoint, event=event, next_try_at=now)
            OutgoingAttempt.objects.create(delivery=row, number=1, tried_at=now, took_ms=1, code=500)
            OutgoingEndpoint.objects.create(url=f"{HOOK}{event.pk}", kinds=[])
            ApiKey.objects.create(user=User.objects.get(username="ada"), name="k", prefix=f"rk_{event.pk}")
            note_intake(Entrance.API, f"s{event.pk}", accepted=1, refusals=[Refusal("a", key="b")], now=now)

    pages = (PAGE, reverse("customers:refused"), reverse("customers:endpoint", args=[endpoint.pk]))
    counts = []
    for size in (3, 20):
        add(size)
        admin.get(PAGE)
        found = []
        for page in pages:
            with django_assert_max_num_queries(60) as asked:
                assert admin.get(page).status_code == 200
            found.append(len(asked))
        counts.append(found)
    assert counts[0] == counts[1]

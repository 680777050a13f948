"""Web hooks by REST: the secret is shown once, addresses are checked as on the page, and the log can be read and tried again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient
from standardwebhooks.webhooks import Webhook

from customers.api.authentication import issue_api_key
from customers.models import AuditEntry, KeptAnswer, OutgoingAttempt, OutgoingDelivery, OutgoingEndpoint, OutgoingEvent
from customers.outgoing.endpoints import make_secret, send_test
from customers.outgoing.sending import send_due
from tests.customers.outgoing.receiver import Receiver

pytestmark = pytest.mark.django_db
URL = "/api/v1/web-hooks/"
HOOK = {"url": "https://shop.example/hook", "note": "Warehouse", "kinds": ["customer.created"]}
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task only makes it sooner; the rows are what counts here."""
    monkeypatch.setattr("customers.tasks.send_outgoing.delay", lambda: None)


@pytest.fixture
def endpoint() -> OutgoingEndpoint:
    return OutgoingEndpoint.objects.create(**HOOK)


def one(endpoint: OutgoingEndpoint, noun: str = "") -> str:
    return f"{URL}{endpoint.pk}/{noun}"


def test_the_secret_is_shown_once(api: APIClient) -> None:
    answer = api.post(URL, HOOK)
    row = OutgoingEndpoint.objects.get()
    assert (answer.status_code, answer.json()["secret"]) == (201, make_secret(row, 1))
    assert answer["Cache-Control"] == "no-store"
    for told in (api.get(one(row)).json(), *api.get(URL).json()["results"], api.patch(one(row), {"note": "x"}).json()):
        assert "secret" not in told and make_secret(row, 1) not in str(told)


def test_the_same_request_makes_one_endpoint_and_its_secret_is_kept_nowhere(api: APIClient) -> None:
    first, again = (api.post(URL, HOOK, headers={"Idempotency-Key": "k"}) for _ in range(2))
    row = OutgoingEndpoint.objects.get()
    assert first.json()["secret"] == make_secret(row, 1)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    assert "whsec_" not in KeptAnswer.objects.get().body
    changed = api.post(one(row, "secret/"), headers={"Idempotency-Key": "k2"}).json()
    assert changed["secret"] == make_secret(row, 2)
    assert not KeptAnswer.objects.filter(body__contains="whsec_").exists()


@pytest.mark.parametrize(
    "url",
    ["http://shop.example/", "https://169.254.169.254/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/x", "https://db/",
     "https://user:word@shop.example/", "https://2130706433/", "ftp://shop.example/", "nonsense"],
)  # fmt: skip
def test_an_address_inside_the_house_is_refused_at_the_start_and_later(
    api: APIClient, endpoint: OutgoingEndpoint, settings: Settings, url: str
) -> None:
    settings.OUTGOING_MAY_BE_LOOPBACK = False
    for answer in (api.post(URL, {**HOOK, "url": url}), api.patch(one(endpoint), {"url": url})):
        assert answer.status_code == 400
        assert [fault["path"] for fault in answer.json()["errors"]] == ["url"]
    assert OutgoingEndpoint.objects.get().url == HOOK["url"]


@pytest.mark.parametrize("kinds", [[], ["nothing.known"], "customer.created", None])
def test_it_is_told_events_that_there_are(api: APIClient, kinds: Any) -> None:
    assert api.post(URL, {**HOOK, "kinds": kinds}).status_code == 400
    assert not OutgoingEndpoint.objects.exists()


def test_what_is_given_is_changed_and_the_log_keeps_no_address(api: APIClient, endpoint: OutgoingEndpoint) -> None:
    told = api.patch(one(endpoint), {"url": "https://other.example/?word=1", "kinds": ["score.changed"]}).json()
    assert (told["url"], told["note"], told["kinds"]) == (
        "https://other.example/?word=1",
        "Warehouse",
        ["score.changed"],
    )
    entry = AuditEntry.objects.get(action="endpoint_changed")
    assert entry.details == {"fields": ["kinds", "url"], "kinds": ["score.changed"]}
    assert api.put(one(endpoint), HOOK).status_code == 405


def test_it_is_switched_off_and_on_and_twice_is_once(api: APIClient, endpoint: OutgoingEndpoint) -> None:
    for _again in range(2):
        assert api.post(one(endpoint, "deactivation/")).json()["status"] == "disabled"
    assert api.post(one(endpoint, "test/")).status_code == 409
    for _again in range(2):
        assert api.post(one(endpoint, "activation/")).json()["status"] == "active"
    assert AuditEntry.objects.filter(action="endpoint_changed").count() == 2


def test_a_test_event_is_sent_and_read_in_the_log(api: APIClient, receiver: Receiver, settings: Settings) -> None:
    settings.OUTGOING_MAY_BE_LOOPBACK = True
    made = api.post(URL, {**HOOK, "url": receiver.url}).json()
    queued = api.post(f"{URL}{made['id']}/test/").json()
    assert (queued["kind"], queued["status"], queued["tries"]) == ("endpoint.test", "waiting", [])
    assert send_due().taken == 1
    [(headers, body)] = receiver.requests
    Webhook(made["secret"]).verify(body, headers)
    told = api.get(f"/api/v1/web-hook-deliveries/{queued['id']}/").json()
    assert (told["status"], told["tries"][0]["code"]) == ("delivered", 204)
    assert told["webhook_id"] == headers["webhook-id"]
    assert told["request"]["data"] == {"items": [{"endpoint": made["id"]}]}
    assert api.post(f"/api/v1/web-hook-deliveries/{queued['id']}/retry/").status_code == 409


@pytest.mark.django_db(transaction=True)
def test_a_lost_broker_costs_a_moment_and_no_answer(
    api: APIClient, endpoint: OutgoingEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fail() -> None:
        asked.append(1)
        raise ConnectionError

    monkeypatch.setattr("customers.tasks.send_outgoing.delay", fail)
    assert api.post(one(endpoint, "test/")).status_code == 201
    assert asked and OutgoingDelivery.objects.get().status == "waiting"


def test_what_was_given_up_is_tried_again_under_its_id(api: APIClient, endpoint: OutgoingEndpoint) -> None:
    delivery = send_test(endpoint, now=NOW)
    OutgoingDelivery.objects.update(status="failed", finished_at=NOW)
    OutgoingAttempt.objects.create(delivery=delivery, number=1, tried_at=NOW, took_ms=12, code=500, answer="broken")
    answer = api.post(f"/api/v1/web-hook-deliveries/{delivery.pk}/retry/").json()
    assert (answer["status"], answer["webhook_id"], answer["tries"][0]["answer"]) == (
        "waiting", delivery.event.name, "broken",
    )  # fmt: skip
    OutgoingDelivery.objects.update(held_until=timezone.now() + dt.timedelta(minutes=5))
    assert api.post(f"/api/v1/web-hook-deliveries/{delivery.pk}/retry/").status_code == 409


def test_the_log_of_one_is_not_that_of_another_and_costs_the_same(
    api: APIClient, endpoint: OutgoingEndpoint, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = OutgoingEndpoint.objects.create(**HOOK)
    for number in range(30):
        delivery = send_test(endpoint, now=NOW)
        OutgoingAttempt.objects.create(delivery=delivery, number=1, tried_at=NOW, took_ms=number, code=500)
    mine = send_test(other, now=NOW)
    OutgoingDelivery.objects.filter(endpoint=endpoint).update(status="failed")
    assert [row["id"] for row in api.get(one(other, "deliveries/")).json()["results"]] == [mine.pk]
    for size in (3, 30):
        with django_assert_num_queries(6):  # the key, the person's rights twice, the endpoint, deliveries, tries
            found = api.get(one(endpoint, "deliveries/"), {"page_size": size, "status": "failed"}).json()["results"]
        assert len(found) == size
    assert api.get(one(endpoint, "deliveries/"), {"status": "waiting"}).json()["results"] == []
    assert api.get(f"{URL}{other.pk + 1}/deliveries/").status_code == 404
    assert OutgoingEvent.objects.count() == 31


@pytest.mark.parametrize(
    ("scope", "reads", "changes"),
    [("web_hooks", 200, 200), ("read", 200, 403), ("write", 403, 403), ("privacy", 403, 403)],
)
def test_a_key_does_what_its_scope_says(
    site_admin: User, endpoint: OutgoingEndpoint, scope: str, reads: int, changes: int
) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_api_key(site_admin, 'k', scopes=[scope])[1]}")
    delivery = send_test(endpoint, now=NOW)
    log = f"/api/v1/web-hook-deliveries/{delivery.pk}/"
    for path in (URL, one(endpoint), one(endpoint, "deliveries/"), log):
        assert client.get(path).status_code == reads
    assert client.patch(one(endpoint), {"note": "x"}).status_code == changes
    for path in (
        one(endpoint, "secret/"),
        one(endpoint, "activation/"),
        f"{log}retry/",
        one(endpoint, "deactivation/"),
    ):
        assert client.post(path).status_code == changes
    assert (client.post(URL, HOOK).status_code == 201) == (changes == 200)
    assert client.get("/api/v1/customers/").status_code == (200 if scope in {"read", "privacy"} else 403)


def test_whoever_may_not_see_web_hooks_reads_none(marketing: APIClient, endpoint: OutgoingEndpoint) -> None:
    delivery = send_test(endpoint, now=NOW)
    for path in (URL, one(endpoint), one(endpoint, "deliveries/"), f"/api/v1/web-hook-deliveries/{delivery.pk}/"):
        assert marketing.get(path).status_code == 403
    for path in (
        URL,
        one(endpoint, "secret/"),
        one(endpoint, "test/"),
        f"/api/v1/web-hook-deliveries/{delivery.pk}/retry/",
    ):
        assert marketing.post(path, HOOK).status_code == 403

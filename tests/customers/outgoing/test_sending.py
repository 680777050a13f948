"""Signed, once where it works, again where it does not, and never into our own network."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from customers.models import AuditEntry, Customer, OutgoingAttempt, OutgoingDelivery, OutgoingEndpoint, OutgoingEvent
from customers.outgoing.endpoints import (
    change_secret,
    list_secrets,
    make_secret,
    retry_delivery,
    send_test,
    switch_endpoint,
)
from customers.outgoing.fan_out import fan_out
from customers.outgoing.judging import WAITS_S
from customers.outgoing.sending import send_due
from customers.outgoing.telling import tell_of_disabled

from .conftest import Clock
from .receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(endpoint: OutgoingEndpoint, clock: Clock) -> OutgoingDelivery:
    Customer.objects.create(external_id="ana")
    fan_out(clock())
    return OutgoingDelivery.objects.get()


def test_the_reference_library_accepts_what_we_sign(endpoint: OutgoingEndpoint, receiver: Receiver) -> None:
    now = timezone.now()  # the library looks at the real clock
    send_test(endpoint, now=now)
    assert send_due(lambda: now).taken == 1
    headers, body = receiver.requests[0]
    secret = make_secret(endpoint, 1)
    assert Webhook(secret).verify(body, headers)["type"] == "endpoint.test"
    assert headers["webhook-id"] == OutgoingEvent.objects.get().name
    for altered in (body + b" ", body.replace(b"test", b"tent")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(altered, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(make_secret(endpoint, 2)).verify(body, headers)


def test_while_a_secret_is_changed_both_are_signed_with(
    endpoint: OutgoingEndpoint, receiver: Receiver, site_admin: User
) -> None:
    now = timezone.now()
    old = make_secret(endpoint, 1)
    new = change_secret(site_admin, endpoint, now=now)
    assert new != old
    send_test(endpoint, now=now)
    send_due(lambda: now)
    headers, body = receiver.requests[0]
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(body, headers)
    endpoint.refresh_from_db()
    assert list_secrets(endpoint, now + dt.timedelta(days=2)) == [new]


def test_no_secret_is_in_the_database(endpoint: OutgoingEndpoint) -> None:
    secret = make_secret(endpoint, 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM customers_outgoingendpoint e")
        row = cursor.fetchone()[0]
    assert secret.removeprefix("whsec_") not in row
    assert not AuditEntry.objects.filter(details__icontains=secret).exists()


def test_what_is_taken_is_sent_once(delivery: OutgoingDelivery, receiver: Receiver, clock: Clock) -> None:
    assert send_due(clock).taken == 1
    assert send_due(clock).tried == 0
    delivery.refresh_from_db()
    assert (delivery.status, len(receiver.requests)) == ("delivered", 1)
    attempt = OutgoingAttempt.objects.get()
    assert (attempt.code, attempt.number, attempt.error) == (204, 1, "")


def test_what_is_not_taken_comes_again_with_the_same_id_for_three_days(
    delivery: OutgoingDelivery, receiver: Receiver, clock: Clock
) -> None:
    receiver.codes, receiver.text = [500], b"down"
    began = clock()
    for _number in range(len(WAITS_S) + 1):
        assert send_due(clock).tried == 1
        assert send_due(clock).tried == 0  # not before its time
        delivery.refresh_from_db()
        clock.now = max(delivery.next_try_at, clock.turn(minutes=16))
    assert delivery.status == "failed"
    assert dt.timedelta(days=2.5) < clock() - began < dt.timedelta(days=4)
    assert len({headers["webhook-id"] for headers, _body in receiver.requests}) == 1
    assert len({headers["webhook-timestamp"] for headers, _body in receiver.requests}) == len(WAITS_S) + 1
    assert next(iter(OutgoingAttempt.objects.order_by("number").values_list("code", "answer"))) == (500, "down")
    receiver.codes = [200]
    assert retry_delivery(delivery, now=clock())
    assert send_due(clock).taken == 1
    assert not retry_delivery(delivery, now=clock())


def test_retry_after_is_obeyed_by_the_whole_endpoint(
    delivery: OutgoingDelivery, endpoint: OutgoingEndpoint, receiver: Receiver, clock: Clock
) -> None:
    receiver.codes, receiver.headers = [429, 204], {"Retry-After": "900"}
    send_due(clock)
    send_test(endpoint, now=clock())
    clock.turn(seconds=890)
    assert send_due(clock).tried == 0
    clock.turn(seconds=20)
    assert send_due(clock).taken == 2


def test_410_ends_the_endpoint_and_somebody_is_told(
    delivery: OutgoingDelivery, endpoint: OutgoingEndpoint, receiver: Receiver, clock: Clock, site_admin: User
) -> None:
    send_test(endpoint, now=clock())
    receiver.codes = [410]
    send_due(clock)
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.disabled_why) == ("disabled", "gone")
    assert sorted(OutgoingDelivery.objects.values_list("status", flat=True)) == ["dropped", "failed"]
    assert (tell_of_disabled(clock()), tell_of_disabled(clock())) == (1, 0)
    assert site_admin.email in mail.outbox[0].to
    assert endpoint.url in mail.outbox[0].body


def test_an_endpoint_that_takes_nothing_for_five_days_is_switched_off(
    endpoint: OutgoingEndpoint, receiver: Receiver, clock: Clock, site_admin: User
) -> None:
    receiver.codes = [503]
    for _day in range(7):
        send_test(endpoint, now=clock())
        send_due(clock)
        clock.turn(days=1)
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.disabled_why) == ("disabled", "failing")
    tried = len(receiver.requests)
    assert send_due(clock).tried == 0
    receiver.codes = [204]
    assert switch_endpoint(site_admin, endpoint, on=True, now=clock())
    assert send_due(clock, seconds=60).taken > 0
    assert len(receiver.requests) > tried


def test_a_failing_endpoint_holds_up_no_other(
    endpoint: OutgoingEndpoint, receiver: Receiver, clock: Clock, settings: Settings
) -> None:
    with Receiver(codes=[500]) as broken:
        other = OutgoingEndpoint.objects.create(url=broken.url, kinds=[])
        for _number in range(5):
            send_test(other, now=clock())
            send_test(endpoint, now=clock())
        send_due(clock)
        assert (len(broken.requests), len(receiver.requests)) == (1, 5)
    waiting = OutgoingDelivery.objects.filter(endpoint=other)
    assert sorted(waiting.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]
    assert not waiting.exclude(held_until=None).exists()


def test_a_redirect_is_not_followed(delivery: OutgoingDelivery, receiver: Receiver, clock: Clock) -> None:
    with Receiver() as elsewhere:
        receiver.codes, receiver.headers = [307], {"Location": elsewhere.url}
        send_due(clock)
        assert elsewhere.requests == []
    assert OutgoingAttempt.objects.get().code == 307


def test_what_was_switched_to_loopback_only_is_not_connected_to(
    delivery: OutgoingDelivery, receiver: Receiver, clock: Clock, settings: Settings
) -> None:
    settings.OUTGOING_MAY_BE_LOOPBACK = False
    send_due(clock)
    assert receiver.requests == []
    assert "must not be used" in OutgoingAttempt.objects.get().error


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_delivery_once(
    endpoint: OutgoingEndpoint, receiver: Receiver, clock: Clock
) -> None:
    for _number in range(20):
        send_test(endpoint, now=clock())
    failures: list[Any] = []

    def work() -> None:
        try:
            send_due(clock, seconds=60)
        except Exception as error:  # told below
            failures.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    assert failures == []
    assert len(receiver.requests) == len({headers["webhook-id"] for headers, _body in receiver.requests}) == 20
    assert set(OutgoingDelivery.objects.values_list("status", flat=True)) == {"delivered"}


@pytest.mark.django_db(transaction=True)
def test_what_a_dead_worker_held_is_free_again(endpoint: OutgoingEndpoint, receiver: Receiver, clock: Clock) -> None:
    row = send_test(endpoint, now=clock())
    OutgoingDelivery.objects.filter(pk=row.pk).update(held_until=clock() + dt.timedelta(seconds=300), attempts=1)
    assert send_due(clock).tried == 0
    clock.turn(seconds=301)
    assert send_due(clock).taken == 1

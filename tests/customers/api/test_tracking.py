"""Segment's verbs: its own client delivers here, everything lands once, and nothing is lost in silence."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from segment.analytics import request as segment_request
from segment.analytics.client import Client as SegmentClient

from customers.api.authentication import issue_api_key
from customers.ingest.identity import forget_held_events
from customers.merging.merge import merge_customers
from customers.models import ConsentRecord, Customer, CustomerAlias, CustomerEvent, HeldEvent, Order, Product
from customers.privacy.erasure import erase_customer

URL = "/v1/batch"
Send = Callable[..., Any]


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    """The client keeps its connection; our server's thread would keep one to the database as long."""
    yield
    segment_request._session.close()


@pytest.fixture
def write_key(site_admin: User) -> str:
    return issue_api_key(site_admin, "segment")[1]


@pytest.fixture
def send(write_key: str) -> Send:
    client = APIClient()
    credentials = base64.b64encode(f"{write_key}:".encode()).decode()

    def post(*calls: dict[str, Any], verb: str = "batch", **headers: str) -> Any:
        body = {"batch": list(calls)} if verb == "batch" else calls[0]
        return client.post(f"/v1/{verb}", body, headers={"Authorization": f"Basic {credentials}", **headers})

    return post


def track(event: str = "Product Viewed", key: str = "m1", **fields: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": event,
        "messageId": key,
        "userId": "ana",
        "timestamp": "2026-01-05T10:00:00Z",
        "properties": {"product_id": "T1"},
        **fields,
    }


# --- The client from the package registry -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_ten_thousand_events_of_the_unmodified_client_land_once(live_server: Any, write_key: str) -> None:
    failed: list[Any] = []
    client = SegmentClient(
        write_key, host=live_server.url, gzip=True, upload_size=500, upload_interval=0.05, timeout=60, thread=2,
        max_queue_size=20_000,
        on_error=lambda error, _items: failed.append(error),
    )  # fmt: skip
    began = timezone.now() - dt.timedelta(days=1)
    chance = random.Random(20261128)
    for number in range(10_000):
        at = began + dt.timedelta(seconds=chance.random() * 80_000)
        who = f"u{chance.randrange(500)}"
        client.track(
            who, chance.choice(["Product Viewed", "Signed Up"]), {"n": number}, timestamp=at, message_id=f"m{number}"
        )
        if chance.random() < 0.1:  # a client that was not told that it had arrived sends it again
            client.track(who, "Product Viewed", {"n": number}, timestamp=at, message_id=f"m{number}")
    client.shutdown()

    assert failed == []
    assert CustomerEvent.objects.count() == 10_000
    assert CustomerEvent.objects.values("external_id").distinct().count() == 10_000
    assert Customer.objects.count() == 500


@pytest.mark.django_db(transaction=True)
def test_the_client_identifies_and_aliases(live_server: Any, write_key: str) -> None:
    failed: list[Any] = []
    client = SegmentClient(write_key, host=live_server.url, sync_mode=True, on_error=lambda *said: failed.append(said))
    client.track(anonymous_id="v-1", event="Products Searched", properties={"query": "clogs"})
    client.identify("ana", {"email": "Ana@Shop.Test", "firstName": "Ana", "plan": "gold"}, anonymous_id="v-1")
    client.page("ana", name="Home", properties={"path": "/"})
    client.alias("v-2", "ana")
    client.group("ana", "club", {"tier": 3})

    assert failed == []
    ana = Customer.objects.get(external_id="ana")
    assert (ana.email, ana.first_name) == ("Ana@shop.test", "Ana")
    assert ana.attributes == {"plan": "gold", "group_id": "club", "tier": 3}
    assert set(ana.events.values_list("kind", flat=True)) == {"search_performed", "page_viewed"}
    assert set(ana.aliases.values_list("external_id", "is_visitor")) == {("v-1", True), ("v-2", True)}
    assert not HeldEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_client_reads_our_refusal(live_server: Any) -> None:
    client = SegmentClient("rk_wrong", host=live_server.url, sync_mode=True, max_retries=0)
    with pytest.raises(Exception, match=r"authentication_failed.*not known"):
        client.track("ana", "Product Viewed")


# --- What calls mean -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_comes_twice_is_kept_once_and_counted(send: Send) -> None:
    assert send(track(), track(), track("Signed Up", "m2")).json() == {
        "success": True, "people": 1, "orders": 0, "recorded": 2, "held": 0, "known": 1, "errors": [],
    }  # fmt: skip
    assert send(track()).json()["known"] == 1
    viewed, custom = CustomerEvent.objects.order_by("external_id")
    assert (viewed.kind, viewed.properties["sku"]) == ("product_viewed", "T1")
    assert (custom.kind, custom.properties["name"]) == ("custom", "Signed Up")


@pytest.mark.django_db
def test_visitors_are_held_until_they_are_known(send: Send) -> None:
    anonymous = {"userId": None, "anonymousId": "v1"}
    assert send(track(**anonymous)).json()["held"] == 1
    assert not Customer.objects.exists()
    told = send({"type": "identify", "userId": "ana", "anonymousId": "v1", "messageId": "m2"}).json()
    assert (told["recorded"], HeldEvent.objects.count()) == (1, 0)
    assert Customer.objects.get().events.count() == 1
    assert send(track(key="m3", **anonymous)).json()["recorded"] == 1  # known from now on
    assert send(track(**anonymous)).json()["known"] == 1  # a late copy is not held for ever
    send({"type": "identify", "userId": "bob", "anonymousId": "v1"})  # a browser that two people share
    send(track(key="m4", **anonymous))
    assert CustomerAlias.objects.get().customer.external_id == "bob"
    assert Customer.objects.get(external_id="ana").events.count() == 2


@pytest.mark.django_db
def test_visitors_who_never_become_known_are_forgotten(send: Send, settings: Any) -> None:
    send(track(userId=None, anonymousId="v1"))
    assert forget_held_events(timezone.now() + dt.timedelta(days=settings.HELD_EVENT_DAYS - 1)) == 0
    assert forget_held_events(timezone.now() + dt.timedelta(days=settings.HELD_EVENT_DAYS + 1)) == 1


@pytest.mark.django_db
def test_an_order_and_its_refund_become_orders_to_the_penny(send: Send) -> None:
    wares = [{"product_id": "T1", "name": "Clogs", "category": "Shoes", "price": 19.99, "quantity": 2}]
    bought = {"order_id": "A7", "currency": "gbp", "products": wares, "discount": 5, "coupon": "BACK", "total": 38.93}
    answer = send(track("Order Completed", properties=bought)).json()
    assert (answer["orders"], answer["errors"]) == (1, [])
    order = Order.objects.get()
    assert (str(order.total), str(order.discount), order.currency) == ("38.93", "5.00", "GBP")
    assert sum(line.unit_price * line.quantity for line in order.lines.all()) - order.discount == order.total
    assert Product.objects.get().category == "Shoes"
    send(track("order_refunded", "m2", properties={"order_id": "A7", "total": 19.99, "products": wares[:1]}))
    refund = Order.objects.get(is_return=True)
    assert (str(refund.total), refund.external_id) == ("-19.99", "A7:return:m2")
    assert send(track("Order Completed", properties=bought)).json()["orders"] == 0
    assert CustomerEvent.objects.count() == 0


@pytest.mark.django_db
def test_people_are_changed_only_by_what_is_said_and_no_consent_is_raised(send: Send) -> None:
    Customer.objects.create(external_id="ana", first_name="Ana", time_zone="Europe/Paris", attributes={"size": 38})
    said = {
        "name": "Ana Lima", "timezone": "Mars/Olympus", "email": "no address", "subscribed": True,
        "address": {"country": "Portugal"}, "createdAt": "2020-02-01T00:00:00Z", "locale": "pt_PT",
    }  # fmt: skip
    assert send({"type": "identify", "userId": "ana", "traits": said}).status_code == 200
    ana = Customer.objects.get()
    assert (ana.last_name, ana.time_zone, ana.country, ana.language) == ("Lima", "Europe/Paris", "Portugal", "pt-PT")
    as_given = {"email_as_given": "no address", "timezone_as_given": "Mars/Olympus"}
    assert ana.attributes == {"size": 38, "subscribed": True, **as_given}
    assert (ana.email, ana.joined_at and ana.joined_at.year) == ("", 2020)
    assert not ConsentRecord.objects.exists()


@pytest.mark.django_db
def test_a_clock_that_is_ahead_is_set_right_by_when_it_says_that_it_sent(send: Send, write_key: str) -> None:
    """Three days ahead: without that all of it would be of the future, and refused."""
    client = APIClient()
    credentials = base64.b64encode(f"{write_key}:".encode()).decode()
    fast = timezone.now() + dt.timedelta(days=3)
    call = track(timestamp=(fast - dt.timedelta(hours=2)).isoformat())
    held = track(key="m2", userId=None, anonymousId="somebody", timestamp=(fast - dt.timedelta(hours=1)).isoformat())
    for late in range(3):  # a second and a third try say a later moment
        sent_at = (fast + dt.timedelta(seconds=late)).isoformat()
        body = {"batch": [call, held], "sentAt": sent_at}
        answer = client.post(URL, body, headers={"Authorization": f"Basic {credentials}"}).json()
        assert answer["success"] and answer["known"] == (0 if late == 0 else 2), answer
    ago = timezone.now() - CustomerEvent.objects.get().occurred_at
    assert dt.timedelta(hours=1, minutes=55) < ago < dt.timedelta(hours=2, minutes=5)
    assert HeldEvent.objects.get().occurred_at > CustomerEvent.objects.get().occurred_at
    assert "timestamp" in str(send(call).json()["errors"]), "nothing says that the clock is wrong"


def test_a_call_that_waited_keeps_its_time(send: Send) -> None:
    """A clock that is behind cannot be told from a queue; what says no time is of now."""
    for sent_at in ("2026-01-05T10:00:30Z", "2020-01-01T00:00:00Z", "yesterday", 7, None):
        send(track(sentAt=sent_at))
    assert CustomerEvent.objects.get().occurred_at == dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)


def test_traits_of_a_visitor_are_theirs_once_they_are_known_and_named_before(send: Send) -> None:
    told = send({"type": "identify", "anonymousId": "v1", "traits": {"plan": "gold"}, "messageId": "m1"}, track())
    assert (told.status_code, told.json()["recorded"], told.json()["errors"][0]["path"]) == (200, 1, "userId")
    assert send({"type": "group", "anonymousId": "v1", "groupId": "g"}, verb="group").status_code == 200
    traits = {"type": "identify", "anonymousId": "v1", "traits": {"plan": "gold", "firstName": "Ana"}}
    assert send({"type": "alias", "previousId": "v1", "userId": "ana"}, verb="alias").json()["success"]
    assert send(traits, {"type": "group", "anonymousId": "v1", "groupId": "g7"}).json()["success"]
    ana = Customer.objects.get(external_id="ana")
    assert (ana.first_name, ana.attributes) == ("Ana", {"plan": "gold", "group_id": "g7"})
    both = {"type": "page", "anonymousId": "v2", "userId": "bo", "messageId": "p"}
    assert send({**traits, "anonymousId": "v2"}, both).json()["success"], "one request says who it is"
    assert Customer.objects.get(external_id="bo").first_name == "Ana"


def test_an_alias_of_somebody_who_was_erased_keeps_their_id_nowhere(
    send: Send, settings: Settings, tmp_path: Path
) -> None:
    settings.ERASURE_FILE = str(tmp_path / "erasures.jsonl")
    send({"type": "identify", "userId": "ruth-771204"})
    erase_customer(Customer.objects.get(), actor=None, reason="asked", now=timezone.now())
    told = send({"type": "alias", "previousId": "ruth-771204", "userId": "ana"}, track()).json()
    assert [(fault["index"], fault["path"]) for fault in told["errors"]] == [(0, "previousId")]
    assert not CustomerAlias.objects.filter(external_id="ruth-771204").exists()


@pytest.mark.parametrize("source", ["shop", "crm"])
def test_traits_of_a_visitor_whose_person_was_merged_are_the_survivors(send: Send, source: str) -> None:
    send({"type": "identify", "userId": "ana", "anonymousId": "v1"})
    survivor = Customer.objects.create(source=source, external_id="a-17")
    loser = Customer.objects.get(external_id="ana")
    merge_customers(loser.pk, survivor.pk, reason="staff", actor=None, now=timezone.now())
    told = send({"type": "identify", "anonymousId": "v1", "traits": {"plan": "gold", "firstName": "Ana"}}).json()
    survivor.refresh_from_db()
    assert told["success"] and (survivor.first_name, survivor.attributes) == ("Ana", {"plan": "gold"})
    assert Customer.objects.known().count() == 1


def test_other_addresses_of_the_clients(send: Send) -> None:
    body = {"batch": [track()]}
    assert send(body, verb="batch/").json()["recorded"] == 1 and send(body, verb="import/").json()["known"] == 1
    assert send(track(key="m3"), verb="track/").json()["recorded"] == 1


def test_single_verbs_and_packed_bodies(send: Send, write_key: str) -> None:
    assert send(track(), verb="track").json()["recorded"] == 1
    packed = gzip.compress(json.dumps({"batch": [track(key="m2")]}).encode())
    headers = {"Authorization": f"Bearer {write_key}", "Content-Encoding": "gzip"}
    answer = APIClient().post(URL, packed, content_type="application/json", headers=headers)
    assert answer.json()["recorded"] == 1


# --- What is wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"userId": None}, {"event": None}, {"type": "sing"}, {"timestamp": "yesterday"}, {"timestamp": "1066-01-05T10:00:00Z"},
        {"timestamp": "0001-01-01T00:00:00+14:00"}, {"userId": "a" * 121}, {"userId": "a\0b"}, {"properties": {"a": "\0"}},
        {"properties": {"a": "x" * 20_000}}, {"properties": [1]}, {"messageId": "m" * 161},
        {"event": "Order Completed", "properties": {}},
        {"event": "Order Completed", "properties": {"order_id": "1", "total": "NaN"}},
        {"event": "Order Completed", "properties": {"order_id": "1", "currency": "XQZ"}},
        {"event": "Order Completed", "properties": {"order_id": "1", "products": [{"quantity": 1.5}]}},
        {"event": "Order Completed", "properties": {"order_id": "1", "products": 3}},
        {"event": "Order Completed", "userId": None, "anonymousId": "v1", "properties": {"order_id": "1"}},
    ],
)  # fmt: skip
def test_a_bad_call_is_named_and_the_others_are_kept(send: Send, wrong: dict[str, Any]) -> None:
    answer = send(track(key="bad") | wrong, track(key="good"))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["success"], told["recorded"]) == (False, 1)
    assert [error["index"] for error in told["errors"]] == [0]
    assert told["errors"][0]["message"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"{", "", 400), (b"[]", "", 400), (b'{"batch": []}', "", 400), (b'{"batch": 3}', "", 400),
        (json.dumps({"batch": [{}] * 1001}).encode(), "", 400), (b'{"batch": [{}]}', "", 400),
        (b"[" * 100_000, "", 400), (b" " * 1_100_000, "", 413), (gzip.compress(b" " * 50_000_000), "gzip", 413),
        (b"no gzip", "gzip", 400), (gzip.compress(b"{}")[:-9], "gzip", 400), (b"{}", "br", 415), (b"\xff", "", 400),
    ],
)  # fmt: skip
def test_a_broken_body_is_refused_in_words(write_key: str, body: bytes, encoding: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {write_key}"} | ({"Content-Encoding": encoding} if encoding else {})
    answer = APIClient().post(URL, body, content_type="application/json", headers=headers)
    assert answer.status_code == status
    assert answer.json()["message"] and answer.json()["code"]


@pytest.mark.django_db
def test_who_may_not_write_is_refused(marketer: User) -> None:
    _row, key = issue_api_key(marketer, "test")
    answer = APIClient().post(URL, {"batch": [track()]}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403 and answer.json()["code"] == "permission_denied"
    for given in (
        "Basic x",
        "Basic " + base64.b64encode(b"\xff:").decode(),
        "Basic " + base64.b64encode(b"rk:").decode(),
    ):
        assert APIClient().post(URL, {"batch": []}, headers={"Authorization": given}).status_code == 401
    assert APIClient().post(URL, {"batch": []}).status_code == 401
    assert not Customer.objects.exists()

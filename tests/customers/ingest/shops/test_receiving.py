"""Webhooks as they come over HTTP: what is taken, what is refused and why, and what they leave in the tables."""

from __future__ import annotations

import base64
import datetime as dt
import io
import random
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from customers.ingest.erased import hash_identity
from customers.ingest.shops import keys
from customers.ingest.shops.deliveries import PAUSES_MIN, forget_deliveries, sweep_deliveries
from customers.ingest.shops.reasons import explain
from customers.merging.suggesting import merge_vouched
from customers.models import (
    ConsentRecord,
    Customer,
    CustomerEvent,
    ErasedPerson,
    HeldEvent,
    Order,
    OrderLine,
    PrivacyRequest,
    Product,
    ShopConnection,
    ShopDelivery,
    ShopThing,
)
from customers.privacy.erasure import erase_customer
from customers.privacy.shops import answer_shop
from tests.shop_server import CONSUMER_SECRET, KEY, ShopServer

from .payloads import (
    CART,
    CHECKOUT,
    CUSTOMER,
    NOW,
    ORDER,
    PRODUCT,
    REFUND,
    SECRET,
    WOO_CUSTOMER,
    WOO_ORDER,
    WOO_PRODUCT,
    change,
    dump,
    make_shop,
    shopify_headers,
    sign,
    woo_headers,
)

pytestmark = pytest.mark.django_db
Clock = Callable[[dt.datetime], None]
CALLER = Client()  # one for all: each new one reads every static file


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Our clock, which says NOW until it is told otherwise."""

    def set_to(moment: dt.datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    set_to(NOW)
    return set_to


@pytest.fixture
def shop() -> ShopConnection:
    return make_shop()


@pytest.fixture
def woo() -> ShopConnection:
    return make_shop("woocommerce")


def post(shop: ShopConnection, body: bytes, headers: dict[str, str]) -> HttpResponse:
    response: Any = CALLER.post(
        f"/hooks/shops/{shop.hook_token}/", body, content_type="application/json", headers=headers
    )
    return response  # type: ignore[no-any-return]


def tell(shop: ShopConnection, topic: str, payload: Any, **options: Any) -> Any:
    """What the shop's webhook is answered."""
    body = dump(payload)
    headers = shopify_headers(topic, body, **options) if shop.kind == "shopify" else woo_headers(topic, body, **options)
    return post(shop, body, headers).json()  # type: ignore[attr-defined]


def snapshot() -> dict[str, Any]:
    """Everything that a webhook could change, but for the rows of the webhooks themselves."""
    tables = (Customer, Order, OrderLine, Product, ConsentRecord, CustomerEvent, HeldEvent, PrivacyRequest, ShopThing)
    return {table.__name__: list(table._default_manager.order_by("pk").values()) for table in tables}


# --- what they leave ---------------------------------------------------------------------------------------------------------


def test_a_customer_is_there_with_number_address_and_consent(shop: ShopConnection) -> None:
    assert tell(shop, "customers/create", CUSTOMER) == {"status": "applied"}
    mei = Customer.objects.get(source="shopify-tarnside")
    assert (mei.external_id, mei.email, mei.phone) == (str(CUSTOMER["id"]), "mei.lin@mail.test", "+442079460958")
    assert (mei.country, mei.time_zone) == ("GB", "Europe/London")
    [consent] = mei.consents.all()
    assert (consent.status, consent.source) == ("given", "shop:shopify-tarnside")
    row = ShopDelivery.objects.get()
    assert (row.status, row.body) == ("applied", "")


def test_an_order_a_refund_and_a_product_are_there(shop: ShopConnection) -> None:
    for topic, payload in (("products/update", PRODUCT), ("orders/create", ORDER), ("refunds/create", REFUND)):
        assert tell(shop, topic, payload) == {"status": "applied"}
    order, back = Order.objects.order_by("ordered_at")
    assert (str(order.total), str(back.total), back.is_return) == ("78.50", "-14.00", True)
    assert order.customer == back.customer and order.customer.language == "en-GB"
    tent = Product.objects.get(sku="TENT-2")
    assert (str(tent.price), tent.currency, tent.stock, tent.category) == ("189.00", "GBP", 12, "Tents")
    assert tent.name == "Two-person tent – green"
    assert Product.objects.get(sku="PEG-10").name == "Ware PEG-10"


def test_a_refund_that_comes_before_its_order_waits_for_it(shop: ShopConnection) -> None:
    assert tell(shop, "refunds/create", REFUND) == {"status": "kept"}
    row = ShopDelivery.objects.get()
    assert row.status == "failed" and "is not here yet" in row.reason and row.body
    assert tell(shop, "orders/create", ORDER) == {"status": "applied"}
    assert sweep_deliveries(now=NOW + dt.timedelta(minutes=2), answer=answer_shop) == 1
    assert Order.objects.filter(is_return=True).count() == 1


def test_an_older_state_never_overwrites_a_newer_one(shop: ShopConnection) -> None:
    newer = change(CUSTOMER, updated_at="2026-09-14T11:59:30Z", first_name="Meifang")
    tell(shop, "customers/update", newer)
    assert tell(shop, "customers/update", CUSTOMER) == {"status": "applied"}
    assert Customer.objects.get().first_name == "Meifang"
    assert ShopDelivery.objects.order_by("pk").last().reason == "stale"  # type: ignore[union-attr]
    tell(
        shop, "orders/cancelled", change(ORDER, updated_at="2026-09-14T11:59:00Z", cancelled_at="2026-09-14T11:59:00Z")
    )
    tell(shop, "orders/create", ORDER)
    assert Order.objects.filter(is_return=True).exists()


def test_a_cancellation_is_dropped_again_once_the_refund_covers_it(shop: ShopConnection) -> None:
    cancelled = change(ORDER, updated_at="2026-09-14T11:55:00Z", cancelled_at="2026-09-14T11:55:00Z")
    tell(shop, "orders/cancelled", cancelled)
    assert Order.objects.get(is_return=True).external_id.endswith(":cancelled")
    whole = change(
        REFUND,
        transactions=[{"amount": "78.50", "kind": "refund", "status": "success"}],
        refund_line_items=[
            {"line_item_id": one["id"], "quantity": one["quantity"], "line_item": one} for one in ORDER["line_items"]
        ],
    )
    tell(shop, "orders/updated", change(cancelled, updated_at="2026-09-14T11:56:00Z", refunds=[whole]))
    assert Order.objects.get(is_return=True).external_id.endswith(":refund:509562969")
    assert sum(order.total for order in Order.objects.all()) == 0


def test_a_cart_becomes_the_persons_once_the_checkout_says_whose_it_is(shop: ShopConnection) -> None:
    tell(shop, "carts/update", CART)
    assert HeldEvent.objects.count() == 1 and CustomerEvent.objects.count() == 0
    tell(shop, "checkouts/update", CHECKOUT)
    events = CustomerEvent.objects.order_by("occurred_at")
    assert [event.properties["action"] for event in events] == ["cart updated", "checkout started"]
    assert {event.customer.email for event in events} == {"mei.lin@mail.test"}
    assert HeldEvent.objects.count() == 0


def test_a_checkout_of_somebody_unknown_makes_nobody(shop: ShopConnection) -> None:
    tell(shop, "checkouts/update", change(CHECKOUT, customer=None))
    assert Customer.objects.count() == 0 and HeldEvent.objects.count() == 1
    tell(shop, "orders/create", change(ORDER, customer=None))
    assert CustomerEvent.objects.get().customer == Customer.objects.get()


def test_what_is_deleted_in_the_shop(shop: ShopConnection) -> None:
    for topic, payload in (("orders/create", ORDER), ("refunds/create", REFUND), ("products/update", PRODUCT)):
        tell(shop, topic, payload)
    tell(shop, "orders/delete", {"id": ORDER["id"]})
    tell(shop, "products/delete", {"id": PRODUCT["id"]})
    assert Order.objects.count() == 0
    assert Product.objects.filter(stock=0, url="").count() == 2
    tell(shop, "orders/updated", change(ORDER, updated_at="2026-09-14T11:59:59Z"))  # on its way when the order went
    assert Order.objects.count() == 0


def test_woocommerce_tells_the_same_things(woo: ShopConnection) -> None:
    tell(woo, "order.created", WOO_ORDER, name="1")
    tell(woo, "customer.updated", WOO_CUSTOMER, name="2")
    tell(woo, "product.updated", WOO_PRODUCT, name="3")
    jo = Customer.objects.get()
    assert (jo.external_id, jo.email, jo.phone, jo.time_zone) == (
        "25",
        "jo.hill@mail.test",
        "+4930901820",
        "Europe/Berlin",
    )
    assert str(Order.objects.get().total) == "36.40" and str(Product.objects.get(sku="MUG").price) == "12.17"
    assert not ConsentRecord.objects.exists()


# --- consent -----------------------------------------------------------------------------------------------------------------


def test_a_refund_that_woocommerce_lists_no_more_is_gone(woo: ShopConnection) -> None:
    """Its order tells all of its refunds, and staff of the shop may delete one that was a mistake."""
    twice = [{"id": number, "reason": "", "total": "-10.00"} for number in (98, 99)]
    tell(woo, "order.updated", change(WOO_ORDER, refunds=twice))
    other = change(WOO_ORDER, id=728, refunds=[{"id": 97, "reason": "", "total": "-5.00"}])
    tell(woo, "order.updated", other, name="o")
    tell(woo, "order.updated", change(WOO_ORDER, refunds=twice[1:], date_modified_gmt="2026-09-14T11:55:00"), name="p")
    returns = Order.objects.filter(is_return=True).order_by("external_id")
    assert list(returns.values_list("external_id", flat=True)) == ["727:refund:99", "728:refund:97"]
    silent = change(WOO_ORDER, date_modified_gmt="2026-09-14T11:56:00")
    del silent["refunds"]
    tell(woo, "order.updated", silent, name="q")
    assert returns.count() == 2, "an order that says nothing of refunds denies none"


def test_a_consent_of_the_shop_is_never_raised_over_a_withdrawal_here(shop: ShopConnection) -> None:
    tell(shop, "customers/create", CUSTOMER)
    mei = Customer.objects.get()
    given_at = mei.consents.get().recorded_at
    ConsentRecord.objects.create(
        customer=mei,
        status="withdrawn",
        legal_basis="consent",
        source="unsubscribe",
        recorded_at=given_at + dt.timedelta(days=1),
    )
    tell(shop, "customers/update", change(CUSTOMER, updated_at="2026-09-14T11:59:00Z"))
    same_time = change(CUSTOMER, updated_at="2026-09-14T11:59:10Z")
    same_time["email_marketing_consent"]["consent_updated_at"] = (given_at + dt.timedelta(days=1)).isoformat()
    tell(shop, "customers/update", same_time)
    assert [one.status for one in mei.consents.order_by("recorded_at", "pk")] == ["given", "withdrawn"]


def test_a_consent_of_tomorrow_proves_nothing(shop: ShopConnection) -> None:
    later = change(CUSTOMER)
    later["email_marketing_consent"]["consent_updated_at"] = "2026-09-15T12:00:00Z"
    tell(shop, "customers/create", later)
    assert not ConsentRecord.objects.exists()


def test_who_unsubscribes_in_the_shop_is_not_written_to(shop: ShopConnection) -> None:
    tell(shop, "customers/create", CUSTOMER)
    payload = {
        "customer_id": CUSTOMER["id"], "email_address": CUSTOMER["email"],
        "email_marketing_consent": {"state": "unsubscribed", "opt_in_level": None, "consent_updated_at": "2026-09-14T11:50:00Z"},
    }  # fmt: skip
    tell(shop, "customers_email_marketing_consent/update", payload)
    newest = ConsentRecord.objects.order_by("-recorded_at").first()
    assert newest is not None and newest.status == "withdrawn"


# --- privacy -----------------------------------------------------------------------------------------------------------------


def privacy(**more: Any) -> dict[str, Any]:
    asker = {"id": CUSTOMER["id"], "email": "mei.lin@mail.test", "phone": None}
    return {"shop_id": 954889, "shop_domain": "tarnside.myshopify.com", "customer": asker, **more}


def test_the_privacy_webhooks_become_requests_that_a_person_decides_on(shop: ShopConnection) -> None:
    tell(shop, "customers/create", CUSTOMER)
    tell(shop, "customers/data_request", privacy(orders_requested=[1], data_request={"id": 9}))
    tell(shop, "customers/redact", privacy(orders_to_redact=[1]))
    requests = PrivacyRequest.objects.order_by("kind")
    assert [(one.kind, one.status, one.source) for one in requests] == [
        ("erasure", "open", "shop:shopify-tarnside"), ("export", "open", "shop:shopify-tarnside"),
    ]  # fmt: skip
    assert requests[0].due_at == NOW + dt.timedelta(days=30)
    newest = ConsentRecord.objects.order_by("-recorded_at", "-pk").first()
    assert newest is not None and newest.status == "withdrawn", "nobody writes to them while it is being decided"


def test_a_redaction_finds_guests_by_their_address(shop: ShopConnection) -> None:
    tell(shop, "orders/create", change(ORDER, customer=None))
    tell(shop, "customers/redact", privacy(orders_to_redact=[1]))
    assert PrivacyRequest.objects.get().customer_number == Customer.objects.get().pk


def test_a_redaction_finds_what_was_bought_by_another_address_by_its_orders(shop: ShopConnection) -> None:
    tell(shop, "orders/create", change(ORDER, customer=None, email="other@mail.test", contact_email=None))
    tell(shop, "customers/redact", privacy(orders_to_redact=[1]))
    assert not PrivacyRequest.objects.exists()
    tell(shop, "customers/redact", privacy(orders_to_redact=[ORDER["id"], 2]))
    assert PrivacyRequest.objects.get().customer_number == Customer.objects.get().pk


def merged(gone: int, kept: int) -> dict[str, Any]:
    return {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}", "admin_graphql_api_job_id": None,
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{gone}", "status": "completed", "errors": [],
    }  # fmt: skip


def person(number: int, **fields: Any) -> dict[str, Any]:
    gid = f"gid://shopify/Customer/{number}"
    return change(CUSTOMER, id=number, admin_graphql_api_id=gid, email=f"p{number}@mail.test", **fields)


def test_whom_the_shop_makes_one_is_one_here(shop: ShopConnection) -> None:
    """And the account that it deletes for it is nobody who is to be erased, before the merge here and after."""
    gone = {"id": 5, "tax_exemptions": [], "admin_graphql_api_id": "gid://shopify/Customer/5"}
    tell(shop, "orders/create", change(ORDER, customer=person(5)))
    assert tell(shop, "customers/merge", merged(gone=5, kept=6)) == {"status": "kept"}, "6 is not here yet"
    tell(shop, "customers/update", person(6))
    assert sweep_deliveries(now=NOW + dt.timedelta(minutes=2), answer=answer_shop) == 1
    tell(shop, "customers/delete", gone)
    assert merge_vouched(now=NOW) == 1
    tell(shop, "customers/delete", {**gone, "addresses": []})
    kept = Customer.objects.get(source=shop.source)
    assert (kept.external_id, kept.orders.count()) == ("6", 1)
    assert not PrivacyRequest.objects.exists() and kept.consents.latest("recorded_at").status == "given"
    assert {row.reason for row in ShopDelivery.objects.filter(topic="customers/delete")} == {"merged_away"}
    tell(shop, "customers/delete", {**gone, "id": 6, "admin_graphql_api_id": "gid://shopify/Customer/6"})
    assert PrivacyRequest.objects.get().customer_number == kept.pk, "who really goes is asked for"


def test_a_request_by_law_is_not_passed_over_because_of_a_merge(shop: ShopConnection) -> None:
    for number in (5, 6):
        tell(shop, "customers/update", person(number))
    tell(shop, "customers/merge", merged(gone=5, kept=6))
    tell(shop, "customers/redact", privacy(customer={"id": 5, "email": "p5@mail.test"}, orders_to_redact=[]))
    assert PrivacyRequest.objects.get().customer_number == Customer.objects.get(external_id="5").pk
    assert merge_vouched(now=NOW) == 0, "a person decides first"


def test_the_redaction_of_a_shop_asks_for_everybody_of_it(shop: ShopConnection) -> None:
    tell(shop, "customers/create", CUSTOMER)
    Customer.objects.create(source="elsewhere", external_id="1")
    tell(shop, "shop/redact", {"shop_id": 954889, "shop_domain": "tarnside.myshopify.com"})
    assert PrivacyRequest.objects.get().customer_number == Customer.objects.get(source="shopify-tarnside").pk
    shop.refresh_from_db()
    assert shop.redaction_asked_at == NOW
    call_command("erase_shop", "shopify-tarnside", stdout=(said := io.StringIO()))
    assert "1 people" in said.getvalue() and Customer.objects.known().count() == 2
    for _twice in range(2):
        call_command("erase_shop", "shopify-tarnside", "--yes", stdout=said)
    assert [one.source for one in Customer.objects.known()] == ["elsewhere"]
    assert PrivacyRequest.objects.get().status == "done"


def test_who_was_erased_does_not_come_back(shop: ShopConnection) -> None:
    ErasedPerson.objects.create(identity_hash=hash_identity("shopify-tarnside", str(CUSTOMER["id"])))
    tell(shop, "customers/update", CUSTOMER)
    tell(shop, "orders/create", ORDER)
    tell(shop, "checkouts/update", CHECKOUT)
    assert not Customer.objects.exists() and not Order.objects.exists() and not CustomerEvent.objects.exists()
    assert all(row.body == "" for row in ShopDelivery.objects.all())


# --- what is refused ---------------------------------------------------------------------------------------------------------


def test_0_of_200_forged_altered_and_replayed_webhooks_are_accepted(
    shop: ShopConnection, woo: ShopConnection, clock: Clock
) -> None:
    """Whoever has all that was ever sent, but not the secret."""
    honest = [
        ("customers/create", CUSTOMER), ("orders/create", ORDER), ("refunds/create", REFUND), ("products/update", PRODUCT),
        ("carts/update", CART), ("customers/redact", privacy(orders_to_redact=[])),
    ]  # fmt: skip
    woo_honest = [("customer.updated", WOO_CUSTOMER), ("order.created", WOO_ORDER), ("product.updated", WOO_PRODUCT)]
    for topic, payload in honest:
        assert tell(shop, topic, payload)["status"] == "applied"
    for topic, payload in woo_honest:
        assert tell(woo, topic, payload)["status"] == "applied"
    before, dice, later = snapshot(), random.Random(20260914), NOW + dt.timedelta(hours=5)
    tried = 0
    for number in range(200):
        victim = dice.choice((shop, woo))
        topic, payload = dice.choice(honest if victim is shop else woo_honest)
        body, name = dump(payload), f"other-{number}"
        make = shopify_headers if victim is shop else woo_headers
        signature = "X-Shopify-Hmac-Sha256" if victim is shop else "X-WC-Webhook-Signature"
        harm = number % 8
        headers = make(topic, body, name=name)
        if harm == 0:  # forged with a secret of one's own
            body = dump({**payload, "id": number})
            headers[signature] = sign(body, "guessed")
        elif harm == 1:  # altered by one byte under the true signature
            place = dice.randrange(len(body))
            body = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        elif harm == 2:  # not signed, or with what is no signature
            headers[signature] = dice.choice(("", "AAAA", "\u00ff" * 10, base64.b64encode(b"x" * 32).decode()))
        elif harm == 3:  # replayed at once, under another name
            pass
        elif harm == 4:  # replayed under another topic
            headers = make(
                dice.choice(("orders/delete", "customers/delete", "shop/redact", "order.deleted")), body, name=name
            )
        elif harm == 5:  # replayed hours later, with a fresh time
            clock(later)
            headers = make(topic, body, name=name, **({"at": later} if victim is shop else {}))
        elif harm == 6:  # replayed hours later as it was
            clock(later)
        elif harm == 7:  # the signature of another webhook
            headers[signature] = sign(dump({"id": 1}))
        response = post(victim, body, headers)
        answer = response.json()["status"]  # type: ignore[attr-defined]
        assert answer in {"refused", "seen"}, (harm, topic, answer)
        assert (response.status_code == 401) is (answer == "refused")
        if harm not in {3, 4}:
            assert answer == "refused", (harm, topic)
        clock(NOW)
        tried += 1
    assert tried == 200
    assert snapshot() == before
    assert ShopDelivery.objects.exclude(status="refused").count() == len(honest) + len(woo_honest)


@pytest.mark.parametrize(
    ("age", "answer"),
    [
        (dt.timedelta(seconds=-299), "applied"),
        (dt.timedelta(seconds=-301), "refused"),
        (dt.timedelta(seconds=299), "applied"),
        (dt.timedelta(seconds=301), "late"),
        (dt.timedelta(hours=4), "late"),
        (dt.timedelta(hours=5), "refused"),
    ],
)
def test_what_is_not_of_now_is_not_believed(shop: ShopConnection, age: dt.timedelta, answer: str) -> None:
    assert tell(shop, "orders/create", ORDER, at=NOW - age)["status"] == answer
    assert Order.objects.exists() is (answer == "applied")


def test_a_late_webhook_has_what_changed_since_then_fetched(shop: ShopConnection) -> None:
    """The shop was not answered for an hour: its word is not applied, and not lost either."""
    tell(shop, "orders/create", ORDER, at=NOW - dt.timedelta(minutes=70))
    tell(shop, "products/update", PRODUCT, at=NOW - dt.timedelta(minutes=20))
    shop.refresh_from_db()
    assert shop.catch_up_from == NOW - dt.timedelta(minutes=75)
    assert [row.body for row in ShopDelivery.objects.all()] == ["", ""]


def test_a_late_request_of_a_person_is_taken_because_a_person_decides(shop: ShopConnection) -> None:
    tell(shop, "customers/create", CUSTOMER)
    assert (
        tell(shop, "customers/redact", privacy(orders_to_redact=[]), at=NOW - dt.timedelta(hours=2))["status"]
        == "applied"
    )
    assert PrivacyRequest.objects.count() == 1


def test_a_shop_that_got_no_answer_in_time_may_send_again(shop: ShopConnection, clock: Clock) -> None:
    tell(shop, "orders/create", ORDER)
    before = snapshot()
    clock(NOW + dt.timedelta(hours=3))
    assert tell(shop, "orders/create", ORDER) == {"status": "seen"}
    assert snapshot() == before and ShopDelivery.objects.get().copies == 1


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-Shopify-Triggered-At": ""}, "no_time"),
        ({"X-Shopify-Triggered-At": "yesterday"}, "no_time"),
        ({"X-Shopify-Triggered-At": "2026-09-14T12:00:00"}, "no_time"),
        ({"X-Shopify-Topic": ""}, "no_topic"),
        ({"X-Shopify-Shop-Domain": "other.myshopify.com"}, "other_shop"),
        ({"X-Shopify-Hmac-Sha256": ""}, "not_signed"),
    ],
)
def test_refusals_are_listed_with_their_reason(shop: ShopConnection, headers: dict[str, str], code: str) -> None:
    body = dump(ORDER)
    response = post(shop, body, {**shopify_headers("orders/create", body), **headers})
    assert (response.status_code, response.json()["reason"]) == (401, code)  # type: ignore[attr-defined]
    row = ShopDelivery.objects.get()
    assert (row.status, row.reason, row.body) == ("refused", code, "")
    shop.refresh_from_db()
    assert shop.hooks_refused == 1


def test_refusals_do_not_fill_the_table(shop: ShopConnection) -> None:
    for number in range(60):
        post(shop, dump({"n": number}), shopify_headers("orders/create", b"other"))
    assert ShopDelivery.objects.count() == 50
    shop.refresh_from_db()
    assert shop.hooks_refused == 60


def test_shopifys_nanoseconds_are_a_time(shop: ShopConnection) -> None:
    body = dump(ORDER)
    headers = shopify_headers("orders/create", body) | {"X-Shopify-Triggered-At": "2026-09-14T11:59:27.877041743Z"}
    assert post(shop, body, headers).status_code == 200


def test_a_test_from_the_shops_admin_changes_nothing(shop: ShopConnection) -> None:
    assert tell(shop, "orders/create", ORDER, **{"X-Shopify-Test": "true"}) == {"status": "test"}
    assert not Order.objects.exists()


def test_woocommerces_ping_is_answered_and_changes_nothing(woo: ShopConnection) -> None:
    response = CALLER.post(
        f"/hooks/shops/{woo.hook_token}/", b"webhook_id=3", content_type="application/x-www-form-urlencoded"
    )
    assert response.json() == {"status": "ping"} and not ShopDelivery.objects.exists()


@pytest.fixture
def woo_server(settings: Settings) -> Iterator[ShopServer]:
    settings.SHOPS_MAY_BE_LOCAL = True
    with ShopServer(customers=[WOO_CUSTOMER], orders=[WOO_ORDER], products=[WOO_PRODUCT]) as server:
        yield server


def connect_woo(server: ShopServer) -> ShopConnection:
    woo = make_shop("woocommerce", address=server.address)
    keys.keep_keys(woo, keys.ShopKeys(secret=SECRET, key=KEY, token=CONSUMER_SECRET))
    woo.save()
    for topic, payload in (
        ("customer.updated", WOO_CUSTOMER), ("order.created", WOO_ORDER), ("product.updated", WOO_PRODUCT),
    ):  # fmt: skip
        tell(woo, topic, payload)
    return woo


def test_what_woocommerce_says_is_gone_counts_once_its_api_says_so(woo_server: ShopServer) -> None:
    """{"id": 727} is signed, and not of what: the shop is asked, each time anew."""
    woo, order = connect_woo(woo_server), Order.objects.get()
    assert tell(woo, "order.deleted", {"id": 727}) == {"status": "kept"} and Order.objects.exists()
    assert sweep_deliveries(now=NOW, answer=answer_shop) == 0
    row = ShopDelivery.objects.get(topic="order.deleted")
    assert (row.status, row.reason, row.body) == ("ignored", "still_there", "") and Order.objects.get() == order

    woo_server.orders.clear()
    assert tell(woo, "order.deleted", {"id": 727}) == {"status": "kept"}, "the same words, and true now"
    assert tell(woo, "order.deleted", {"id": 727}) == {"status": "seen"}
    assert sweep_deliveries(now=NOW, answer=answer_shop) == 1 and not Order.objects.exists()


def test_one_number_may_be_that_of_a_customer_an_order_and_a_product(woo_server: ShopServer) -> None:
    woo = connect_woo(woo_server)
    woo_server.products.clear()
    for topic in ("product.deleted", "customer.deleted", "order.deleted"):
        for number in (25, 93, 727):
            assert tell(woo, topic, {"id": number}) == {"status": "kept"}
    sweep_deliveries(now=NOW, answer=answer_shop)
    assert Product.objects.get(sku="MUG").stock == 0
    assert Order.objects.exists() and not PrivacyRequest.objects.exists(), "those are still in the shop"
    woo_server.customers.clear()
    tell(woo, "customer.deleted", {"id": 25})
    sweep_deliveries(now=NOW, answer=answer_shop)
    assert PrivacyRequest.objects.get().kind == "erasure"


@pytest.mark.parametrize("harm", ["500", "429", "cut", "nonsense", "unauthorized"])
def test_a_shop_that_does_not_say_deletes_nothing(woo_server: ShopServer, harm: str) -> None:
    woo = connect_woo(woo_server)
    woo_server.orders.clear()
    woo_server.harm_of_questions = harm
    tell(woo, "order.deleted", {"id": 727})
    assert sweep_deliveries(now=NOW, answer=answer_shop) == 0 and Order.objects.exists()
    row = ShopDelivery.objects.get(topic="order.deleted")
    assert row.status == "failed" and row.reason.startswith("unproven:") and row.next_at is not None
    assert "did not say: " in explain(row) and "unproven" not in explain(row)
    woo_server.harm_of_questions = ""
    assert sweep_deliveries(now=row.next_at, answer=answer_shop) == 1 and not Order.objects.exists()


def test_nobody_is_at_another_address_or_behind_a_shop_that_was_disconnected(shop: ShopConnection) -> None:
    body = dump(ORDER)
    headers = shopify_headers("orders/create", body)
    assert (
        CALLER.post("/hooks/shops/nowhere/", body, content_type="application/json", headers=headers).status_code == 404
    )
    ShopConnection.objects.update(status="ended")
    assert post(shop, body, headers).status_code == 404


# --- nothing is lost ---------------------------------------------------------------------------------------------------------


def test_a_webhook_that_cannot_be_applied_now_is_applied_by_the_sweep(shop: ShopConnection) -> None:
    with patch("customers.views.shop_hooks.apply_delivery", side_effect=RuntimeError("the worker fell over")):
        assert tell(shop, "orders/create", ORDER) == {"status": "kept"}
    assert ShopDelivery.objects.get().body and not Order.objects.exists()
    assert sweep_deliveries(now=NOW, answer=answer_shop) == 1
    assert Order.objects.exists() and sweep_deliveries(now=NOW, answer=answer_shop) == 0


def test_what_can_never_be_read_says_why_and_is_not_tried_for_ever(shop: ShopConnection) -> None:
    tell(shop, "orders/create", change(ORDER, total_price="a lot"))
    row = ShopDelivery.objects.get()
    assert (row.status, row.reason, row.next_at) == ("failed", "total_price is no amount", None)
    assert row.body


def test_a_refund_whose_order_names_nobody_does_not_stay_among_the_failures(shop: ShopConnection) -> None:
    """A till sells to nobody in particular. An order brings its refunds with it, so nothing is lost."""
    tell(shop, "orders/create", change(ORDER, customer=None, email=None, contact_email=None))
    tell(shop, "refunds/create", REFUND)
    now = NOW
    for minutes in PAUSES_MIN:
        now += dt.timedelta(minutes=minutes + 1)
        sweep_deliveries(now=now, answer=answer_shop)
    row = ShopDelivery.objects.get(topic="refunds/create")
    assert (row.status, row.reason, row.body, row.next_at) == ("ignored", "order_never_came", "", None)
    tell(shop, "orders/updated", change(ORDER, refunds=[REFUND], updated_at="2026-09-14T12:59:00+01:00"))
    assert Order.objects.filter(is_return=True).count() == 1


def test_an_order_in_no_currency_is_a_failure_with_a_reason(shop: ShopConnection) -> None:
    tell(shop, "orders/create", change(ORDER, currency="XXZ"))
    assert ShopDelivery.objects.get().reason == "XXZ is no ISO currency" and not Order.objects.exists()


def test_old_rows_are_forgotten_and_waiting_ones_are_not(shop: ShopConnection, settings: Settings) -> None:
    tell(shop, "orders/create", ORDER)
    ShopDelivery.objects.create(connection=shop, digest="1", received_at=NOW, status="waiting", next_at=NOW)
    later = NOW + dt.timedelta(days=settings.SHOP_DELIVERY_DAYS + 1)
    assert forget_deliveries(later) == 1
    assert ShopDelivery.objects.get().status == "waiting"


def test_an_erasure_empties_what_is_kept_of_a_webhook_that_failed(shop: ShopConnection) -> None:
    tell(shop, "customers/create", CUSTOMER)
    tell(shop, "orders/create", change(ORDER, total_price="a lot"))
    assert "mei.lin@mail.test" in ShopDelivery.objects.get(status="failed").body
    erase_customer(Customer.objects.get(), actor=None, reason="asked", now=NOW)
    assert {row.body for row in ShopDelivery.objects.all()} == {""}


# --- keys --------------------------------------------------------------------------------------------------------------------


def test_keys_are_not_to_be_read_in_the_database(shop: ShopConnection) -> None:
    assert "hush" not in ShopConnection.objects.get().sealed_keys
    assert keys.open_keys(shop).secret == "hush-9f2c" and "hush" not in repr(keys.open_keys(shop))


def test_another_secret_key_opens_nothing_unless_the_old_one_is_kept(shop: ShopConnection, settings: Settings) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 10
    body = dump(ORDER)
    assert post(shop, body, shopify_headers("orders/create", body)).json()["reason"] == "lost_keys"  # type: ignore[attr-defined]
    settings.SECRET_KEY_FALLBACKS = [old]
    assert post(shop, body, shopify_headers("orders/create", body)).status_code == 200

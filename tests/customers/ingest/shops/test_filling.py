"""The back-fill against a real server that plays both APIs: it goes on where it stopped, and always comes to the same end."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from customers.ingest.shops import filling, shopify_api, woocommerce_api
from customers.ingest.shops.addresses import BadAddress, read_address
from customers.ingest.shops.applying import Applied, apply_told
from customers.ingest.shops.asking import ShopTrouble
from customers.ingest.shops.deliveries import translate
from customers.ingest.shops.doors import make_hooks, open_shop, try_shop
from customers.ingest.shops.filling import begin_fill, due_fills, pause_fill, resume_fill, run_fill
from customers.ingest.shops.keys import ShopKeys, keep_keys
from customers.ingest.shops.reasons import explain_trouble
from customers.ingest.shops.woocommerce_api import WooCommerceApi
from customers.models import ConsentRecord, Customer, Order, OrderLine, Product, ShopConnection, ShopDelivery
from customers.models.consent import forgetting
from tests.shop_server import (
    CLIENT_SECRET,
    CONSUMER_SECRET,
    KEY,
    TOKEN,
    ShopServer,
    stock_shopify,
    stock_woocommerce,
)

from .payloads import NOW, make_shop

pytestmark = pytest.mark.django_db
Rest = list[float]


class Died(BaseException):
    """The worker's process ends here."""


@pytest.fixture(autouse=True)
def local_shops(settings: Settings) -> None:
    settings.SHOPS_MAY_BE_LOCAL = True


@pytest.fixture
def server() -> Iterator[ShopServer]:
    with ShopServer() as running:
        yield running


def connect(server: ShopServer, kind: str = "shopify", **keys: str) -> ShopConnection:
    given = {"token": TOKEN} if kind == "shopify" else {"key": KEY, "token": CONSUMER_SECRET}
    shop = make_shop(kind, address=server.address)
    keep_keys(shop, ShopKeys(**{"secret": "s", **(keys or given)}))
    shop.save()
    return shop


class Worker:
    """Runs the back-fill with a clock of its own, and sweeps until nothing is due any more."""

    def __init__(self, shop: ShopConnection) -> None:
        self.shop, self.now, self.rests = shop, NOW, Rest()

    def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.now += dt.timedelta(seconds=seconds)

    def run(self) -> bool:
        return run_fill(self.shop.pk, clock=lambda: self.now, sleep=self.rest)

    def finish(self, most: int = 40) -> None:
        for _turn in range(most):
            if self.run():
                return
            self.shop.refresh_from_db()
            if not self.shop.is_filling:
                return
            self.now = max(self.now + dt.timedelta(seconds=1), self.shop.fill_next_at or self.now)
        raise AssertionError("it does not come to an end")


def picture() -> dict[str, Any]:
    """The end state, without numbers of ours."""
    return {
        "customers": sorted(Customer.objects.values_list("source", "external_id", "email", "first_name", "country")),
        "orders": sorted(
            Order.objects.values_list("external_id", "total", "customer__external_id", "is_return", "ordered_at")
        ),
        "lines": sorted(
            OrderLine.objects.values_list("order__external_id", "position", "product__sku", "quantity", "unit_price"),
            key=str,
        ),
        "products": sorted(Product.objects.values_list("sku", "name", "price", "stock", "url"), key=str),
        "consents": sorted(ConsentRecord.objects.values_list("customer__external_id", "status", "recorded_at")),
    }


def fill(server: ShopServer, kind: str = "shopify") -> tuple[ShopConnection, Worker]:
    shop = connect(server, kind)
    assert begin_fill(shop, now=NOW)
    worker = Worker(shop)
    worker.finish()
    shop.refresh_from_db()
    return shop, worker


def test_everything_a_shopify_shop_has_is_here(server: ShopServer) -> None:
    stock_shopify(server)
    shop, _worker = fill(server)
    assert (shop.fill_status, shop.fill_counts) == ("done", {"customers": 7, "products": 3, "orders": 9})
    assert shop.fill_totals == shop.fill_counts and shop.filled_at is not None
    assert Customer.objects.count() == 8, "seven with an account and a guest"
    assert Order.objects.filter(is_return=False).count() == 9 and Order.objects.filter(is_return=True).count() == 3
    assert ConsentRecord.objects.count() == 4
    assert str(Product.objects.get(sku="W2").price) == "2.50"
    assert {str(total) for total in Order.objects.filter(is_return=False).values_list("total", flat=True)} == {"19.00"}


def test_everything_a_woocommerce_shop_has_is_here(server: ShopServer) -> None:
    stock_woocommerce(server)
    shop, _worker = fill(server, "woocommerce")
    assert shop.fill_status == "done" and shop.fill_totals == {"customers": 230, "products": 1, "orders": 250}
    assert Customer.objects.count() == 230 and Order.objects.count() == 250
    assert Product.objects.get(sku="MUG-2").name == "Mug – blue"
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
def test_again_changes_nothing(server: ShopServer, kind: str) -> None:
    (stock_shopify if kind == "shopify" else stock_woocommerce)(server)
    shop, _worker = fill(server, kind)
    before = picture()
    assert begin_fill(shop, now=NOW)
    Worker(shop).finish()
    assert picture() == before


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
def test_a_worker_that_is_killed_at_any_page_leaves_the_same_end(
    server: ShopServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shopify_api, "SIZES", {"customers": 3, "products": 2, "orders": 2})
    (stock_shopify if kind == "shopify" else stock_woocommerce)(server)
    shop, _worker = fill(server, kind)
    wanted, pages = picture(), server.pages
    with transaction.atomic(), forgetting():
        for table in (Order, Customer, Product):
            table._default_manager.all().delete()
    shop.things.all().delete()
    server.pages = 0
    assert begin_fill(shop, now=NOW)
    worker, deaths = Worker(shop), 0
    shop.refresh_from_db()
    while shop.fill_status != "done":
        for place in ("before", "after", "later"):  # nothing written; written and not committed; one page further
            monkeypatch.setattr(filling, "apply_told", _deadly(place))
            with contextlib.suppress(Died):
                worker.run()
                break
            deaths += 1
            ShopConnection.objects.update(fill_lease_until=worker.now + filling.LEASE)  # as a killed worker leaves it
            assert not worker.run(), "its lease is not over yet"
            worker.now += filling.LEASE + dt.timedelta(seconds=1)
        shop.refresh_from_db()
    assert deaths >= pages
    assert picture() == wanted


def _deadly(place: str) -> Any:
    """`apply_told` in a worker that dies at its first page ("later": at its second)."""
    calls = []

    def apply(*args: Any, **options: Any) -> Applied:
        calls.append(1)
        if place == "before":
            raise Died
        done = apply_told(*args, **options)
        if place == "after" or len(calls) > 1:
            raise Died
        return done

    return apply


@pytest.mark.parametrize("harm", ["429", "500", "503", "cut", "nonsense", "empty", "throttled"])
def test_whatever_goes_wrong_on_the_way_it_comes_to_the_same_end(
    server: ShopServer, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shopify_api, "SIZES", {"customers": 3, "products": 2, "orders": 4})
    stock_shopify(server)
    server.harms = {1: harm, 4: harm, 6: harm, 9: harm}
    shop, _worker = fill(server)
    assert shop.fill_status == "done" and shop.fill_error == ""
    assert (Customer.objects.count(), Order.objects.count(), Product.objects.count()) == (8, 12, 3)


@pytest.mark.parametrize("harm", ["429", "500", "cut", "nonsense"])
def test_woocommerce_may_fail_as_well(server: ShopServer, harm: str) -> None:
    stock_woocommerce(server)
    server.harms = {2: harm, 5: harm}
    shop, worker = fill(server, "woocommerce")
    assert shop.fill_status == "done" and Customer.objects.count() == 230 and Order.objects.count() == 250
    if harm == "429":
        assert worker.now >= NOW + dt.timedelta(seconds=14), "twice the 7 seconds that it asked for"


def test_a_shop_that_never_works_again_is_given_up_with_its_reason(server: ShopServer) -> None:
    stock_shopify(server)
    server.harms = dict.fromkeys(range(1, 99), "500")
    shop, _worker = fill(server)
    assert shop.fill_status == "failed" and "fault of its own (500)" in explain_trouble(shop.fill_error)
    server.harms = {}
    assert resume_fill(shop)
    Worker(shop).finish()
    assert Order.objects.filter(is_return=False).count() == 9


def test_refused_keys_are_said_at_once(server: ShopServer) -> None:
    stock_shopify(server)
    server.harms = {2: "unauthorized"}
    shop, worker = fill(server)
    assert (shop.fill_status, shop.fill_error, worker.rests) == ("failed", "keys_refused", [])


@pytest.mark.parametrize("harm", ["moved", "moved_nowhere"])
@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
def test_a_shop_that_leads_elsewhere_is_not_followed_and_said_at_once(server: ShopServer, kind: str, harm: str) -> None:
    stock_shopify(server) if kind == "shopify" else stock_woocommerce(server)
    server.harms = {2: harm}
    shop, worker = fill(server, kind)
    assert (shop.fill_status, shop.fill_error, worker.rests, server.pages) == ("failed", "no_api:302", [], 2)


def test_the_bucket_of_shopify_is_not_run_dry(server: ShopServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 points are asked for, 100 are left, 100 come back each second: two seconds before the next page."""
    monkeypatch.setattr(shopify_api, "SIZES", {"customers": 3, "products": 3, "orders": 9})
    stock_shopify(server)
    server.available = 100.0
    _shop, worker = fill(server)
    assert worker.rests == [2.0] * len(worker.rests) and len(worker.rests) >= 4


def test_a_query_that_costs_too_much_is_asked_in_smaller_pieces(server: ShopServer) -> None:
    stock_shopify(server)
    server.harms = {1: "costly"}
    shop, _worker = fill(server)
    assert shop.fill_status == "done" and Customer.objects.count() == 8
    assert "customers@0+3" in server.asked


def test_a_long_cursor_is_begun_anew_at_a_time(server: ShopServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shopify_api, "SIZES", {"customers": 2, "products": 2, "orders": 2})
    monkeypatch.setattr(shopify_api, "LONGEST_CURSOR", 4)
    stock_shopify(server, people=11)
    fill(server)
    assert Customer.objects.count() == 12
    assert max(int(one.partition("@")[2].partition("+")[0]) for one in server.asked if one.startswith("customers")) < 4


def test_an_order_of_80_lines_has_80_lines(server: ShopServer) -> None:
    stock_shopify(server)
    long = [
        {**server.orders[0]["lineItems"][0], "id": f"gid://shopify/LineItem/9{n}", "quantity": 1} for n in range(80)
    ]
    server.orders[0]["lineItems"] = long
    fill(server)
    assert OrderLine.objects.filter(order__external_id="1", product__isnull=False).count() == 80


def test_what_is_deleted_while_woocommerce_is_read_costs_nobody_else(server: ShopServer) -> None:
    """Page 1 is read, then customer 50 is deleted: customer 101 moves into the range of page 1."""
    stock_woocommerce(server)

    def delete(page: int) -> None:
        if page == 2:
            server.customers = [one for one in server.customers if one["id"] != 50]

    server.before_page = delete
    fill(server, "woocommerce")
    assert set(Customer.objects.values_list("external_id", flat=True)) == {str(n) for n in range(1, 231)}


def test_one_broken_order_does_not_hold_up_the_others(server: ShopServer) -> None:
    stock_woocommerce(server, people=5, orders=6)
    server.orders[2]["total"] = "a lot"
    shop, _worker = fill(server, "woocommerce")
    assert shop.fill_status == "done" and Order.objects.count() == 5
    broken = ShopDelivery.objects.get()
    assert (broken.status, broken.reason, broken.topic) == ("failed", "total is no amount", "order.updated")


def test_a_newer_word_of_a_webhook_stays(server: ShopServer) -> None:
    stock_woocommerce(server, people=2, orders=1)
    shop = connect(server, "woocommerce")
    newer = {**server.customers[0], "first_name": "Newer", "date_modified_gmt": "2026-09-01T00:00:00"}
    apply_told(translate(shop, "customer.updated", json.dumps(newer)), shop, now=NOW)
    assert begin_fill(shop, now=NOW)
    Worker(shop).finish()
    assert Customer.objects.get(external_id="1").first_name == "Newer"


def test_a_person_may_pause_and_go_on(server: ShopServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shopify_api, "SIZES", {"customers": 3, "products": 2, "orders": 2})
    stock_shopify(server)
    shop = connect(server)
    assert begin_fill(shop, now=NOW) and not begin_fill(shop, now=NOW)
    server.available = 100.0  # so that there is a rest after each page, in which somebody pauses it
    worker = Worker(shop)
    assert not run_fill(shop.pk, clock=lambda: NOW, sleep=lambda _seconds: pause_fill(shop) and None)
    shop.refresh_from_db()
    assert (shop.fill_status, shop.fill_counts) == ("paused", {"customers": 3})
    assert due_fills(NOW + dt.timedelta(days=1)) == []
    assert resume_fill(shop) and not resume_fill(shop)
    assert due_fills(NOW) == [shop.pk]
    worker.finish()
    assert Customer.objects.count() == 8


def test_a_second_worker_does_nothing_while_the_first_is_at_it(server: ShopServer) -> None:
    stock_shopify(server)
    shop = connect(server)
    begin_fill(shop, now=NOW)
    ShopConnection.objects.update(fill_status="running", fill_lease_until=NOW + dt.timedelta(minutes=5))
    assert due_fills(NOW) == [] and not run_fill(shop.pk, clock=lambda: NOW)
    assert server.asked == []
    assert due_fills(NOW + dt.timedelta(minutes=6)) == [shop.pk]


def test_a_worker_leaves_after_its_turn_so_that_others_get_theirs(
    server: ShopServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shopify_api, "SIZES", {"customers": 1, "products": 1, "orders": 1})
    stock_shopify(server)
    server.available = 200.0  # a second of rest after each page
    monkeypatch.setattr(filling, "TURN", dt.timedelta(seconds=3))
    shop = connect(server)
    begin_fill(shop, now=NOW)
    worker = Worker(shop)
    assert not worker.run() and server.pages == 3
    assert due_fills(worker.now) == [shop.pk]
    worker.finish()
    assert Order.objects.filter(is_return=False).count() == 9


def test_what_came_too_late_by_webhook_is_fetched(server: ShopServer) -> None:
    stock_shopify(server)
    shop = connect(server)
    ShopConnection.objects.update(catch_up_from=dt.datetime(2026, 3, 6, tzinfo=dt.UTC))
    assert due_fills(NOW) == [shop.pk]
    Worker(shop).finish()
    shop.refresh_from_db()
    assert shop.catch_up_from is None and shop.fill_status == "done" and shop.filled_at is None
    assert set(Order.objects.filter(is_return=False).values_list("external_id", flat=True)) == {"5", "6", "7", "8", "9"}


def test_what_comes_too_late_while_the_fetching_is_asked_for_is_fetched_as_well(
    server: ShopServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = connect(server)
    first, earlier = (dt.datetime(2026, 3, day, tzinfo=dt.UTC) for day in (6, 2))
    ShopConnection.objects.update(catch_up_from=first)
    begin = filling._begin

    def begin_a_moment_later(*given: Any, **named: Any) -> bool:
        ShopConnection.objects.update(catch_up_from=earlier)
        return begin(*given, **named)

    monkeypatch.setattr(filling, "_begin", begin_a_moment_later)
    due_fills(NOW)
    shop.refresh_from_db()
    assert (shop.fill_since, shop.catch_up_from) == (earlier, None)


# --- the test of a connection, and its webhooks --------------------------------------------------------------------------------


def test_a_test_finds_name_currency_and_missing_rights(server: ShopServer) -> None:
    shop = connect(server)
    ShopConnection.objects.update(status="setting_up", currency="")
    shop.refresh_from_db()
    found = try_shop(shop, now=NOW)
    assert found is not None and found.name == "Tarnside"
    shop.refresh_from_db()
    assert (shop.status, shop.currency, shop.public_url) == ("connected", "GBP", "https://tarnside.test")
    server.scopes = ["read_customers", "write_products"]
    assert try_shop(shop, now=NOW) is None
    assert explain_trouble(shop.test_error) == "The keys lack a right: read_orders"


def test_a_client_id_and_its_secret_are_exchanged_for_a_token(server: ShopServer) -> None:
    assert try_shop(connect(server, key="client", secret=CLIENT_SECRET), now=NOW) is not None


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
def test_wrong_keys_are_said_in_words(server: ShopServer, kind: str) -> None:
    shop = connect(server, kind, key="wrong", token="wrong")
    assert try_shop(shop, now=NOW) is None
    assert explain_trouble(shop.test_error).startswith("The shop refused the keys.")


def test_a_host_that_keeps_the_header_from_the_shop_gets_the_keys_in_the_address(
    server: ShopServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    logging.getLogger("urllib3").setLevel("WARNING")  # as LOGGING has it
    stock_woocommerce(server)
    server.drops_header = True
    server.harms = {2: "cut"}
    shop, _worker = fill(server, "woocommerce")
    assert shop.fill_status == "done" and Order.objects.count() == 250
    assert server.refusals < 5, "once in a session"
    assert len(make_hooks(shop, now=NOW) or []) == 11
    assert CONSUMER_SECRET not in caplog.text and KEY not in caplog.text


def test_keys_that_the_shop_has_read_and_refused_are_not_put_into_the_address(
    server: ShopServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert try_shop(connect(server, "woocommerce", key=KEY, token="cs_old"), now=NOW) is None
    server.drops_header = True
    monkeypatch.setattr(woocommerce_api, "is_local", lambda _address: False)
    with pytest.raises(ShopTrouble):  # nor where the address is no https
        WooCommerceApi(server.address, ShopKeys(key=KEY, token=CONSUMER_SECRET)).count("orders")
    assert not any("consumer" in path for path in server.seen)


def test_a_trouble_says_nothing_of_the_keys_in_the_address(server: ShopServer) -> None:
    server.drops_header = True
    api = WooCommerceApi(server.address, ShopKeys(key=KEY, token=CONSUMER_SECRET))
    assert api.count("orders") == 0
    server.harm_of_questions = "cut"
    with pytest.raises(ShopTrouble) as caught:
        api.count("orders")
    assert CONSUMER_SECRET not in "".join(traceback.format_exception(caught.value))


def test_no_keys_and_no_shop_are_said_in_words(server: ShopServer) -> None:
    shop = make_shop(address="http://127.0.0.1:9")
    assert try_shop(shop, now=NOW) is None and shop.test_error == "unreachable"
    shop.sealed_keys = ""
    assert try_shop(shop, now=NOW) is None and shop.test_error == "no_keys"


@pytest.mark.parametrize(("kind", "count"), [("shopify", 18), ("woocommerce", 11)])
def test_webhooks_are_made_once(server: ShopServer, kind: str, count: int) -> None:
    shop = connect(server, kind)
    assert len(make_hooks(shop, now=NOW) or []) == count
    assert make_hooks(shop, now=NOW) == [] and len(server.hooks) == count
    addresses = {hook.get("uri") or hook.get("delivery_url") for hook in server.hooks}
    assert addresses == {f"http://127.0.0.1:8000/hooks/shops/{shop.hook_token}/"}


def test_merges_are_told_where_the_app_has_the_right(server: ShopServer) -> None:
    shop = connect(server)
    make_hooks(shop, now=NOW)
    server.scopes.append("read_customer_merge")
    assert make_hooks(shop, now=NOW) == ["CUSTOMERS_MERGE"] and make_hooks(shop, now=NOW) == []


# --- whom we talk to ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "address"),
    [
        ("shopify", "Tarnside", "https://tarnside.myshopify.com"),
        ("shopify", "https://tarnside.myshopify.com/", "https://tarnside.myshopify.com"),
        ("shopify", "https://admin.shopify.com/store/tarnside/products", "https://tarnside.myshopify.com"),
        ("woocommerce", "shop.example/store/", "https://shop.example/store"),
    ],
)
def test_addresses_are_read_as_people_write_them(kind: str, text: str, address: str) -> None:
    assert read_address(kind, text) == address


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("shopify", "https://evil.example"), ("shopify", "tarnside.myshopify.com.evil.example"), ("shopify", "http://127.0.0.1"),
        ("shopify", "tarnside.myshopify.com@evil.example"), ("woocommerce", "http://shop.example"),
        ("woocommerce", "https://10.0.0.5"), ("woocommerce", "https://localhost"), ("woocommerce", "https://[::1]/"),
        ("woocommerce", "https://intranet"), ("woocommerce", "https://db.internal"), ("woocommerce", "https://u:p@shop.example"),
        ("woocommerce", "https://169.254.169.254/latest"), ("woocommerce", "https://shop.example/?x=1"), ("woocommerce", ""),
    ],
)  # fmt: skip
def test_addresses_inside_the_house_and_of_others_are_refused(kind: str, text: str, settings: Settings) -> None:
    settings.SHOPS_MAY_BE_LOCAL = False
    with pytest.raises(BadAddress):
        read_address(kind, text)


def test_a_name_that_leads_into_the_house_is_hung_up_on(server: ShopServer, settings: Settings) -> None:
    """The address was right when it was given; what it resolves to is another matter."""
    stock_shopify(server)
    shop = connect(server)
    settings.SHOPS_MAY_BE_LOCAL = False
    assert try_shop(shop, now=NOW) is None
    assert shop.test_error == "forbidden_peer" and server.asked == []


def test_a_session_says_nothing_of_its_keys(server: ShopServer) -> None:
    with open_shop(connect(server)) as api:
        assert TOKEN not in repr(api) and TOKEN not in repr(vars(api)["_keys"])

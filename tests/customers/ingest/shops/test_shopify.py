"""What Shopify's webhooks mean: people, sales with returns, products, carts and consent. Nothing is read or written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from customers.ingest.shops.shopify import TOPICS, translate
from customers.ingest.shops.told import ShopFacts, Told, ToldOrder, Untranslatable

from .payloads import CART, CHECKOUT, CUSTOMER, ORDER, PRODUCT, REFUND, change, line

SHOP = ShopFacts("tarnside", "Tarnside", "GBP", "https://tarnside.test")


def read(topic: str, payload: dict[str, Any]) -> Told:
    return translate(topic, payload, SHOP)


def totals(told: Told) -> dict[str, str]:
    return {order.id.replace(str(ORDER["id"]), "O"): str(order.total) for sale in told.sales for order in sale.orders}


def cancel(**fields: Any) -> Told:
    return read("orders/cancelled", change(ORDER, cancelled_at="2026-09-14T13:00:00Z", **fields))


def test_a_customer_has_name_address_number_and_country() -> None:
    told = read("customers/update", CUSTOMER)
    [person] = told.customers
    assert person.id == "706405506930370084"
    assert person.fields["email"] == "mei.lin@mail.test" and person.fields["country"] == "GB"
    assert person.fields["first_name"] == "Mei" and person.fields["phone"] == "020 7946 0958"


def test_what_a_payload_leaves_out_is_not_emptied() -> None:
    told = read("customers/update", change(CUSTOMER, phone=None, last_name=None, default_address=None))
    assert {"phone", "last_name", "country"}.isdisjoint(told.customers[0].fields)


def test_a_consent_is_taken_with_its_time_and_its_proof() -> None:
    [consent] = read("customers/create", CUSTOMER).consents
    assert (consent.channel, consent.is_given, consent.at.isoformat()) == ("email", True, "2026-09-01T09:00:00+00:00")
    assert consent.proof["opt_in_level"] == "confirmed_opt_in" and consent.proof["shop"] == "Tarnside"


@pytest.mark.parametrize(
    "said",
    [
        {"state": "subscribed", "opt_in_level": "unknown", "consent_updated_at": "2026-09-01T10:00:00Z"},
        {"state": "subscribed", "opt_in_level": None, "consent_updated_at": "2026-09-01T10:00:00Z"},
        {"state": "subscribed", "opt_in_level": "single_opt_in", "consent_updated_at": None},
        {"state": "pending", "opt_in_level": "single_opt_in", "consent_updated_at": "2026-09-01T10:00:00Z"},
        {"state": "not_subscribed", "opt_in_level": None, "consent_updated_at": None},
        None,
    ],
)
def test_what_proves_no_consent_is_none(said: dict[str, Any] | None) -> None:
    assert read("customers/create", change(CUSTOMER, email_marketing_consent=said)).consents == []


def test_who_unsubscribed_in_the_shop_has_withdrawn() -> None:
    payload = {
        "customer_id": 7, "email_address": "a@b.test",
        "email_marketing_consent": {"state": "unsubscribed", "consent_updated_at": "2026-09-02T10:00:00Z"},
    }  # fmt: skip
    [consent] = read("customers_email_marketing_consent/update", payload).consents
    assert (consent.customer, consent.channel, consent.is_given) == ("7", "email", False)


def test_an_order_adds_up_to_the_cent() -> None:
    told = read("orders/create", ORDER)
    [sale] = told.sales
    [order] = sale.orders
    assert order.total == Decimal("78.50") and order.discount == 10 and order.code == "TENOFF"
    assert [(one.sku, one.quantity, str(one.unit_price)) for one in order.lines] == [
        ("TENT-2", 1, "60.0000"), ("PEG-10", 3, "8.0000"), ("", 1, "4.5000"),
    ]  # fmt: skip
    assert told.customers[0].fields["language"] == "en-GB"
    assert {link.visitor for link in told.links} == {ORDER["cart_token"], ORDER["checkout_token"]}


def test_a_guest_is_known_by_the_address_and_nobody_by_none() -> None:
    guest = read("orders/create", change(ORDER, customer=None))
    again = read("orders/create", change(ORDER, id=1, admin_graphql_api_id="gid://shopify/Order/1", customer=None))
    assert guest.customers[0].id == again.customers[0].id and guest.customers[0].id.startswith("guest-")
    assert guest.sales[0].orders[0].customer == guest.customers[0].id
    nobody = read("orders/create", change(ORDER, customer=None, email=None, contact_email=None))
    assert nobody.ignored == "names_nobody" and not nobody.sales
    assert read("orders/create", change(ORDER, test=True)).ignored == "test_order"


def test_a_refund_is_a_return_of_what_was_paid_back() -> None:
    [sale] = read("refunds/create", REFUND).sales
    [back] = sale.orders
    assert back.is_return and back.total == Decimal("-14.00") and back.currency == "GBP"
    assert [(one.sku, one.quantity) for one in back.lines] == [("PEG-10", -2)]
    assert back.parent == str(ORDER["id"]) and back.customer == ""


def test_a_refund_of_postage_alone_has_a_line_without_a_ware() -> None:
    payload = change(
        REFUND, refund_line_items=[], transactions=[{"amount": "4.50", "kind": "refund", "status": "success"}]
    )
    back = read("refunds/create", payload).sales[0].orders[0]
    assert back.total == Decimal("-4.50") and [(one.sku, one.quantity) for one in back.lines] == [("", -1)]


def test_a_refund_that_failed_pays_nothing_back() -> None:
    payload = change(
        REFUND, refund_line_items=[], transactions=[{"amount": "4.50", "kind": "refund", "status": "failure"}]
    )
    assert read("refunds/create", payload).sales[0].orders == []


def bag(amount: str, paid: str) -> dict[str, Any]:
    """Money as Shopify gives it where the buyer pays in another currency than the shop's."""
    shop, buyer = {"amount": amount, "currency_code": "GBP"}, {"amount": paid, "currency_code": "CAD"}
    return {"shop_money": shop, "presentment_money": buyer}


ABROAD: dict[str, Any] = change(
    REFUND,
    total_duties_set=bag("0.00", "0.00"),
    transactions=[{"amount": "33.65", "currency": "CAD", "kind": "refund", "status": "success"}],
    refund_shipping_lines=[
        {"id": 7, "subtotal_amount_set": bag("4.00", "6.90"), "tax_amount_set": bag("0.80", "1.38")},
    ],
    order_adjustments=[{"id": 8, "amount_set": bag("0.30", "0.52"), "tax_amount_set": bag("0.00", "0.00")}],
    refund_line_items=[{**REFUND["refund_line_items"][0], "subtotal_set": bag("14.00", "24.15")}],
)


def test_what_was_paid_back_in_the_buyers_currency_is_counted_in_the_shops() -> None:
    [back] = read("refunds/create", ABROAD).sales[0].orders
    assert (back.currency, back.total) == ("GBP", Decimal("-18.50")), "14.00 + 4.80 of postage - 0.30 that was kept"
    assert {one.sku: one.quantity for one in back.lines} == {"PEG-10": -2, "": -1}
    told = read("orders/updated", change(ORDER, refunds=[ABROAD]))
    assert totals(told) == {"O": "78.50", "O:refund:509562969": "-18.50"}


def test_an_order_paid_in_another_currency_adds_up_in_the_shops() -> None:
    wares = [{**one, "price_set": bag(one["price"], "99.00")} for one in ORDER["line_items"]]
    told = read("orders/create", change(ORDER, total_price_set=bag("78.50", "135.40"), line_items=wares))
    assert totals(told) == {"O": "78.50"} and told.sales[0].orders[0].currency == "GBP"


@pytest.mark.parametrize("kind", ["shipping_refund", ""])
def test_postage_that_is_not_paid_back_yet_is_counted_once(kind: str) -> None:
    """Since 2024-10 it has a list of its own; before, and in the change, it is an adjustment as well."""
    adjusted = [{"kind": kind, "amount": "-4.50", "tax_amount": "0.00"}] if kind else []
    payload = change(
        REFUND, transactions=[], refund_line_items=[], order_adjustments=adjusted,
        refund_shipping_lines=[{"subtotal_amount_set": bag("4.50", "4.50")}],
    )  # fmt: skip
    assert read("refunds/create", payload).sales[0].orders[0].total == Decimal("-4.50")


def test_a_refund_of_the_test_mode_is_none() -> None:
    moved = [{**REFUND["transactions"][0], "test": True}]
    assert read("refunds/create", change(REFUND, transactions=moved)).ignored == "test_order"


@pytest.mark.parametrize(
    "more", [{"tax_exemptions": [], "admin_graphql_api_id": "gid://shopify/Customer/5"}, {"addresses": []}]
)
def test_a_customer_who_is_gone_is_known_by_what_their_version_of_the_api_says(more: dict[str, Any]) -> None:
    [asked] = read("customers/delete", {"id": 5, **more}).requests
    assert (asked.kind, asked.customer) == ("erasure", "5")


@pytest.mark.parametrize("status", ["failed", "in_progress", "requested", ""])
def test_a_merge_that_did_not_happen_is_none(status: str) -> None:
    assert read("customers/merge", change(PAYLOADS["customers/merge"], status=status)).ignored == "merge_not_done"
    [merge] = read("customers/merge", PAYLOADS["customers/merge"]).merges
    assert (merge.gone, merge.kept) == ("2", "1")


def test_a_cancellation_takes_back_what_no_refund_did() -> None:
    assert totals(cancel()) == {"O": "78.50", "O:cancelled": "-78.50"}
    part = cancel(refunds=[REFUND])
    assert totals(part) == {"O": "78.50", "O:refund:509562969": "-14.00", "O:cancelled": "-64.50"}
    rest = next(order for order in part.sales[0].orders if order.id.endswith("cancelled"))
    assert [(one.sku, one.quantity) for one in rest.lines if one.sku] == [("TENT-2", -1), ("PEG-10", -1)]


def test_a_cancellation_that_was_refunded_whole_leaves_nothing() -> None:
    everything = change(
        REFUND,
        transactions=[{"amount": "78.50", "kind": "refund", "status": "success"}],
        refund_line_items=[
            {"line_item_id": 1, "quantity": 1, "line_item": line(1, "TENT-2", 1, "60.00")},
            {"line_item_id": 2, "quantity": 3, "line_item": line(2, "PEG-10", 3, "8.00")},
        ],
    )
    told = cancel(refunds=[everything])
    assert totals(told) == {"O": "78.50", "O:refund:509562969": "-78.50"}
    assert told.sales[0].not_there == [f"{ORDER['id']}:cancelled"]


def test_an_order_that_was_never_paid_counts_only_if_it_was_known() -> None:
    assert cancel(financial_status="voided").sales[0].needs_known
    assert not cancel().sales[0].needs_known


def test_each_variant_is_an_article() -> None:
    [product] = read("products/update", PRODUCT).products
    first, second = product.rows
    assert (first["sku"], first["name"], first["price"]) == ("TENT-2", "Two-person tent – green", Decimal("189.0000"))
    assert (first["stock"], first["category"], first["brand"]) == (12, "Tents", "Tarnside")
    assert first["url"] == "https://tarnside.test/products/two-person-tent"
    assert second["sku"] == "tarnside-1002"


def test_what_is_not_on_sale_has_no_stock_and_no_page() -> None:
    row = read("products/update", change(PRODUCT, status="archived")).products[0].rows[0]
    assert (row["stock"], row["url"]) == (0, "")


def test_carts_and_checkouts_are_one_visitor() -> None:
    [cart], checkout = read("carts/update", CART).carts, read("checkouts/update", CHECKOUT)
    assert cart.visitor == checkout.carts[0].visitor == ORDER["cart_token"]
    assert (cart.customer, checkout.carts[0].customer) == ("", "706405506930370084")
    assert cart.properties["items"] == [{"sku": "TENT-2", "quantity": 1, "price": "60.0000"}]
    assert checkout.carts[0].properties["total"] == "60.0000"


PAYLOADS = {
    "customers/update": CUSTOMER,
    "customers/delete": {"id": 5, "tax_exemptions": [], "admin_graphql_api_id": "gid://shopify/Customer/5"},
    "customers/merge": {
        "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/1", "admin_graphql_api_job_id": None,
        "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/2", "status": "completed", "errors": [],
    },
    "orders/updated": ORDER,
    "orders/delete": {"id": 5},
    "refunds/create": REFUND,
    "products/update": PRODUCT,
    "products/delete": {"id": 5},
    "carts/update": CART,
    "checkouts/update": CHECKOUT,
    "customers/data_request": {
        "shop_id": 1, "shop_domain": "t.myshopify.com", "orders_requested": [], "customer": {"id": 5},
    },
    "customers/redact": {"shop_id": 1, "shop_domain": "t.myshopify.com", "orders_to_redact": [], "customer": {"id": 5}},
    "shop/redact": {"shop_id": 1, "shop_domain": "t.myshopify.com"},
}  # fmt: skip


@pytest.mark.parametrize("topic", sorted(PAYLOADS))
def test_a_payload_is_not_believed_under_another_topic(topic: str) -> None:
    """The topic is not signed. What is nothing but a number is the same for an order and a product that are gone."""
    read(topic, PAYLOADS[topic])
    alike = {"orders/delete": {"products/delete"}, "products/delete": {"orders/delete"}}
    same = {known for known in TOPICS if TOPICS[known] == TOPICS[topic]} | alike.get(topic, set())
    for other in sorted(set(TOPICS) - same):
        with pytest.raises(Untranslatable):
            read(other, PAYLOADS[topic])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("total_price", "a lot"), ("total_price", "NaN"), ("line_items", "none"), ("line_items", [1]), ("id", None),
        ("updated_at", "yesterday"), ("currency", "pounds"), ("customer", [1]), ("processed_at", "0001-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_nonsense_is_named(field: str, value: object) -> None:
    with pytest.raises(Untranslatable, match=field):
        read("orders/create", change(ORDER, **{field: value}))


@pytest.mark.parametrize("payload", [None, [], 5, "text", {"id": 1}])
def test_other_shapes_are_refused(payload: object) -> None:
    with pytest.raises(Untranslatable):
        translate("orders/create", payload, SHOP)


def test_a_return_never_has_a_negative_price() -> None:
    orders: list[ToldOrder] = [order for sale in cancel(refunds=[REFUND]).sales for order in sale.orders]
    assert all(one.unit_price >= 0 for order in orders for one in order.lines)

"""What Shopify's webhooks say. Pure: no framework.

The shapes are those of Shopify's webhook reference (shopify.dev/docs/api/webhooks, 2026-07), which are the resources of its
REST Admin API: Customer, Order, Refund, Product, Checkout; the three privacy webhooks are in "Privacy law compliance"
(shopify.dev/docs/apps/build/compliance/privacy-law-compliance). The topic travels in a header that nobody signs, so each
payload has to look like what its topic says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .shopify_sales import read_refund, read_sale, read_sku
from .told import (
    ShopFacts,
    Told,
    ToldCart,
    ToldConsent,
    ToldCustomer,
    ToldLink,
    ToldMerge,
    ToldProduct,
    ToldRequest,
    Untranslatable,
)
from .values import (
    name_article,
    name_guest,
    need_id,
    need_moment,
    shop_money,
    take_count,
    take_currency,
    take_email,
    take_id,
    take_list,
    take_locale,
    take_map,
    take_moment,
    take_money,
    take_numbers,
    take_text,
)

Payload = Mapping[str, Any]
#: Levels that say that the person did something themselves (M3AAWG); "unknown" proves nothing.
PROVEN_LEVELS: Final = frozenset({"single_opt_in", "confirmed_opt_in"})
WITHDRAWN: Final = frozenset({"unsubscribed", "redacted", "invalid"})


@dataclass(frozen=True)
class Topic:
    """How a topic is read, what its payload must and must not have, and whether an old one may still be taken.

    `has_one_of`: names of which one at least is there; which one depends on the version of Shopify's API.

    `is_safe_late`: it overwrites nothing (an event, a request that a person decides on, a thing that is gone).
    """

    read: Callable[[Payload, ShopFacts], Told]
    kind: str
    needs: frozenset[str]
    lacks: frozenset[str] = frozenset()
    is_safe_late: bool = False
    has_one_of: frozenset[str] = frozenset()


def translate(topic: str, payload: Any, shop: ShopFacts) -> Told:
    """What a webhook says. Raises Untranslatable for another shape than the topic's; an unknown topic is ignored."""
    known = TOPICS.get(topic)
    if known is None:
        return Told(ignored="unused_topic")
    given = take_map(payload)
    gid = take_text(given, "admin_graphql_api_id")
    looks_right = known.needs <= given.keys() and not known.lacks & given.keys()
    looks_right &= not known.has_one_of or bool(known.has_one_of & given.keys())
    if not looks_right or (gid and not gid.startswith(f"gid://shopify/{known.kind}/")):
        raise Untranslatable(f"the payload is not one of {topic}")
    return known.read(given, shop)


def is_safe_late(topic: str) -> bool:
    known = TOPICS.get(topic)
    return known is None or known.is_safe_late


def read_customer(given: Payload, shop: ShopFacts) -> Told:
    """Customer, with what it says of consent."""
    person = ToldCustomer(need_id(given), take_moment(given, "updated_at"), _read_person(given))
    return Told(customers=[person], consents=read_consents(person.id, given, shop))


def read_consents(customer: str, given: Payload, shop: ShopFacts) -> list[ToldConsent]:
    """email_marketing_consent and sms_marketing_consent, where they prove something: state, level and time."""
    found = []
    for channel, name in (("email", "email_marketing_consent"), ("sms", "sms_marketing_consent")):
        said = take_map(given, name)
        state, level = take_text(said, "state").lower(), take_text(said, "opt_in_level").lower()
        at = take_moment(said, "consent_updated_at")
        is_given = state == "subscribed" and level in PROVEN_LEVELS and at is not None
        if not is_given and state not in WITHDRAWN:
            continue
        at = at or take_moment(given, "updated_at")
        if at is None:
            continue
        proof = {"shop": shop.name, "state": state, "opt_in_level": level, "consent_updated_at": at.isoformat()}
        if collected := take_text(said, "consent_collected_from", 40):
            proof["collected_from"] = collected
        found.append(ToldConsent(customer, channel, is_given, at, proof))
    return found


def _read_person(given: Payload) -> dict[str, Any]:
    """Columns of ours; what is null in the payload is not said, so that a thinner copy does not empty a fuller one."""
    address = take_map(given, "default_address")
    fields: dict[str, Any] = {
        "email": take_email(given),
        "first_name": take_text(given, "first_name", 120) or take_text(address, "first_name", 120),
        "last_name": take_text(given, "last_name", 120) or take_text(address, "last_name", 120),
        "phone": take_text(given, "phone", 60) or take_text(address, "phone", 60),
        "country": take_text(address, "country_code", 2).upper() or take_text(address, "country", 80),
        "joined_at": take_moment(given, "created_at"),
    }
    return {name: value for name, value in fields.items() if value}


def _read_customer_deletion(given: Payload, _shop: ShopFacts) -> Told:
    return Told(requests=[ToldRequest("erasure", need_id(given))])


def _read_merge(given: Payload, _shop: ShopFacts) -> Told:
    """customers/merge: ids of GraphQL, and how it ended. A merge that failed or is under way changes nobody."""
    if take_text(given, "status").lower() != "completed":
        return Told(ignored="merge_not_done")
    names = ("admin_graphql_api_customer_deleted_id", "admin_graphql_api_customer_kept_id")
    gone, kept = (need_id(given, name).rpartition("/")[2] for name in names)
    return Told(merges=[ToldMerge(gone, kept)])


def _read_email_consent(given: Payload, shop: ShopFacts) -> Told:
    """customers_email_marketing_consent/update: customer_id, email_address, email_marketing_consent."""
    return Told(consents=read_consents(need_id(given, "customer_id"), given, shop))


def _read_sms_consent(given: Payload, shop: ShopFacts) -> Told:
    """customers_marketing_consent/update: id, phone, sms_marketing_consent."""
    return Told(consents=read_consents(need_id(given), given, shop))


def read_order(given: Payload, shop: ShopFacts) -> Told:
    """Order: the sale, who bought (embedded Customer, else a guest by the address), and whose cart it was."""
    if given.get("test") is True:
        return Told(ignored="test_order")
    told = Told()
    customer = take_id(take_map(given, "customer"))
    email = take_email(given, "email") or take_email(given, "contact_email")
    if customer:
        told.add(read_customer(take_map(given, "customer"), shop))
    elif email:
        customer = name_guest(email)
        billing = {**take_map(given, "billing_address"), "email": email}
        told.customers.append(ToldCustomer(customer, take_moment(given, "updated_at"), _read_guest(billing)))
    else:
        return Told(ignored="names_nobody")
    _note_language(told, customer, take_locale(given, "customer_locale"))
    told.sales.append(read_sale(given, customer, shop))
    visitors = {take_text(given, name, 100) for name in ("cart_token", "checkout_token")} - {""}
    told.links = [ToldLink(visitor, customer) for visitor in sorted(visitors)]
    return told


def _read_guest(given: Payload) -> dict[str, Any]:
    return _read_person({**given, "default_address": given})


def _note_language(told: Told, customer: str, language: str) -> None:
    if language:
        told.customers = [
            ToldCustomer(one.id, one.changed_at, {**one.fields, "language": language}) if one.id == customer else one
            for one in told.customers
        ]


def _read_order_deletion(given: Payload, _shop: ShopFacts) -> Told:
    return Told(gone_orders=[need_id(given)])


def _read_refund(given: Payload, shop: ShopFacts) -> Told:
    moved = take_list(given, "transactions")
    if moved and all(one.get("test") is True for one in moved):
        return Told(ignored="test_order")
    return Told(sales=[read_refund(given, shop.source)])


def read_product(given: Payload, shop: ShopFacts) -> Told:
    """Product: one article of ours per variant. What is not on sale (draft, archived) has no stock and no page."""
    number, title = need_id(given), take_text(given, "title")
    is_on_sale = take_text(given, "status") in {"", "active"}
    handle = take_text(given, "handle")
    url = take_text(given, "online_store_url", 500) or (f"{shop.public_url}/products/{handle}" if handle else "")
    rows = []
    for variant in take_list(given, "variants"):
        option = take_text(variant, "title")
        rows.append(
            {
                "sku": take_text(variant, "sku", 80) or name_article(shop.source, need_id(variant)),
                "name": title if option in {"", "Default Title"} else f"{title} – {option}"[:250],
                "category": take_text(given, "product_type", 120),
                "brand": take_text(given, "vendor", 120),
                "price": take_money(variant, "price"),
                "currency": shop.currency,
                "stock": take_count(variant, "inventory_quantity") if is_on_sale else 0,
                "url": url if is_on_sale else "",
            }
        )
    return Told(products=[ToldProduct(number, take_moment(given, "updated_at"), rows)])


def _read_product_deletion(given: Payload, _shop: ShopFacts) -> Told:
    return Told(products=[ToldProduct(need_id(given), None, [])])


def _read_cart(given: Payload, shop: ShopFacts) -> Told:
    """carts/create and /update: token, line_items, updated_at. A cart names nobody; its checkout does."""
    token = take_text(given, "token", 100) or need_id(given)
    at = need_moment(given, "updated_at", "created_at")
    return Told(carts=[ToldCart(token, token, "", at, _read_items(given, shop, "cart updated"))])


def _read_checkout(given: Payload, shop: ShopFacts) -> Told:
    """checkouts/create and /update: token, cart_token, email, customer, line_items, total_price, abandoned_checkout_url."""
    token = take_text(given, "token", 100) or need_id(given)
    visitor = take_text(given, "cart_token", 100) or token
    at: dt.datetime = need_moment(given, "updated_at", "created_at")
    properties = _read_items(given, shop, "checkout started")
    if url := take_text(given, "abandoned_checkout_url", 500):
        properties["url"] = url
    person, email, told = take_map(given, "customer"), take_email(given), Told()
    if customer := take_id(person):
        told.add(read_customer(person, shop))
        told.links.append(ToldLink(visitor, customer))
    elif email:
        customer = name_guest(email)  # counts where somebody with this address bought before; nobody is made of it
    told.carts.append(ToldCart(token, visitor, customer, at, properties))
    return told


def _read_items(given: Payload, shop: ShopFacts, action: str) -> dict[str, Any]:
    items = []
    for line in take_list(given, "line_items"):
        sku = read_sku(line, shop.source)
        price = shop_money(line, "price")
        items.append({"sku": sku, "quantity": take_count(line, "quantity") or 1, "price": str(price)})
    properties: dict[str, Any] = {"action": action, "items": items}
    if total := take_money(given, "total_price"):
        properties |= {"total": str(total), "currency": take_currency(given, "currency", shop.currency)}
    return properties


def _read_data_request(given: Payload, _shop: ShopFacts) -> Told:
    person = take_map(given, "customer")
    orders = take_numbers(given, "orders_requested")
    return Told(requests=[ToldRequest("export", take_id(person), take_email(person), orders)])


def _read_redaction(given: Payload, _shop: ShopFacts) -> Told:
    person = take_map(given, "customer")
    orders = take_numbers(given, "orders_to_redact")
    return Told(requests=[ToldRequest("erasure", take_id(person), take_email(person), orders, by_law=True)])


def _read_shop_redaction(_given: Payload, _shop: ShopFacts) -> Told:
    return Told(requests=[ToldRequest("everything")])


_CUSTOMER = Topic(
    read_customer, "Customer", frozenset({"id", "created_at", "first_name"}), frozenset({"line_items", "variants"})
)
_ORDER = Topic(
    read_order, "Order", frozenset({"id", "line_items", "total_price", "financial_status"}), frozenset({"variants"})
)
_PRODUCT = Topic(read_product, "Product", frozenset({"id", "title", "variants"}))
_PRIVACY = frozenset({"shop_id", "shop_domain"})
_CART = frozenset({"token", "line_items"})
_NO_CART = frozenset({"total_price", "financial_status"})
#: By these a customer who is gone is told from an order or a product: addresses until 2025, tax_exemptions since.
_OF_A_CUSTOMER = frozenset({"addresses", "tax_exemptions"})
_MERGED = frozenset({"admin_graphql_api_customer_kept_id", "admin_graphql_api_customer_deleted_id", "status"})
#: What a deletion is not: anything that still says more than a number.
_MORE = frozenset({"created_at", "line_items", "variants", "title", "email", "order_id"})
TOPICS: Final[Mapping[str, Topic]] = {
    "customers/create": _CUSTOMER,
    "customers/update": _CUSTOMER,
    "customers/delete": Topic(
        _read_customer_deletion, "Customer", frozenset({"id"}), _MORE, True, has_one_of=_OF_A_CUSTOMER
    ),
    "customers/merge": Topic(_read_merge, "Customer", _MERGED, is_safe_late=True),
    "customers_email_marketing_consent/update": Topic(
        _read_email_consent, "Customer", frozenset({"customer_id", "email_marketing_consent"}), is_safe_late=True
    ),
    "customers_marketing_consent/update": Topic(
        _read_sms_consent, "Customer", frozenset({"id", "sms_marketing_consent", "phone"}), _MORE, True
    ),
    "orders/create": _ORDER,
    "orders/updated": _ORDER,
    "orders/paid": _ORDER,
    "orders/cancelled": _ORDER,
    "orders/delete": Topic(_read_order_deletion, "Order", frozenset({"id"}), _MORE | _OF_A_CUSTOMER, True),
    "refunds/create": Topic(_read_refund, "Refund", frozenset({"id", "order_id", "refund_line_items"})),
    "products/create": _PRODUCT,
    "products/update": _PRODUCT,
    "products/delete": Topic(_read_product_deletion, "Product", frozenset({"id"}), _MORE | _OF_A_CUSTOMER, True),
    "carts/create": Topic(_read_cart, "Cart", _CART, _NO_CART, True),
    "carts/update": Topic(_read_cart, "Cart", _CART, _NO_CART, True),
    "checkouts/create": Topic(
        _read_checkout, "Checkout", _CART | {"cart_token"}, frozenset({"financial_status"}), True
    ),
    "checkouts/update": Topic(
        _read_checkout, "Checkout", _CART | {"cart_token"}, frozenset({"financial_status"}), True
    ),
    "customers/data_request": Topic(
        _read_data_request, "Customer", _PRIVACY | {"customer", "orders_requested"}, is_safe_late=True
    ),
    "customers/redact": Topic(
        _read_redaction, "Customer", _PRIVACY | {"customer", "orders_to_redact"}, is_safe_late=True
    ),
    "shop/redact": Topic(_read_shop_redaction, "Shop", _PRIVACY, frozenset({"customer"}), True),
}

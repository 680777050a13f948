"""What Shopify's GraphQL Admin API says, in the shape of its webhooks, so that both are read by the same code. Pure.

Objects Customer, Order, Refund, Product of shopify.dev/docs/api/admin-graphql/2026-07. REST is Shopify's legacy API since
October 2024. A list inside a thing has its first items only; `find_longer` says which ones go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .told import Untranslatable
from .values import take_map

Node = Mapping[str, Any]
#: So many lines, refunds and variants come with their thing; a thing that has more is asked for the rest by itself.
LINES: Final = 30
VARIANTS: Final = 30
REFUNDS: Final = 20
REFUND_LINES: Final = 10

_MONEY = "{ shopMoney { amount } }"
_PAGE = "pageInfo { hasNextPage endCursor }"
_LINE = f"id name title sku quantity originalUnitPriceSet {_MONEY} variant {{ id }}"
_PERSON = (
    "id firstName lastName createdAt updatedAt locale"
    " defaultEmailAddress { emailAddress marketingState marketingOptInLevel marketingUpdatedAt }"
    " defaultPhoneNumber { phoneNumber marketingState marketingOptInLevel marketingUpdatedAt marketingCollectedFrom }"
    " defaultAddress { countryCodeV2 phone }"
)
_REFUND = (
    f"id createdAt totalRefundedSet {_MONEY} refundLineItems(first: {REFUND_LINES}) {{ {_PAGE}"
    f" nodes {{ quantity subtotalSet {_MONEY} totalTaxSet {_MONEY} lineItem {{ {_LINE} }} }} }}"
)
_ORDER = (
    "id createdAt processedAt updatedAt cancelledAt test currencyCode displayFinancialStatus customerLocale email"
    f" discountCodes totalPriceSet {_MONEY} totalDiscountsSet {_MONEY}"
    f" billingAddress {{ firstName lastName phone countryCodeV2 }}"
    f" customer {{ {_PERSON} }} refunds(first: {REFUNDS}) {{ {_REFUND} }}"
    f" lineItems(first: {LINES}) {{ {_PAGE} nodes {{ {_LINE} }} }}"
)
_VARIANT = "id sku title price inventoryQuantity"
_PRODUCT = (
    "id title handle vendor productType status updatedAt onlineStoreUrl"
    f" variants(first: {VARIANTS}) {{ {_PAGE} nodes {{ {_VARIANT} }} }}"
)
FIELDS: Final[Mapping[str, str]] = {"customers": _PERSON, "products": _PRODUCT, "orders": _ORDER}
#: How the rest of a list inside a thing is asked for: the type, the list, and what one item has.
LONGER: Final = {
    "lineItems": ("Order", f"lineItems(first: $first, after: $after) {{ {_PAGE} nodes {{ {_LINE} }} }}"),
    "variants": (
        "Product", f"variants(first: $first, after: $after) {{ {_PAGE} nodes {{ {_VARIANT} }} }}"
    ),
    "refundLineItems": (
        "Refund",
        f"refundLineItems(first: $first, after: $after) {{ {_PAGE}"
        f" nodes {{ quantity subtotalSet {_MONEY} totalTaxSet {_MONEY} lineItem {{ {_LINE} }} }} }}",
    ),
}  # fmt: skip


def make_page_query(stage: str) -> str:
    """The query for one page of customers, products or orders, the oldest first by the time in `$sort`."""
    kind = {"customers": "CustomerSortKeys", "products": "ProductSortKeys", "orders": "OrderSortKeys"}[stage]
    return (
        f"query Page($first: Int!, $after: String, $query: String, $sort: {kind}) {{"
        f" {stage}(first: $first, after: $after, query: $query, sortKey: $sort) {{"
        f" pageInfo {{ hasNextPage endCursor }} nodes {{ {FIELDS[stage]} }} }} }}"
    )


def make_rest_query(name: str) -> str:
    """The query for further items of a list inside the thing `$id`."""
    kind, asked = LONGER[name]
    return f"query Rest($id: ID!, $first: Int!, $after: String) {{ node(id: $id) {{ ... on {kind} {{ {asked} }} }} }}"


def find_longer(node: Node) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Lists inside a thing that go on: (id of what they belong to, name, the list as it came)."""
    found = [
        (str(node.get("id", "")), name, take_map(node, name)) for name in ("lineItems", "variants") if node.get(name)
    ]
    for refund in node.get("refunds") or []:
        found.append((str(refund.get("id", "")), "refundLineItems", take_map(refund, "refundLineItems")))
    return [(owner, name, told) for owner, name, told in found if take_map(told, "pageInfo").get("hasNextPage")]


def to_customer(node: Node) -> dict[str, Any]:
    """A Customer as customers/update has it."""
    email, phone = take_map(node, "defaultEmailAddress"), take_map(node, "defaultPhoneNumber")
    address = take_map(node, "defaultAddress")
    return {
        "id": _number(node),
        "email": email.get("emailAddress"),
        "phone": phone.get("phoneNumber"),
        "first_name": node.get("firstName"),
        "last_name": node.get("lastName"),
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "default_address": {"country_code": address.get("countryCodeV2"), "phone": address.get("phone")},
        "email_marketing_consent": _consent(email),
        "sms_marketing_consent": _consent(phone) | {"consent_collected_from": phone.get("marketingCollectedFrom")},
    }


def to_order(node: Node) -> dict[str, Any]:
    """An Order with its refunds as orders/updated has it."""
    customer, billing = take_map(node, "customer"), take_map(node, "billingAddress")
    return {
        "id": _number(node),
        "created_at": node.get("createdAt"),
        "processed_at": node.get("processedAt"),
        "updated_at": node.get("updatedAt"),
        "cancelled_at": node.get("cancelledAt"),
        "test": node.get("test"),
        "currency": node.get("currencyCode"),
        "financial_status": str(node.get("displayFinancialStatus") or "").lower(),
        "customer_locale": node.get("customerLocale"),
        "email": node.get("email"),
        "discount_codes": [{"code": code} for code in node.get("discountCodes") or []],
        "total_price": _amount(node, "totalPriceSet"),
        "total_discounts": _amount(node, "totalDiscountsSet"),
        "customer": to_customer(customer) if customer else None,
        "billing_address": {
            "first_name": billing.get("firstName"), "last_name": billing.get("lastName"), "phone": billing.get("phone"),
            "country_code": billing.get("countryCodeV2"),
        },
        "line_items": [_to_line(line) for line in _nodes(node, "lineItems")],
        "refunds": [_to_refund(refund) for refund in node.get("refunds") or []],
    }  # fmt: skip


def to_product(node: Node) -> dict[str, Any]:
    """A Product as products/update has it."""
    variants = [
        {
            "id": _number(one), "sku": one.get("sku"), "title": one.get("title"), "price": one.get("price"),
            "inventory_quantity": one.get("inventoryQuantity"),
        }
        for one in _nodes(node, "variants")
    ]  # fmt: skip
    return {
        "id": _number(node),
        "title": node.get("title"),
        "handle": node.get("handle"),
        "vendor": node.get("vendor"),
        "product_type": node.get("productType"),
        "status": str(node.get("status") or "").lower(),
        "updated_at": node.get("updatedAt"),
        "online_store_url": node.get("onlineStoreUrl"),
        "variants": variants,
    }


def _to_refund(node: Node) -> dict[str, Any]:
    """What was paid back is the total of the refund; its transactions are not asked for."""
    lines = [
        {
            "quantity": one.get("quantity"),
            "line_item_id": _number(take_map(one, "lineItem")),
            "line_item": _to_line(take_map(one, "lineItem")),
            "subtotal": _amount(one, "subtotalSet"),
            "total_tax": _amount(one, "totalTaxSet"),
        }
        for one in _nodes(node, "refundLineItems")
    ]
    paid = {"kind": "refund", "status": "success", "amount": _amount(node, "totalRefundedSet")}
    return {
        "id": _number(node), "created_at": node.get("createdAt"), "refund_line_items": lines, "transactions": [paid],
    }  # fmt: skip


def _to_line(node: Node) -> dict[str, Any]:
    variant = take_map(node, "variant")
    return {
        "id": _number(node), "name": node.get("name"), "title": node.get("title"), "sku": node.get("sku"),
        "quantity": node.get("quantity"), "price": _amount(node, "originalUnitPriceSet"),
        "variant_id": _number(variant) if variant else None,
    }  # fmt: skip


def _consent(said: Node) -> dict[str, Any]:
    return {
        "state": str(said.get("marketingState") or "").lower(),
        "opt_in_level": str(said.get("marketingOptInLevel") or "").lower(),
        "consent_updated_at": said.get("marketingUpdatedAt"),
    }


def _amount(node: Node, name: str) -> Any:
    return take_map(take_map(node, name), "shopMoney").get("amount")


def _nodes(node: Node, name: str) -> list[Node]:
    found = take_map(node, name).get("nodes") or []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise Untranslatable(f"{name}.nodes is no list of objects")
    return found


def _number(node: Node) -> str:
    """12 of gid://shopify/Order/12 (a gid may go on with ?…)."""
    return str(node.get("id") or "").rpartition("/")[2].partition("?")[0]

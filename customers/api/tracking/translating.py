"""What a call means in our words: traits of a person, an event, an order, a product. Pure; nothing is read or written."""

from __future__ import annotations

import datetime as dt
import decimal
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from customers.ingest.schema import CURRENCIES
from customers.models import EventKind
from customers.models.customer import zone_names

from .calls import Call

#: Names of the Ecommerce Spec V2, folded, and the kinds of event that they are.
KINDS: dict[str, EventKind] = {
    "product viewed": EventKind.PRODUCT_VIEWED,
    "product clicked": EventKind.PRODUCT_VIEWED,
    "products searched": EventKind.SEARCH_PERFORMED,
    "product added": EventKind.CART_UPDATED,
    "product removed": EventKind.CART_UPDATED,
    "cart viewed": EventKind.CART_UPDATED,
    "checkout started": EventKind.CART_UPDATED,
    "product reviewed": EventKind.REVIEW_WRITTEN,
}
ORDERS = {"order completed", "order updated"}
REFUNDS = {"order refunded", "order cancelled"}
#: What our readers look for, and how the specification calls it.
PROPERTY_NAMES = {"product_id": "sku", "review_body": "text", "review_content": "text"}
TRAITS = {
    "email": "email",
    "firstName": "first_name",
    "first_name": "first_name",
    "lastName": "last_name",
    "last_name": "last_name",
}
LENGTHS = {"email": 254, "first_name": 120, "last_name": 120, "language": 12, "time_zone": 64, "country": 80}
_EMAIL = re.compile(r"[^@\s\x00]{1,64}@[^@\s\x00]+\.[^@\s\x00]{2,}")


class Untranslatable(ValueError):
    """The call cannot be kept as what its name says; the text names the field and what is wrong."""


@dataclass(frozen=True)
class Line:
    """One line of an order."""

    sku: str
    name: str
    category: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True)
class TrackedOrder:
    """An order or, with negative lines, a refund."""

    number: str
    currency: str
    total: Decimal
    discount: Decimal
    code: str
    is_return: bool
    lines: list[Line] = field(default_factory=list)


def translate_event(call: Call) -> tuple[EventKind, dict[str, Any]]:
    """The kind of a track, page or screen call and its properties, with the names that our readers know."""
    properties = dict(call.properties)
    if call.type in {"page", "screen"}:
        return EventKind.PAGE_VIEWED, ({"name": call.name} if call.name else {}) | properties
    kind = KINDS.get(fold(call.event or ""))
    if kind is None:
        return EventKind.CUSTOM, {**properties, "name": call.event}
    for theirs, ours in PROPERTY_NAMES.items():
        if theirs in properties and not properties.get(ours):
            properties[ours] = properties[theirs]
    if "products" in properties and isinstance(properties["products"], list):
        properties["items"] = [
            {"sku": str(ware.get("sku") or ware.get("product_id") or "")}
            for ware in properties["products"]
            if isinstance(ware, Mapping)
        ]
    return kind, {**properties, "action": fold(call.event or "")}


def is_order(call: Call) -> bool:
    """A track call that tells of an order or a refund, which are kept as orders and not as events."""
    return call.type == "track" and fold(call.event or "") in ORDERS | REFUNDS


def translate_order(call: Call, key: str, shop_currency: str) -> TrackedOrder:
    """The order of "Order Completed", or the return of "Order Refunded". Raises Untranslatable.

    `total` counts, else `revenue`, else the sum of the products. What it is more or less than products less discount
    (shipping, tax) becomes a line without a product, so that the lines add up.
    """
    given = call.properties
    number = str(given.get("order_id") or given.get("orderId") or "").strip()
    if not number or len(number) > 100 or "\0" in number:
        raise Untranslatable("properties.order_id: an order needs its number")
    currency = str(given.get("currency") or shop_currency).upper()
    if currency not in CURRENCIES:
        raise Untranslatable(f"properties.currency: {currency[:10]} is no ISO currency code")
    is_return = fold(call.event or "") in REFUNDS
    lines = [_read_line(ware, place) for place, ware in enumerate(given.get("products") or [])]
    discount = _read_money(given, "discount") or Decimal(0)
    wares = sum((line.unit_price * line.quantity for line in lines), Decimal(0)) - discount
    total = next(
        (found for name in ("total", "revenue", "value") if (found := _read_money(given, name)) is not None), wares
    )
    total = total.quantize(Decimal("0.01"))
    if total != wares:
        lines.append(Line("", "", "", 1, total - wares))
    if is_return:
        lines = [Line(line.sku, line.name, line.category, -line.quantity, line.unit_price) for line in lines]
        return TrackedOrder(f"{number}:return:{key[:60]}"[:120], currency, -total, -discount, "", True, lines)
    code = str(given.get("coupon") or "").replace("\0", "")[:60]
    return TrackedOrder(number, currency, total, discount, code, False, lines)


def translate_traits(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a customer from traits; what we have no field for goes to `attributes`. What cannot be kept is left out:
    a broken address or zone must not cost the rest."""
    person: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in traits.items():
        if name in TRAITS and isinstance(value, str):
            person[TRAITS[name]] = value.replace("\0", "").strip()
        elif name not in {"name", "address", "timezone", "locale", "language", "createdAt", "created_at", "country"}:
            rest[name] = value
    _take_name(traits, person)
    _take_place(traits, person, rest)
    created = _read_moment(traits.get("createdAt", traits.get("created_at")))
    if created:
        person["joined_at"] = created
    if "email" in person and not _EMAIL.fullmatch(person["email"]):
        rest["email_as_given"] = person.pop("email")
    person = {
        name: value for name, value in person.items() if not isinstance(value, str) or len(value) <= LENGTHS[name]
    }
    return person | ({"attributes": rest} if rest else {})


def _take_name(traits: Mapping[str, Any], person: dict[str, Any]) -> None:
    whole = traits.get("name")
    if isinstance(whole, str) and whole.strip() and not ({"first_name", "last_name"} & person.keys()):
        first, _blank, last = whole.replace("\0", "").strip().partition(" ")
        person |= {"first_name": first, "last_name": last.strip()}


def _take_place(traits: Mapping[str, Any], person: dict[str, Any], rest: dict[str, Any]) -> None:
    """A zone that is none is noted among the attributes: who is new has the shop's then, and who was known keeps theirs."""
    address = traits.get("address")
    country = traits.get("country") or (address.get("country") if isinstance(address, Mapping) else None)
    if isinstance(country, str) and country.strip():
        person["country"] = country.replace("\0", "").strip()
    zone = traits.get("timezone")
    if isinstance(zone, str) and zone in zone_names():
        person["time_zone"] = zone
    elif isinstance(zone, str) and zone.strip():
        rest["timezone_as_given"] = zone.replace("\0", "").strip()[:64]
    language = traits.get("language") or traits.get("locale")
    if isinstance(language, str) and re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?", language):
        person["language"] = language.replace("_", "-")


def _read_line(ware: Any, place: int) -> Line:
    where = f"properties.products[{place}]"
    if not isinstance(ware, Mapping):
        raise Untranslatable(f"{where}: this has to be an object")
    quantity = ware.get("quantity", 1)
    if not isinstance(quantity, int | float | str) or not re.fullmatch(r"\d{1,6}(\.0+)?", str(quantity)):
        raise Untranslatable(f"{where}.quantity: this is no whole number")
    price = _read_money(ware, "price", where) or Decimal(0)
    sku, name, category = (
        str(ware.get(key) or "").replace("\0", "").strip()[:most]
        for key, most in (("sku", 80), ("name", 250), ("category", 120))
    )
    sku = sku or str(ware.get("product_id") or "").replace("\0", "").strip()[:80]
    return Line(sku, name, category, int(float(quantity)), price)


def _read_money(given: Mapping[str, Any], name: str, where: str = "properties") -> Decimal | None:
    """Exact, never by way of a float: JSON's 19.99 is read as the text "19.99"."""
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
    except decimal.InvalidOperation as error:
        raise Untranslatable(f"{where}.{name}: this is no amount") from error
    if not amount.is_finite() or not 0 <= amount < 10**10:
        raise Untranslatable(f"{where}.{name}: this is no amount")
    return amount.quantize(Decimal("0.0001"))


def _read_moment(value: Any) -> dt.datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return dt.datetime.fromtimestamp(value / 1000 if value > 10**11 else value, dt.UTC)
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
        moment = moment.astimezone(dt.UTC) if moment and moment.tzinfo else moment and moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment and 1990 <= moment.year <= 2099 else None


def fold(name: str) -> str:
    """Names of events are written in many ways: "Order Completed", "order_completed", "orderCompleted"."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.sub(r"[\s_-]+", " ", spaced).strip().lower()

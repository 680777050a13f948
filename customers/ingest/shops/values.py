"""Reads single values of a shop's payload. Pure: no framework; raises Untranslatable with the name of the field."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from .told import ToldLine, Untranslatable

CENT = Decimal("0.01")
_EMAIL = re.compile(r"[^@\s\x00]{1,64}@[^@\s\x00]+\.[^@\s\x00]{2,}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?")


def take_map(given: Any, name: str = "") -> Mapping[str, Any]:
    """The object at `name`, {} where there is none; the whole payload without a name."""
    found = given.get(name) if name else given
    if found is None or found == "" or found == []:
        return {}
    if not isinstance(found, Mapping):
        raise Untranslatable(f"{name or 'the payload'} is no object")
    return found


def take_list(given: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in the list at `name`."""
    found = given.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise Untranslatable(f"{name} is no list of objects")
    return found


def take_id(given: Mapping[str, Any], name: str = "id") -> str:
    """A number or word that names a thing; "" where there is none."""
    value = given.get(name)
    if value is None or isinstance(value, bool) or value == 0:
        return ""
    text = str(value).strip()
    if len(text) > 100 or "\0" in text:
        raise Untranslatable(f"{name} is no id")
    return text


def need_id(given: Mapping[str, Any], name: str = "id") -> str:
    found = take_id(given, name)
    if not found:
        raise Untranslatable(f"{name} is missing")
    return found


def take_numbers(given: Mapping[str, Any], name: str) -> list[str]:
    """The ids in the list at `name`, as text."""
    found = given.get(name) or []
    if not isinstance(found, list):
        raise Untranslatable(f"{name} is no list")
    return [number for one in found if (number := take_id({name: one}, name))]


def take_text(given: Mapping[str, Any], name: str, most: int = 250) -> str:
    value = given.get(name)
    return value.replace("\0", "").strip()[:most] if isinstance(value, str) else ""


def take_email(given: Mapping[str, Any], name: str = "email") -> str:
    """An address in small letters; "" for what is none, because one broken address must not cost the rest."""
    text = take_text(given, name, 300).lower()
    return text if len(text) <= 254 and _EMAIL.fullmatch(text) else ""


def take_locale(given: Mapping[str, Any], name: str) -> str:
    text = take_text(given, name, 12)
    return text.replace("_", "-") if _LOCALE.fullmatch(text) else ""


def take_moment(given: Mapping[str, Any], name: str) -> dt.datetime | None:
    """An ISO 8601 time in UTC; one without an offset is UTC already (WooCommerce's …_gmt). None where there is none."""
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        moment = dt.datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Untranslatable(f"{name} is no time") from error
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    if not 1990 <= moment.year < 2100:
        raise Untranslatable(f"{name} lies outside 1990 to 2100")
    return moment


def need_moment(given: Mapping[str, Any], *names: str) -> dt.datetime:
    """The first of these times that is there."""
    for name in names:
        if found := take_moment(given, name):
            return found
    raise Untranslatable(f"{names[0]} is missing")


def take_money(given: Mapping[str, Any], name: str) -> Decimal | None:
    """Exact; a number of JSON is read as its text, never by way of a float. None where there is none."""
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
    except decimal.InvalidOperation as error:
        raise Untranslatable(f"{name} is no amount") from error
    if isinstance(value, bool) or not amount.is_finite() or abs(amount) >= 10**10:
        raise Untranslatable(f"{name} is no amount")
    return amount.quantize(Decimal("0.0001"))


def money(given: Mapping[str, Any], name: str) -> Decimal:
    """The same, 0 where there is none."""
    return take_money(given, name) or Decimal(0)


def shop_money(given: Mapping[str, Any], name: str) -> Decimal:
    """The same in the currency of the shop: Shopify's `NAME_set.shop_money` where there is one, else NAME."""
    of_shop = take_map(take_map(given, f"{name}_set"), "shop_money")
    return money(of_shop, "amount") if of_shop else money(given, name)


def take_count(given: Mapping[str, Any], name: str) -> int | None:
    """A whole number; None where there is none or it is none."""
    amount = take_money(given, name) if not isinstance(given.get(name), bool) else None
    return int(amount) if amount is not None and amount == int(amount) and abs(amount) < 10**9 else None


def take_currency(given: Mapping[str, Any], name: str, default: str) -> str:
    """Three letters; whether ISO 4217 knows them is asked where they are written."""
    code = (take_text(given, name, 10) or default).upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise Untranslatable(f"{name}: “{code}” is no ISO currency")
    return code


def name_guest(email: str) -> str:
    """The id of somebody who bought without an account: the same for the same address."""
    return f"guest-{hashlib.sha256(email.lower().encode()).hexdigest()[:32]}"


def name_article(source: str, number: str) -> str:
    """The sku of an article that the shop gave none, by its number there; "" for what has no number, and so is no article."""
    return f"{source}-{number}"[:80] if number else ""


def balance(lines: Sequence[ToldLine], discount: Decimal, total: Decimal) -> list[ToldLine]:
    """The lines and, where they do not come to the total, one more without a ware: postage, tax, a tip, rounding."""
    wares = sum((line.unit_price * line.quantity for line in lines), Decimal(0))
    rest = total - (wares - discount)
    if not rest:
        return list(lines)
    return [*lines, ToldLine("", "", 1 if rest > 0 else -1, abs(rest))]

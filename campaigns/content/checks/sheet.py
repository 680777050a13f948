"""The facts of a message as the checks need them, read from JSON that may be odd, thin or wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from .fact_texts import is_bare_number, iter_texts
from .voice_rules import VoiceRules, read_voice_rules

DEFAULT_MERGE_TAGS = ("first_name", "unsubscribe_url")
_NONE_WORDS = {"", "none", "no offer", "no", "null", "-", "无", "没有", "n/a"}
_OWN_KEYS = {
    "percent",
    "amount",
    "min_basket",
    "valid_from",
    "valid_until",
    "send_date",
    "products",
    "code",
    "currency",
}
_OWN_KEYS |= {"language", "lang", "locale", "merge_tags", "allowed_domains", "is_composed", "id"}
#: What a voice forbids or holds up as an example bears nothing out, and the number of a revision is no figure.
_OWN_KEYS |= {"voice", "policies_version", "offer_policies"}
#: "1,450.00", "1.450,00" and "1,234,567"; a single group such as "1.450" stays a fraction, as in JSON.
_GROUPED = re.compile(
    r"-?(?<![\d.,])(?:\d{1,3}(?:,\d{3})+\.\d{1,2}|\d{1,3}(?:\.\d{3})+,\d{1,2}|\d{1,3}(?:,\d{3}){2,})(?!\d)"
)
#: How shops call what a product cost before.
OLD_PRICE_KEYS = (
    "old_price", "original_price", "regular_price", "list_price", "compare_at_price", "compare_price", "was_price", "was", "rrp",
    "msrp", "uvp", "原价", "划线价", "市场价",
)  # fmt: skip
_PRODUCT_KEYS = {"name", "sku", "price", "currency", "stock", "category", *OLD_PRICE_KEYS}
LABEL_KEYS = ("segment", "segment_name", "segment_label", "archetype", "archetype_label")


@dataclass(frozen=True)
class Product:
    """A product of the facts; None is what the facts do not say. `details` is what stands in further keys of it (weight,
    material, pages), a line each."""

    name: str
    sku: str
    price: Decimal | None
    currency: str
    stock: int | None
    category: str
    old_price: Decimal | None = None
    details: str = ""


@dataclass(frozen=True)
class FactSheet:
    """What a text may claim. `support` is all free text of the facts (offer, policies, any further key, also of a
    product), in which a promise has to be found, and `terms` what of it is not of a product; `currency` is upper case;
    domains are lower case; `voice` is the brand voice's in this language."""

    shop: str
    offer: str
    code: str
    percent: Decimal | None
    amount: Decimal | None
    currency: str
    min_basket: Decimal | None
    valid_from: dt.date | None
    valid_until: dt.date | None
    send_date: dt.date | None
    products: tuple[Product, ...]
    support: str
    terms: str
    language: str
    merge_tags: frozenset[str]
    domains: frozenset[str]
    labels: tuple[str, ...]
    is_composed: bool
    voice: VoiceRules
    postal_address: str

    @property
    def days_left(self) -> int | None:
        """Days from the day of sending to the last day of the offer; None where one is not known."""
        if self.valid_until is None or self.send_date is None:
            return None
        return (self.valid_until - self.send_date).days

    @property
    def has_offer(self) -> bool:
        """Something is offered at all."""
        return bool(self.percent or self.amount or self.code or self.offer)


def read_facts(facts: Mapping[str, Any]) -> FactSheet:
    """Never raises: what cannot be read is unknown."""
    if not isinstance(facts, Mapping):
        facts = {}
    offer = " ".join(iter_texts(facts.get("offer")))
    currency = _text(facts.get("currency")).upper()
    products = tuple(_read_products(facts.get("products"), currency))
    free = {key: value for key, value in facts.items() if key not in _OWN_KEYS | set(LABEL_KEYS)}
    texts = [text for value in free.items() for text in _texts_of_key(*value, currency)]
    return FactSheet(
        shop=_shop_name(facts.get("shop")),
        offer="" if offer.strip().lower() in _NONE_WORDS else offer,
        code="" if _text(facts.get("code")).lower() in _NONE_WORDS else _text(facts.get("code")),
        percent=_share(read_decimal(facts.get("percent"))),
        amount=read_decimal(facts.get("amount")),
        currency=currency,
        min_basket=read_decimal(facts.get("min_basket")),
        valid_from=read_day(facts.get("valid_from")),
        valid_until=read_day(facts.get("valid_until")),
        send_date=read_day(facts.get("send_date")),
        products=products,
        terms="\n".join(texts),
        support="\n".join([*texts, *dict.fromkeys(p.details for p in products if p.details)]),
        language=_text(facts.get("language") or facts.get("lang") or facts.get("locale")).lower().replace("_", "-"),
        merge_tags=frozenset(iter_texts(facts.get("merge_tags"))) or frozenset(DEFAULT_MERGE_TAGS),
        domains=frozenset(_read_domains(facts)),
        labels=tuple(text for key in LABEL_KEYS for text in iter_texts(facts.get(key))),
        is_composed=facts.get("is_composed") is True,
        voice=read_voice_rules(facts.get("voice")),
        postal_address=_text(facts.get("postal_address")),
    )


def read_decimal(value: Any) -> Decimal | None:
    """A number, or the number in a string such as "10 %", "€5,00" or "1,450.00"."""
    if value is None or isinstance(value, bool):
        return None
    plain = str(value).replace(" ", "")
    found = _GROUPED.search(plain) or re.search(r"-?\d+(?:[.,]\d+)?", plain)
    if not found:
        return None
    digits = found.group()
    if found.re is _GROUPED:
        comma_is_point = digits.rfind(",") > digits.rfind(".") and "." in digits
        digits = digits.replace("." if comma_is_point else ",", "")
    try:
        return Decimal(digits.replace(",", "."))
    except InvalidOperation:
        return None


def read_day(value: Any) -> dt.date | None:
    """A day from an ISO date or moment."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(_text(value).replace("/", "-")[:10])
    except ValueError:
        return None


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool) else ""


def _shop_name(shop: Any) -> str:
    return _text(shop.get("name")) if isinstance(shop, Mapping) else _text(shop)


def _share(percent: Decimal | None) -> Decimal | None:
    return percent * 100 if percent is not None and 0 < percent < 1 else percent


def _read_products(products: Any, currency: str) -> Iterator[Product]:
    if isinstance(products, Mapping):
        products = list(products.values())
    for product in products if isinstance(products, Sequence) and not isinstance(products, str) else ():
        if isinstance(product, Mapping):
            yield Product(
                name=_text(product.get("name")),
                sku=_text(product.get("sku")),
                price=read_decimal(product.get("price")),
                currency=_text(product.get("currency")).upper() or currency,
                stock=_read_stock(product.get("stock")),
                category=_text(product.get("category")),
                old_price=next((old for key in OLD_PRICE_KEYS if (old := read_decimal(product.get(key)))), None),
                details="\n".join(iter_texts(_further(product), currency)),
            )


def _further(product: Mapping[str, Any]) -> dict[str, Any]:
    """What a product says of itself beyond its name, price and stock; addresses and numbers of rows say nothing."""
    return {
        str(key): value
        for key, value in product.items()
        if key not in _PRODUCT_KEYS and not re.search(r"url|link|image|picture|version|(?:^|_)id$", str(key), re.I)
    }


def _texts_of_key(key: str, value: Any, currency: str) -> Iterator[str]:
    """What a key of the facts says; a bare figure says it together with the key: `member_points: 160`."""
    is_figure = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    is_figure |= isinstance(value, str) and is_bare_number(value)
    yield from iter_texts({str(key): value} if is_figure or isinstance(value, Mapping) else value, currency)


def _read_stock(stock: Any) -> int | None:
    words = _text(stock).lower().replace("_", " ")
    if words in {"out", "out of stock", "sold out", "none"} or stock is False:
        return 0
    number = read_decimal(stock)
    return int(number) if number is not None else None


def _read_domains(facts: Mapping[str, Any]) -> Iterator[str]:
    """The domains that are named, else those that the facts mention. The name of a ware never makes a domain the shop's:
    a stranger may have written it, and so neither does its address where the shop says which domains are its own."""
    named = [domain.lower().lstrip("@*.") for domain in iter_texts(facts.get("allowed_domains"))]
    yield from named
    for key, value in facts.items():
        if key == "products":
            for text in () if named else _addresses_of(value):
                yield from find_hosts(text)
        elif key in {"shop", "policies"} or "url" in str(key) or "domain" in str(key) or "mail" in str(key):
            for text in iter_texts(value):
                yield from find_hosts(text)


def _addresses_of(products: Any) -> Iterator[str]:
    for ware in products if isinstance(products, list | tuple) else ():
        if isinstance(ware, Mapping):
            yield from (str(value) for key, value in ware.items() if "url" in str(key) or "link" in str(key))


def find_hosts(text: str) -> Iterator[str]:
    """Hosts of the addresses and bare domains in a text of our own."""
    for match in re.finditer(
        r"(?:https?://[^\s\"'<>)]+)|(?:[\w.+-]+@)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b", text, re.I
    ):
        address = match.group()
        try:
            host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
        except ValueError:
            continue
        if host:
            yield host.lower().removeprefix("www.")


def known_numbers(*values: Decimal | None) -> set[Decimal]:
    """Those of the figures that the facts give."""
    return {value for value in values if value is not None}


def names_of_products(sheet: FactSheet) -> str:
    """Names, article numbers and categories, a line each: their digits are no claims."""
    return "\n".join(part for p in sheet.products for part in (p.name, p.sku, p.category))

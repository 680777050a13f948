"""What a text stands on: the few facts that the last check before a send asks again. Pure.

Reading a text takes milliseconds, a send of a million has none to spare. So it is read once, when it is written or
checked anew, and what has to stay true for it is kept beside it (`Variant.stands_on`) in a form that one SQL expression
can hold against the database for each message (`standing_facts.stale_fact_sql`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from .checks.stock import STOCK_BOUNDS
from .findings import Claim
from .ledger import version_of_text

#: The terms of an offer as `facts` and the table of offers both know them.
OFFER_TERMS: Final = ("percent", "amount", "currency", "code", "min_basket", "valid_from", "valid_until")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


def list_standing(
    facts: Mapping[str, Any],
    claims: Sequence[Claim],
    words: str,
    *,
    kind: str,
    own_policies: Sequence[str],
    until: str | None,
) -> dict[str, Any]:
    """The facts that `words` (the composed message) and its claims stand on, as JSON.

    {"offer": its terms, "products": [{"why", "sku", "low", "high", "price", "currency"}], "policies": [version],
    "points": [version], "until": the last day on which what is said of days is true, or None}. `kind` is that of the
    offer; `own_policies` are those policies of the facts that come from the offer and go with it.
    """
    policies = [policy for policy in facts.get("policies") or () if policy not in own_policies]
    return {
        "offer": {"kind": kind, **{term: facts.get(term) for term in OFFER_TERMS}},
        "products": [*_list_products(facts, claims, words), *_list_stocks(claims)],
        "policies": _list_versions(claims, "policy", policies),
        "points": _list_versions(claims, "campaign", facts.get("talking_points") or ()),
        "until": until,
    }


def _list_products(facts: Mapping[str, Any], claims: Sequence[Claim], words: str) -> Iterator[dict[str, Any]]:
    """Those that the text names or shows: they must be there to be bought, and where it says their price, cost that."""
    said, text = set(_numbers(words)), words.lower()
    told = {claim.key for claim in claims if claim.kind == "product"}
    priced = {claim.key for claim in claims if claim.kind == "money" and claim.fact == "product"}
    sold_out = {claim.key for claim in claims if claim.bound == "none"}
    for ware in facts.get("products") or ():
        sku, name = str(ware["sku"]), str(ware["name"]).lower()
        if sku in told | priced or (name and name in text):
            says_price = sku in priced or bool(said & set(_prices_of(ware, facts)))
            yield {
                "why": "product",
                "sku": sku,
                "low": 0 if sku in sold_out else 1,
                "high": None,
                "price": ware["price"] if says_price else None,
                "currency": ware["currency"],
            }


def _list_stocks(claims: Sequence[Claim]) -> Iterator[dict[str, Any]]:
    """What is said of the stock, as the least and the most for which that is true."""
    for claim in claims:
        if claim.bound and claim.key and claim.is_true:
            low, high = _bounds(claim)
            yield {"why": "stock", "sku": claim.key, "low": low, "high": high, "price": None, "currency": ""}


def _bounds(claim: Claim) -> tuple[int, int | None]:
    if claim.bound in STOCK_BOUNDS:
        return STOCK_BOUNDS[claim.bound]
    figure = int(Decimal(claim.says))
    return (0, figure - 1) if claim.bound == "<" else (figure, figure)


def _prices_of(ware: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Decimal]:
    """What the product costs: alone, and after the offer, to the cent."""
    if ware["price"] is None:
        return
    price, percent, amount = (_decimal(value) for value in (ware["price"], facts.get("percent"), facts.get("amount")))
    yield price
    if percent:
        yield round(price * (100 - percent) / 100, 2)
    if amount:
        yield price - amount


def _list_versions(claims: Sequence[Claim], fact: str, sentences: Sequence[str]) -> list[str]:
    """By the words, whatever the version of the claim: a sentence that a new revision keeps is still said."""
    known = {str(sentence).strip()[:200]: version_of_text(str(sentence).strip()) for sentence in sentences}
    return sorted({known[claim.says] for claim in claims if claim.fact == fact and claim.says in known})


def _numbers(words: str) -> Iterator[Decimal]:
    """The numbers of a text, without the commas of thousands."""
    return (Decimal(said) for said in _NUMBER.findall(words.replace(",", "")))


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)

"""The ledger of claims: what a text says, each beside the fact that bears it out and that fact's version. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from .checks.amounts import Claim as Figure
from .checks.dates import DateClaim
from .checks.fact_texts import iter_texts
from .checks.promise_words import PROMISES
from .checks.reading import Draft, Reading, find_name, products_meant, read_claims
from .checks.sheet import FactSheet, Product
from .checks.stock import find_stock_phrases
from .checks.text import is_negated, read_passage
from .findings import Claim, Finding

MOST_CLAIMS: Final = 200
#: From so many signs on `reading` masks a sentence of the facts; a shorter one is read like any other words. Chinese says
#: in half as many what is no turn of phrase.
SHORTEST_QUOTE: Final = 12
_OFFER_KEYS: Final = ("offer", "code", "percent", "amount", "currency", "min_basket", "valid_from", "valid_until")
_NOTED_APART: Final = frozenset(
    {*_OFFER_KEYS, "shop", "send_date", "products", "policies", "voice", "language", "lang", "locale", "shop_url"}
    | {
        "policies_version",
        "offer_policies",
        "button_url",
        "allowed_domains",
        "merge_tags",
        "is_composed",
        "id",
        "channel",
    }
)
_KINDS: Final = {"off": "percent", "span": "time"}


@dataclass(frozen=True)
class Source:
    """A sentence of the facts, and which fact it is."""

    fact: str
    text: str
    version: str
    reading: Reading


def list_claims(
    facts: Mapping[str, Any], sheet: FactSheet, draft: Draft, findings: Sequence[Finding]
) -> tuple[Claim, ...]:
    """All claims of a draft in the order of its fields, at most 200; those that a finding blocks are not true."""
    sources = tuple(_list_sources(facts))
    found = [claim for reading in draft.readings for claim in _claims_of(facts, sheet, reading, sources)]
    # A banned word says nothing of whether the claim that it stands in is true.
    false = [f for f in findings if f.verdict == "block" and not f.code.startswith("voice-")]
    blocked = [(finding.field, finding.excerpt) for finding in false if finding.excerpt]
    return tuple(_settle(claim, blocked) for claim in list(dict.fromkeys(found))[:MOST_CLAIMS])


def version_of_text(text: str) -> str:
    """The version of a fact that has none of its own: the first 8 hexadecimal digits of its SHA-256 (UTF-8)."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def version_of_offer(facts: Mapping[str, Any]) -> str:
    """The hash of the terms of the offer: it changes whenever one of them does."""
    terms = {key: facts.get(key) for key in _OFFER_KEYS}
    return version_of_text(json.dumps(terms, sort_keys=True, ensure_ascii=False, default=str))


def version_of_policy(facts: Mapping[str, Any], text: str) -> str:
    """The revision of the shop's policies that the facts were read from, else a hash of the words."""
    revision = facts.get("policies_version")
    return str(revision) if isinstance(revision, int) and revision > 0 else version_of_text(text)


def _list_sources(facts: Mapping[str, Any]) -> Iterator[Source]:
    of_offer = list(iter_texts(facts.get("offer_policies"))) if isinstance(facts, Mapping) else []
    for key, value in facts.items() if isinstance(facts, Mapping) else ():
        fact = "policy" if key == "policies" else "campaign"
        if key == "policies" or key not in _NOTED_APART:
            texts = iter_texts(value) if isinstance(value, str | list | Mapping) else iter_texts({str(key): value})
            for text in texts:
                if text in of_offer:
                    continue  # it goes with the offer, below
                version = version_of_policy(facts, text) if fact == "policy" else version_of_text(text)
                yield Source(fact, text, version, read_claims(read_passage("", text), None))
    for text in [*of_offer, *iter_texts(facts.get("offer") if isinstance(facts, Mapping) else None)]:
        yield Source("offer", text, version_of_offer(facts), read_claims(read_passage("", text), None))


def _claims_of(
    facts: Mapping[str, Any], sheet: FactSheet, reading: Reading, sources: Sequence[Source]
) -> Iterator[Claim]:
    figures = [figure for figure in reading.claims if not _is_of_story(reading, figure)]
    found = [
        *_read_products(facts, sheet, reading),
        *_read_codes(facts, sheet, reading),
        *(_judge_figure(facts, sheet, reading, figure, sources) for figure in figures),
        *(
            _judge_day(facts, sheet, reading, day, sources)
            for day in reading.dates
            if day.days or day.weekday is not None
        ),
        *_read_bundles(facts, reading, sources),
        *_read_stock(facts, sheet, reading),
        *_read_promises(reading, sources),
        *_read_quotes(reading, sources),
    ]
    yield from (claim for _place, claim in sorted(found, key=lambda entry: entry[0]))


def _make(
    reading: Reading, start: int, end: int, kind: str, known: Mapping[str, str] | None = None, *, bound: str = ""
) -> tuple[int, Claim]:
    facts = known or {}
    return start, Claim(
        field=reading.passage.field,
        text=reading.passage.excerpt(start, end),
        kind=kind,
        fact=facts.get("fact", ""),
        key=facts.get("key", ""),
        says=facts.get("says", ""),
        version=facts.get("version", ""),
        bound=facts.get("bound", "") or bound,
    )


def _is_of_story(reading: Reading, figure: Figure) -> bool:
    """ "Two frosty mornings" claims nothing."""
    return figure.kind == "number" and reading.is_spelled(figure) and max(figure.values, default=Decimal(0)) <= 12


def _read_products(facts: Mapping[str, Any], sheet: FactSheet, reading: Reading) -> Iterator[tuple[int, Claim]]:
    for start, end, product in reading.mentions:
        if reading.passage.text[start:end].islower() and product.name.lower() != reading.passage.text[start:end]:
            continue  # a word of the name in the middle of a sentence
        yield _make(reading, start, end, "product", _as_fact(facts, product, product.name))


def _read_codes(facts: Mapping[str, Any], sheet: FactSheet, reading: Reading) -> Iterator[tuple[int, Claim]]:
    for start, end in find_name(reading.passage.text, sheet.code, ends=r"(?!-?[A-Za-z0-9])"):
        known = {"fact": "offer", "says": sheet.code, "version": version_of_offer(facts)}
        yield _make(reading, start, end, "code", known)


def _read_bundles(facts: Mapping[str, Any], reading: Reading, sources: Sequence[Source]) -> Iterator[tuple[int, Claim]]:
    for bundle in reading.bundles:
        source = next((s for s in sources if bundle.terms in {b.terms for b in s.reading.bundles}), None)
        yield _make(reading, bundle.start, bundle.end, "bundle", _as_source(source))


def _read_stock(facts: Mapping[str, Any], sheet: FactSheet, reading: Reading) -> Iterator[tuple[int, Claim]]:
    """Words about the stock; the bound is what makes them true."""
    for start, end, bound in find_stock_phrases(reading):
        for product in products_meant(reading, start, sheet)[:1]:
            if product.stock is not None:
                known = _as_fact(facts, product, str(product.stock))
                yield _make(reading, start, end, "stock", known, bound=bound)


def _read_promises(reading: Reading, sources: Sequence[Source]) -> Iterator[tuple[int, Claim]]:
    for promise in PROMISES:
        for match in promise.said.finditer(reading.masked):
            if not is_negated(reading.masked, match.start()):
                source = next((s for s in sources if promise.known.search(s.reading.passage.text)), None)
                yield _make(reading, *match.span(), "policy", _as_source(source))


def _read_quotes(reading: Reading, sources: Sequence[Source]) -> Iterator[tuple[int, Claim]]:
    """A policy or a talking point in its own words: the checks look past such a sentence, so no figure in it is a claim."""
    for source in sources:
        shortest = SHORTEST_QUOTE if source.text.isascii() else SHORTEST_QUOTE // 2
        if source.fact != "offer" and len(source.text) >= shortest:
            for start, end in find_name(reading.passage.text, source.text):
                yield _make(reading, start, end, "policy" if source.fact == "policy" else "point", _as_source(source))


def _judge_figure(
    facts: Mapping[str, Any], sheet: FactSheet, reading: Reading, figure: Figure, sources: Sequence[Source]
) -> tuple[int, Claim]:
    kind = _KINDS.get(figure.kind, figure.kind)
    return _make(reading, figure.start, figure.end, kind, _find_fact(facts, sheet, reading, figure, sources))


def _find_fact(
    facts: Mapping[str, Any], sheet: FactSheet, reading: Reading, figure: Figure, sources: Sequence[Source]
) -> dict[str, str]:
    """The fact behind a figure: the product where it is a price or a stock, else the offer, else a sentence."""
    said, offer = set(figure.values), {"fact": "offer", "version": version_of_offer(facts)}
    meant = products_meant(reading, figure.start, sheet)
    if figure.kind == "stock":
        bound = "<" if figure.unit == "under" else "="
        for product in meant:
            if product.stock is not None and (bound == "<" or Decimal(product.stock) in said):
                shown = _plain(figure.values[0]) if bound == "<" and figure.values else str(product.stock)
                return {**_as_fact(facts, product, shown), "bound": bound}
    if figure.kind == "money":
        for product in meant:
            if product.price is not None and product.price in said:
                return _as_fact(facts, product, f"{_plain(product.price)} {product.currency}".strip())
    own = {"percent": [sheet.percent], "off": [sheet.percent, sheet.amount], "money": [sheet.amount, sheet.min_basket]}
    for value in own.get(figure.kind, ()):
        if value is not None and value in said:
            return offer | {"says": _plain(value)}
    wanted = {"percent": ("percent",), "off": ("percent", "off"), "count": ("count", "number")}.get(
        figure.kind, (figure.kind,)
    )
    for source in sources:
        if any(not said.isdisjoint(claim.values) for claim in source.reading.of_kind(*wanted)):
            return _as_source(source)
    if figure.kind == "money" and (sheet.percent or sheet.amount or reading.mentions):
        product_fact = _as_fact(facts, meant[0], "") if len(meant) == 1 else offer
        return product_fact | {"says": _price_of(meant)}
    if figure.kind == "span" and sheet.valid_until:
        return offer | {"says": sheet.valid_until.isoformat()}
    return {}


def _judge_day(
    facts: Mapping[str, Any], sheet: FactSheet, reading: Reading, claim: DateClaim, sources: Sequence[Source]
) -> tuple[int, Claim]:
    start, end = claim.start, claim.end
    days = [sheet.valid_until, sheet.valid_from] if claim.role != "from" else [sheet.valid_from, sheet.valid_until]
    for day in filter(None, days):
        fits = day.weekday() == claim.weekday if claim.weekday is not None else any(p.fits(day) for p in claim.days)
        if fits:
            known = {"fact": "offer", "says": day.isoformat(), "version": version_of_offer(facts)}
            return _make(reading, start, end, "date", known)
    for source in sources:
        if set(claim.days) & {day for known_day in source.reading.dates for day in known_day.days}:
            return _make(reading, start, end, "date", _as_source(source))
    if sheet.send_date and any(pattern.fits(sheet.send_date) for pattern in claim.days):
        return _make(reading, start, end, "date", {"fact": "campaign", "says": sheet.send_date.isoformat()})
    return _make(reading, start, end, "date")


def _as_source(source: Source | None) -> dict[str, str]:
    return {"fact": source.fact, "says": source.text[:200], "version": source.version} if source else {}


def _as_fact(facts: Mapping[str, Any], product: Product, says: str) -> dict[str, str]:
    return {"fact": "product", "key": product.sku, "says": says, "version": _version_of_product(facts, product)}


def _version_of_product(facts: Mapping[str, Any], product: Product) -> str:
    """The catalogue's own version, or a hash of what the facts say of the product."""
    wares = facts.get("products")
    for ware in wares if isinstance(wares, Sequence) and not isinstance(wares, str) else ():
        if isinstance(ware, Mapping) and str(ware.get("sku", "")).strip() == product.sku and ware.get("version"):
            return str(ware["version"])[:20]
    return version_of_text(json.dumps([product.name, str(product.price), product.currency], ensure_ascii=False))


def _price_of(products: Sequence[Product]) -> str:
    return ", ".join(f"{_plain(p.price)} {p.currency}".strip() for p in products[:3] if p.price is not None)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _settle(claim: Claim, blocked: Sequence[tuple[str, str]]) -> Claim:
    """Not true where a blocking finding points at these words, or at a part of them."""
    plain = re.sub(r"\s+", " ", claim.text)
    is_false = any(field == claim.field and (text in plain or plain in text) for field, text in blocked)
    return Claim(claim.field, claim.text, claim.kind, is_true=False) if is_false else claim

"""What the catalogue says otherwise than when a text was last checked: findings, by the versions of the products.

The check before each send asks the same of every message (`standing_facts`); this says it beforehand, to people, so that a price
is put right before anybody would have been left out for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.models import Variant
from customers.models import Product

from .findings import Finding

#: All findings of this module; others are never taken away with them.
PREFIX: Final = "catalogue-"
#: Found when a text is checked anew, by its own words; it goes when they do.
_OLD_PRICE: Final = f"{PREFIX}old-price"
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_SOURCE_PARTS: Final = ("text", "html", "links")


def read_wares(variants: Iterable[Variant]) -> dict[str, Product]:
    """The products as they are now that the facts of some texts name, by sku. One query, or none."""
    skus = {str(ware["sku"]) for variant in variants for ware in variant.facts.get("products") or ()}
    return {ware.sku: ware for ware in Product.objects.filter(sku__in=skus)} if skus else {}


def find_outdated(variant: Variant, wares: Mapping[str, Product]) -> list[Finding]:
    """What of the products that a text stands on is otherwise now; messages in English.

    A price that is no longer so and a product that is gone block. Sold out and another stock warn: the messages wait for the
    stock, each is asked when it is sent. Another address of the product warns.
    """
    known = {str(ware["sku"]): ware for ware in variant.facts.get("products") or ()}
    with override("en"):
        found = [
            finding
            for row in variant.stands_on.get("products") or ()
            if isinstance(row, Mapping) and row.get("sku") in known
            for finding in _judge(variant, row, known[row["sku"]], wares.get(row["sku"]))
        ]
        found += _judge_addresses(variant, known, wares)
    return list(dict.fromkeys(found))


def knows_catalogue(variant: Variant, wares: Mapping[str, Product]) -> bool:
    """Whether the facts of a text hold its products as they are now, and its findings say what there is to say of them."""
    for known in variant.facts.get("products") or ():
        ware = wares.get(str(known["sku"]))
        of_then = (known.get("price"), known.get("currency"), known.get("stock"), known.get("url"))
        if ware is not None and of_then != (_write(ware.price), ware.currency, ware.stock, ware.url):
            return False
    noted = [row for row in variant.findings if str(row.get("code", "")).startswith(PREFIX)]
    found = [finding.as_json() for finding in find_outdated(variant, wares)]
    return [row for row in noted if row["code"] != _OLD_PRICE] == found


def replace_outdated(variant: Variant, found: Sequence[Finding]) -> bool:
    """Put these findings in place of the earlier ones of the catalogue; whether that changed anything. Does not save."""
    others = [row for row in variant.findings if not str(row.get("code", "")).startswith(PREFIX)]
    kept_prices = [row for row in variant.findings if row.get("code") == _OLD_PRICE]
    findings = [*others, *kept_prices, *(finding.as_json() for finding in found)]
    if sorted(map(str, findings)) == sorted(map(str, variant.findings)):
        return False
    variant.findings = findings
    return True


def explain_old_prices(findings: Sequence[Finding], facts: Mapping[str, Any]) -> list[Finding]:
    """Where a text is blocked for a price that a product had when it was written, say that it changed, and to what."""
    changed = [ware for ware in facts.get("products") or () if ware.get("was")]
    return [_explain(finding, changed) if changed and finding.code == "money" else finding for finding in findings]


def _explain(finding: Finding, changed: Sequence[Mapping[str, Any]]) -> Finding:
    said = {_decimal(number) for number in _NUMBER.findall(finding.excerpt.replace(",", ""))}
    for ware in changed:
        if _decimal(ware["was"]["price"]) in said:
            was = ware["was"]
            message = _tell_price(ware["name"], was, ware["price"], ware["currency"], ware["version"])
            return Finding(_OLD_PRICE, "block", finding.field, message, finding.excerpt)
    return finding


def _judge(
    variant: Variant, stood: Mapping[str, Any], known: Mapping[str, Any], ware: Product | None
) -> Iterator[Finding]:
    field, excerpt = _find_place(variant, str(stood["sku"]), "money" if stood.get("price") else "product")
    name = str(known["name"])
    if ware is None:
        sentence = _("%(name)s is not in the catalogue any more (it was, in version %(old)s). Take it out.")
        yield Finding(
            f"{PREFIX}gone", "block", field, sentence % {"name": name, "old": known.get("version", "")}, excerpt
        )
    elif stood.get("why") == "stock":
        if not _is_within(stood, ware.stock):
            sentence = _(
                "What this says of the stock of %(name)s is not so now (%(now)s). As long as it is not, nobody gets this text."
            )
            now = _("unknown") if ware.stock is None else ware.stock
            field, excerpt = _find_place(variant, ware.sku, "stock")
            yield Finding(f"{PREFIX}stock", "warn", field, sentence % {"name": name, "now": now}, excerpt)
    else:
        if stood.get("price") is not None and _differs(stood, ware):
            message = _tell_price(name, known, _write(ware.price), ware.currency, ware.version)
            yield Finding(f"{PREFIX}price", "block", field, message, excerpt)
        if ware.stock is not None and ware.stock < int(stood.get("low") or 0):
            sentence = _("%(name)s is sold out. As long as it is, nobody gets this text.")
            yield Finding(f"{PREFIX}sold-out", "warn", field, sentence % {"name": name}, excerpt)


def _judge_addresses(
    variant: Variant, known: Mapping[str, Mapping[str, Any]], wares: Mapping[str, Product]
) -> Iterator[Finding]:
    shown = str([variant.source.get(part) for part in _SOURCE_PARTS])
    for sku, ware in known.items():
        url, now = str(ware.get("url") or ""), wares.get(sku)
        if url and now is not None and now.url != url and url in shown:
            sentence = _(
                "%(name)s has another address in the catalogue now (version %(new)s); this links to the old one."
            )
            yield Finding(f"{PREFIX}url", "warn", "body", sentence % {"name": ware["name"], "new": now.version})


def _tell_price(name: str, was: Mapping[str, Any], price: Any, currency: str, version: Any) -> str:
    sentence = _(
        "%(name)s costs %(now)s now (version %(new)s of the catalogue). It cost %(was)s when this was written (version %(old)s)."
    )
    return sentence % {
        "name": name,
        "now": f"{price} {currency}".strip() if price is not None else _("an unknown price"),
        "new": version,
        "was": f"{was.get('price')} {was.get('currency') or ''}".strip(),
        "old": was.get("version", ""),
    }


def _find_place(variant: Variant, sku: str, kind: str) -> tuple[str, str]:
    """Where the text says it; the body as a whole where code put it in."""
    for claim in variant.claims:
        if claim.get("key") == sku and claim.get("kind") == kind:
            return str(claim["field"]), str(claim["text"])
    return "body", ""


def _is_within(stood: Mapping[str, Any], stock: int | None) -> bool:
    high = stood.get("high")
    return stock is not None and stock >= int(stood.get("low") or 0) and (high is None or stock <= int(high))


def _differs(stood: Mapping[str, Any], ware: Product) -> bool:
    return ware.price is None or (_decimal(stood["price"]), stood.get("currency")) != (ware.price, ware.currency)


def _write(price: Decimal | None) -> str | None:
    return None if price is None else f"{price.normalize():f}"


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(-1)

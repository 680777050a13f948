"""What a product is made of, weighs or holds, in further keys of it: another figure, or one of another product."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .amounts import Claim, read_number
from .echoes import words_of
from .reading import Draft, Reading, products_meant, read_claims, read_terms
from .sheet import FactSheet, Product
from .text import read_passage, sentence_span


def check_composition(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "95 % organic cotton", where the facts say 95 % bamboo viscose of what is meant."""
    for reading in draft.readings:
        for claim in reading.of_kind("percent"):
            said = _SHARE_OF.match(reading.masked, claim.end)
            if not said or not (words := words_of(said["what"])):
                continue
            meant = products_meant(reading, claim.start, sheet)
            known = [w for p in meant for value, w in _shares(p) if value in claim.values]
            if known and all(words.isdisjoint(w) for w in known):
                message = _("The facts give this share of something else.")
                yield reading.finding("detail", "block", message, (claim.start, said.end()))


def check_details(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "The small pan weighs 1.9 kg", which is the weight of the large one."""
    for reading in draft.readings:
        for claim in reading.of_kind("number"):
            owner = _owner_of(reading, claim)
            if owner is None or not claim.unit or (len(claim.unit) < 2 and claim.unit.isascii()):
                continue
            own = _figures(owner.details, claim.unit)
            others = [p for p in sheet.products if p != owner and set(claim.values) & _figures(p.details, claim.unit)]
            elsewhere = _figures(owner.name, claim.unit) | {v for c in read_terms(sheet).claims for v in c.values}
            if own and others and own.isdisjoint(claim.values) and elsewhere.isdisjoint(claim.values):
                message = _("The facts give another number for this.")
                yield reading.finding("detail", "block", message, (claim.start, claim.end))


def _owner_of(reading: Reading, claim: Claim) -> Product | None:
    """The one product that the sentence names."""
    start, end = sentence_span(reading.passage.text, claim.start)
    named = {p for s, _e, p in reading.mentions if start <= s < end}
    return named.pop() if len(named) == 1 else None


def _figures(text: str, unit: str) -> set[Decimal]:
    """The figures of a text in this unit."""
    claims = read_claims(read_passage("facts", text), None).of_kind("number")
    return {value for claim in claims if claim.unit == unit for value in claim.values}


def _shares(product: Product) -> Iterator[tuple[Decimal, frozenset[str]]]:
    """Of what a product has which share."""
    for match in _SHARE.finditer(read_passage("facts", product.details).text):
        for value in read_number(match["n"]):
            yield value, words_of(match["what"])


_THING = r"(?P<what>[a-z][a-zà-ÿ-]*(?:\s+[a-z][a-zà-ÿ-]*){0,2}|[\u4e00-\u9fff]{1,6})"
_SHARE_OF = re.compile(rf"\s*(?:of\s+)?(?:pure\s+)?{_THING}", re.IGNORECASE)
_SHARE = re.compile(rf"(?<![\d.,])(?P<n>\d{{1,3}}(?:[.,]\d{{1,2}})?)\s*%\s*{_THING}", re.IGNORECASE)

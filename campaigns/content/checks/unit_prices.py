"""What a measure of a product costs: "3.92 per 100 g" of a bag of 250 g, "18 per litre" of a 3 L tin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from .amounts import Claim, read_number
from .reading import Reading
from .sheet import FactSheet
from .sums import apply_offer


def list_unit_prices(sheet: FactSheet, reading: Reading, claim: Claim) -> Iterator[Decimal]:
    """What the measure behind or before an amount ("per 100 g", 每100克) comes to, for each product whose name has a size
    in grams, litres or metres; before and after the offer."""
    after = _PER.match(reading.masked, claim.end)
    before = _EVERY.search(reading.masked[max(0, claim.start - 16) : claim.start])
    measure = after or before
    if measure is None:
        return
    wanted = _measure(measure["n"] or "1", measure["unit"])
    for product in sheet.products:
        for match in _SIZE.finditer(product.name):
            size = _measure(match["n"], match["unit"])
            if product.price and size[1] == wanted[1] and size[0]:
                for price in {product.price, *apply_offer(sheet, product.price)}:
                    yield price * wanted[0] / size[0]


def _measure(number: str, unit: str) -> tuple[Decimal, str]:
    """How much that is, in the smallest unit of its kind."""
    values = read_number(number)
    scale, kind = _UNITS[unit.lower().rstrip("s") if unit.isascii() and len(unit) > 2 else unit.lower()]
    return (values[-1] if values else Decimal(0)) * scale, kind


_UNITS: dict[str, tuple[int, str]] = {
    **dict.fromkeys(("g", "gram", "gramme", "克"), (1, "g")),
    **dict.fromkeys(("kg", "kilo", "kilogram", "公斤", "千克"), (1000, "g")),
    "斤": (500, "g"),
    **dict.fromkeys(("ml", "millilitre", "milliliter", "毫升"), (1, "ml")),
    "cl": (10, "ml"),
    **dict.fromkeys(("l", "litre", "liter", "升"), (1000, "ml")),
    **dict.fromkeys(("m", "metre", "meter", "米"), (100, "cm")),
    **dict.fromkeys(("cm", "centimetre", "centimeter", "厘米"), (1, "cm")),
}
_UNIT = (
    r"(?P<unit>kilograms?|kilos?|kg|grams?|g|millilit(?:re|er)s?|ml|cl|lit(?:re|er)s?|l|met(?:re|er)s?|cm|m"
    r"|公斤|千克|毫升|厘米|克|升|斤|米)(?![a-z])"
)
_PER = re.compile(rf"\s*(?:per|an?|each|for\s+every|every|/|[一每])\s*(?P<n>\d+(?:[.,]\d+)?)?\s*{_UNIT}", re.IGNORECASE)
_EVERY = re.compile(rf"每\s*(?P<n>\d+(?:[.,]\d+)?)?\s*{_UNIT}\s*(?:只要|仅|才|约|合)?\s*$", re.IGNORECASE)
_SIZE = re.compile(rf"(?<![\d.,x×])(?P<n>\d+(?:[.,]\d+)?)\s*{_UNIT}", re.IGNORECASE)

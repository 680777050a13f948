"""Products called by their size alone: "the 3 L tin", "the six-bottle case", "the large one", where one of them has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from .sheet import Product


def find_sizes(text: str, products: tuple[Product, ...]) -> Iterator[tuple[int, int, Product]]:
    """Where the text says a size that one product of several has in its name."""
    for pattern, product in _list_patterns(products):
        for match in pattern.finditer(text):
            yield match.start(), match.end(), product


@lru_cache(maxsize=64)
def _list_patterns(products: tuple[Product, ...]) -> tuple[tuple[re.Pattern[str], Product], ...]:
    owners: dict[str, list[Product]] = {}
    for product in products:
        for words in {_pattern_of(match) for match in _SIZE.finditer(product.name)}:
            owners.setdefault(words, []).append(product)
        for match in _WORD.finditer(product.name):
            owners.setdefault(
                rf"\bthe\s+{match[1].lower()}(?:\s+(?:1|ones?|size|version)\b|(?=\s*[,.:;(£€$\d-]))", []
            ).append(product)
    for words, whose in owners.items():
        families = [p for p in whose if sum(_base(p) == _base(other) for other in products) > 1]
        owners[words] = families if len(families) == 1 else whose
    units = [words.split("(?:")[-1] for words in owners]
    return tuple(
        (re.compile(words, re.IGNORECASE), whose[0])
        for words, whose in owners.items()
        if len(whose) == 1 and units.count(words.split("(?:")[-1]) > 1
    )


def _base(product: Product) -> str:
    """The name without what tells it from its other sizes."""
    return " ".join(re.sub(r"[\W\d]+", " ", _SIZE.sub(" ", _WORD.sub(" ", product.name))).lower().split())


def _pattern_of(match: re.Match[str]) -> str:
    unit = match["unit"].lower()
    known = next((forms for first, forms in _UNITS if re.fullmatch(first, unit)), "")
    forms = known or (f"{re.escape(unit.removesuffix('s'))}s?" if unit.isascii() else re.escape(unit))
    number = "(?:1|single)" if match["n"] == "1" else re.escape(match["n"])
    return rf"(?<![\d.,]){number}[\s-]?(?:{forms})" + (r"\b" if unit.isascii() else "")


_SIZE = re.compile(
    r"(?<![\d.,/x×-])(?P<n>\d{1,5}(?:[.,]\d{1,2})?)[\s-]?(?P<unit>[a-zA-Z]{1,12}|升|毫升|克|千克|公斤|厘米|寸|支|页|片|粒)(?![a-zA-Z])"
)
_WORD = re.compile(r"\b(small|medium|large|mini)\b", re.IGNORECASE)
_UNITS = (
    (r"l|litres?|liters?", r"l|litres?|liters?"),
    (r"ml|millilitres?", r"ml|millilitres?"),
    (r"g|grams?", r"g|grams?"),
    (r"kg|kilos?", r"kg|kilos?|kilograms?"),
    (r"cm|centimetres?", r"cm|centimetres?|centimeters?"),
    (r"mm", r"mm|millimetres?|millimeters?"),
    (r"in|inch|inches", r"in|inch(?:es)?"),
)

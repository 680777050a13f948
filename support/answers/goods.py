"""What shops sell. A rule holds for a thing that it does not name, unless it names others: who asks whether a shirt may be
returned is answered by "you may send things back", and who asks whether bags are mended is not by "we resole shoes"."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from .ideas import Idea
from .ranking import Found
from .stems import stem
from .word_lists import read_list

#: Words with which an article says that it holds for whatever there is.
_ALL_GOODS: Final = re.compile(
    r"\b(?:anything|everything|things|goods|products|items|articles|any (?:item|product|device|article)|all devices)\b"
    r"|商品|任何|所有产品",
    re.IGNORECASE,
)


def is_good(idea: Idea) -> bool:
    """The idea is a thing that some shop sells."""
    return bool(_goods() & {idea.key, *idea.same}) or idea.text in _chinese()


def holds_for_all(found: Found, keys: set[str]) -> bool:
    """The article names no goods, or the sentence that fits best says that it holds for all of them."""
    best = found.passages[0][0].text if found.passages else ""
    return keys.isdisjoint(_goods() | _chinese()) or _ALL_GOODS.search(best) is not None


@lru_cache(maxsize=1)
def _goods() -> frozenset[str]:
    words = read_list("goods")  # a line of concepts.txt that is named after one of them is a good, too
    return frozenset(map(stem, words)) | {f"={name}" for name in (*words, *read_list("goods ideas"))}


@lru_cache(maxsize=1)
def _chinese() -> frozenset[str]:
    return frozenset(read_list("goods Chinese"))

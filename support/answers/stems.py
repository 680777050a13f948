"""English words without their endings (Lovins-like, a few rules), so that "returned" and "returns" are one word."""

from __future__ import annotations

import re
from typing import Final

_IRREGULAR: Final = {
    "sent": "send", "bought": "buy", "paid": "pay", "kept": "keep", "broke": "break", "broken": "break", "worn": "wear",
    "wore": "wear", "forgot": "forget", "forgotten": "forget", "children": "child", "feet": "foot", "got": "get",
    "lost": "lose", "stolen": "steal", "sold": "sell", "came": "come", "torn": "tear", "ground": "ground", "cost": "cost",
}  # fmt: skip


def stem(word: str) -> str:
    """An English word without its ending; other words as they are."""
    word = word.removesuffix("'s").removesuffix("s'").replace("'", "")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 5 and word.endswith("ly") and not word.endswith(("ply", "ily")):
        word = word[:-2]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "i"
    if len(word) > 3 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if len(word) > len(ending) + 2 and word.endswith(ending) and re.search("[aeiouy]", word[: -len(ending)]):
            word = word[: -len(ending)]
            if len(word) > 2 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word.endswith("y") and word[-2] not in "aeiou" else word

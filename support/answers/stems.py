"""English words without their endings, so that "returned" and "returns" are one word: by snowballstemmer (Porter 2, BSD).

Verbs whose forms no ending explains stand here, and the spellings in which British and American English differ.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Final

import snowballstemmer

_IRREGULAR: Final = {
    "sent": "send", "bought": "buy", "paid": "pay", "kept": "keep", "broke": "break", "broken": "break", "worn": "wear",
    "wore": "wear", "forgot": "forget", "forgotten": "forget", "children": "child", "feet": "foot", "got": "get",
    "lost": "lose", "stolen": "steal", "sold": "sell", "came": "come", "torn": "tear", "ground": "ground", "cost": "cost",
}  # fmt: skip
#: British to American: both sides of a comparison are spelled so, so that a word which only looks like one does no harm.
_SPELLINGS: Final = tuple(
    (re.compile(british), american)
    for british, american in (
        (r"^(practi)s(?=e|ing)", r"\1c"),
        (r"^tyre", "tire"), (r"^cheque", "check"), (r"^(gr)ey", r"\1ay"), (r"^(alumin)i?um", r"\1um"), (r"^(program)me", r"\1"),
        (r"^(catalog)ue", r"\1"), (r"^(jewel)lery", r"\1ry"), (r"(?<=[a-z]{2})our(?=$|s|ed|ing|ful|ite)", "or"),
        (r"(?<=[a-z]{3})is(?=e$|es$|ed$|er$|ers$|ing$|ation|able)", "iz"), (r"(?<=[a-z]{2})tre(?=s?$)", "ter"),
        (r"^(licen|defen|offen|preten)c(?=e)", r"\1s"),
    )
)  # fmt: skip
#: The library's stemmer keeps the word that it works on in itself.
_ONE_AT_A_TIME: Final = threading.Lock()
_STEMMER: Final = snowballstemmer.stemmer("english")


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """An English word in small letters without its ending; other words as they are, or nearly."""
    word = word.removesuffix("'s").removesuffix("s'").replace("'", "")
    word = _IRREGULAR.get(word, word)
    for british, american in _SPELLINGS:
        word = british.sub(american, word)
    with _ONE_AT_A_TIME:
        return str(_STEMMER.stemWord(word))

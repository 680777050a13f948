"""English words without their endings, so that "returned" and "returns" are one word: by snowballstemmer (Porter 2, BSD).

Verbs whose forms no ending explains stand here.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Final

import snowballstemmer

_IRREGULAR: Final = {
    "sent": "send", "bought": "buy", "paid": "pay", "kept": "keep", "broke": "break", "broken": "break", "worn": "wear",
    "wore": "wear", "forgot": "forget", "forgotten": "forget", "children": "child", "feet": "foot", "got": "get",
    "lost": "lose", "stolen": "steal", "sold": "sell", "came": "come", "torn": "tear", "ground": "ground", "cost": "cost",
}  # fmt: skip
#: The library's stemmer keeps the word that it works on in itself.
_ONE_AT_A_TIME: Final = threading.Lock()
_STEMMER: Final = snowballstemmer.stemmer("english")


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """An English word in small letters without its ending; other words as they are, or nearly."""
    word = word.removesuffix("'s").removesuffix("s'").replace("'", "")
    with _ONE_AT_A_TIME:
        return str(_STEMMER.stemWord(_IRREGULAR.get(word, word)))

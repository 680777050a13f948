"""Text as rules read it: of one width, with straight quotes, without characters that take no room ("law\\u200byer")."""

from __future__ import annotations

import unicodedata
from typing import Final

_QUOTES: Final = str.maketrans("’‘`´", "''''")


def fold_text(text: str) -> str:
    """What is said, however it is written. Nobody sees such characters, and a word cut by one is the same word."""
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    return "".join(character for character in plain if unicodedata.category(character) != "Cf")

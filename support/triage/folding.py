"""Text as rules read it: of one width, with straight quotes, without characters that take no room ("law\\u200byer")."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_QUOTES: Final = str.maketrans("’‘`´", "''''")
_GAP: Final = re.compile(r"\s+")


def fold_text(text: str) -> str:
    """What is said, however it is written. Nobody sees such characters, and a word cut by one is the same word; so is a phrase
    that a mail program has wrapped. Blanks are single, which also keeps patterns from trying long runs of them; an empty line
    stays one line break."""
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    shown = "".join(character for character in plain if unicodedata.category(character) != "Cf")
    return _GAP.sub(lambda gap: "\n" if gap[0].count("\n") > 1 else " ", shown)

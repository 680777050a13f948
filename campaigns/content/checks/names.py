"""Whether the name of a ware, of a category or of a person is a name and nothing else. Pure.

Names come out of a catalogue that marketplaces' sellers may write in. What goes on as an address, an offer or an
instruction is not shown in a message, is not told to a model, and makes nothing true.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .form import find_addresses

LONGEST_NAME: Final = 250
#: Nobody is greeted by more words than this, or by more Chinese characters without a point between the parts of a name.
MOST_WORDS: Final = 5
MOST_HAN: Final = 8
_BRACES: Final = re.compile(r"\{[{%]|\]\(|</?[a-z!]|&#", re.IGNORECASE)
_OFFER: Final = re.compile(
    r"\b(?:code|coupon|voucher)\b[\s:：]{0,3}[A-Z0-9]{4,}|\d\s?%\s?off\b|优惠[码券][\s:：]{0,3}[A-Za-z0-9]{3,}|全场|[\d一二三四五六七八九]\s?折(?!叠)|免费送"
    r"|\bfree\s+with\b",
    re.IGNORECASE,
)
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_TELEPHONE: Final = re.compile(r"(?<![\d.,])\+?\d(?:[ ()-]{0,2}\d){9,14}(?!\d)")


def is_plain_name(name: str) -> bool:
    """No address, markup, offer or telephone number in it, also not in full width."""
    # Browsers read full-width signs and other dots in an address as the plain ones (UTS 46).
    folded = unicodedata.normalize("NFKC", name)
    return len(name) <= LONGEST_NAME and not (
        any(find_addresses(folded)) or _BRACES.search(folded) or _OFFER.search(folded) or _TELEPHONE.search(folded)
    )


def is_plain_greeting(name: str) -> bool:
    """Short enough, in words, to be what somebody is called: a sentence in the field of a first name is none."""
    has_point = any(point in name for point in "·•‧・")
    is_short = len(_HAN.findall(name)) <= MOST_HAN or has_point
    return is_short and len(name.split()) <= MOST_WORDS and is_plain_name(name)

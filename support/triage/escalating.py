"""What no draft is made for, whatever the base says: a person reads it first, and at once.

A list of expressions (`escalations.txt`) is the floor; what it does not foresee, a classifier beside it may (`people_only`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from .folding import fold_text
from .people_only import recognise_reason
from .sections import read_sections

_CARD: Final = re.compile(r"(?<!\d)(?:\d[ .–-]?){13,19}(?!\d)")
#: The first that fits is the reason. Threats to life come first.
REASONS: Final = ("self_harm", "safety", "legal", "payment_data", "press")


def find_reason_to_escalate(text: str) -> str:
    """self_harm, safety, legal, payment_data or press; "" where a draft may be made.

    Errs to the careful side: what only sounds like it goes to a person, who loses a moment. Either of the two suffices.
    """
    return find_listed_reason(text) or recognise_reason(text)


def find_listed_reason(text: str) -> str:
    """By the list alone, and by the check digit of a card."""
    folded = fold_text(text)
    patterns, harmless = _patterns()
    spoken = harmless.sub(" ", folded)
    for reason, pattern in patterns.items():
        if pattern.search(spoken):
            return reason
    return "payment_data" if any(_is_card(found) for found in _CARD.findall(folded)) else ""


@lru_cache(maxsize=1)
def _patterns() -> tuple[dict[str, re.Pattern[str]], re.Pattern[str]]:
    """By reason, and what is taken out before them."""
    sections = read_sections(Path(__file__).parent / "escalations.txt")
    made = {name: re.compile("|".join(entries), re.IGNORECASE) for name, entries in sections.items()}
    return {reason: made[reason] for reason in REASONS}, made["harmless"]


def _is_card(text: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812, Luhn), so that an order's number is not one."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0

"""Lines that people type into settings: one space between words, and nothing that nobody sees. Pure."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})


def tidy_line(text: str) -> str:
    """The words in one line. Line ends and tabs become spaces; other control, bidirectional and zero-width signs go."""
    return " ".join("".join(sign for sign in text if sign.isspace() or not _is_unseen(sign)).split())


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSEEN

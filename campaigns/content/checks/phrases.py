"""Where a phrase stands in a text, whatever its case, width and spaces: for words that a shop bans or avoids. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from .text import FILLER, Passage, fold_passage

#: Letters and digits of scripts that put spaces between words; Chinese, Japanese and Korean run on.
_LETTER: Final = r"[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_TOKEN: Final = re.compile(rf"{_LETTER}++|[\s-]+|.", re.DOTALL)
_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_QUOTED: Final = re.compile(r"(\"[^\"]*\"|'[^']*')")


def read_words(field: str, raw: str) -> Passage:
    """The words that a reader may see: the code of merge tags is filled in, what they say where a value is missing
    (`default: "…"`) is left. Numbers stay as they were written."""
    passage = fold_passage(field, raw)
    text = _TAG.sub(lambda match: _keep_quoted(match.group()), passage.text)
    return Passage(passage.field, passage.raw, text, passage.origin, passage.spelled)


def find_phrase(text: str, phrase: str) -> Iterator[tuple[int, int]]:
    """Where a phrase stands in a folded text: as whole words in scripts with spaces, anywhere in Chinese.

    "best seller", "Best-Seller" and the full-width form are one phrase, "bestseller" is another.
    """
    pattern = _compile(phrase)
    if pattern is not None:
        for match in pattern.finditer(text):
            yield match.span()


@lru_cache(maxsize=4_096)
def _compile(phrase: str) -> re.Pattern[str] | None:
    """Kept, because every text is searched for the same phrases."""
    tokens: list[str] = _TOKEN.findall(fold_passage("", phrase).text.strip(" -\n\t"))
    if not tokens:
        return None
    pieces = [re.escape(tokens[0])]
    for place, token in enumerate(tokens[1:], 1):
        before = tokens[place - 1]
        if _is_gap(token):
            pieces.append(r"[\s-]+" if _is_word(before) and _is_word(tokens[place + 1]) else r"[\s-]*")
        else:
            pieces.append(re.escape(token) if _is_gap(before) else rf"\s*{re.escape(token)}")
    begins = rf"(?<!{_LETTER})" if _is_word(tokens[0]) else ""
    ends = rf"(?!{_LETTER})" if _is_word(tokens[-1]) else ""
    return re.compile(begins + "".join(pieces) + ends, re.IGNORECASE)


def _is_gap(token: str) -> bool:
    return re.fullmatch(r"[\s-]+", token) is not None


def _is_word(token: str) -> bool:
    return re.match(_LETTER, token) is not None


def _keep_quoted(tag: str) -> str:
    """The tag with all but its quoted words filled in, of the same length."""
    return "".join(part if _QUOTED.fullmatch(part) else FILLER * len(part) for part in _QUOTED.split(tag))

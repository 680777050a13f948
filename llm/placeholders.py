"""Placeholders of personal values: how they are written, found, kept whole and put back. No Django here."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from llm.detectors import PersonalKind
from llm.plain_form import map_texts

# As models write it back: with full-width brackets, with a space for the line, escaped as in Markdown. Three digits are
# more than any call needs, and no id or telephone number hides in them.
PLACEHOLDER = re.compile(
    r"\\?[\[［【]\s*(" + "|".join(PersonalKind) + r")\s?\\?[_ ]\s?(\d{1,3})\s*\\?[\]］】]", re.IGNORECASE
)
WRITTEN = re.compile(r"\[(" + "|".join(PersonalKind) + r")_(\d{1,3})\]")


def unmask_values(values: Any, replacements: Mapping[str, str]) -> Any:
    """Put the personal values back; placeholders that were never given out stay as they are."""

    def put_back(text: str) -> str:
        return PLACEHOLDER.sub(lambda m: replacements.get(f"[{m[1].upper()}_{int(m[2])}]", m[0]), text)

    return map_texts(values, put_back)


def numbers_in(values: Any) -> set[int]:
    """Of the placeholders that stand there already."""
    taken: set[int] = set()

    def look(text: str) -> str:
        taken.update(int(m[2]) for m in PLACEHOLDER.finditer(text))
        return text

    map_texts(values, look)
    return taken


def cut_whole(text: str, most: int) -> str:
    """At most so many characters, and no part of a placeholder."""
    across = next((m for m in PLACEHOLDER.finditer(text) if m.start() < most < m.end()), None)
    return text[: across.start() if across else most]


def count_placeholders(text: str) -> dict[str, int]:
    """How many different values of each kind were masked in what left, counted as we write them."""
    found = {(kind, number) for kind, number in WRITTEN.findall(text)}
    return dict(Counter(kind for kind, _number in sorted(found)))

"""What people asked that no article answers, by what the articles lack."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from support.models import Answer
from support.models.answer import MOST_REFUSED

from .typical import find_typical
from .words import find_ideas

#: Only the words that weigh most say what a question was about.
WORDS_EACH: Final = 4


@dataclass(frozen=True)
class Gap:
    """Questions that lack the same thing, the newest first. `word` is what most of them call it, "" for those that share none."""

    word: str
    asked: tuple[Answer, ...]

    @property
    def question(self) -> str:
        """The question that is most like the others, in its writer's words; "" where nobody wrote any."""
        return find_typical([one.message.text for one in self.asked], self.word)


def find_gaps() -> list[Gap]:
    """The gaps among the newest unanswered questions, the largest first; each question in one of them."""
    people = ("ticket__customer", "ticket__order", "message")
    asked = Answer.objects.unanswered().filter(ticket__is_complaint=False).select_related(*people)
    left = {answer: _find_lacking(answer) for answer in asked[:MOST_REFUSED]}
    gaps: list[Gap] = []
    for key in _rank_keys(list(left.values())):
        if same := tuple(answer for answer, lacking in left.items() if key in lacking):
            words = Counter(_as_written(left.pop(answer)[key], answer.message.text) for answer in same)
            gaps.append(Gap(words.most_common(1)[0][0], same))
    if left:
        gaps.append(Gap("", tuple(left)))
    return sorted(gaps, key=lambda gap: -len(gap.asked))


def _as_written(word: str, text: str) -> str:
    """With its capitals: words are compared without them."""
    found = re.search(re.escape(word), text, re.IGNORECASE)
    return found.group(0) if found else word


def _find_lacking(answer: Answer) -> dict[str, str]:
    """The words that a question lacks by what they mean, so that "kettle", "kettles" and 水壶 are one, the weightiest first.

    Words that nearly every question has ("get", "long") say nothing of what it was about.
    """
    named = [(*_read_word(word), word) for word in answer.lacking]
    return {key: word for key, is_usual, word in [one for one in named if not one[1]][:WORDS_EACH]}


@lru_cache(maxsize=4096)
def _read_word(word: str) -> tuple[str, bool]:
    ideas = find_ideas(word)
    if len(ideas) == 1:
        return ideas[0].key, ideas[0].is_usual
    return word.casefold(), all(idea.is_usual for idea in ideas)


def _rank_keys(asked: list[dict[str, str]]) -> list[str]:
    """What most questions lack first, of those lacked as often what weighs most in them; the same order in every process."""
    places: dict[str, list[int]] = {}
    for lacking in asked:
        for place, key in enumerate(lacking):
            places.setdefault(key, []).append(place)
    return sorted(places, key=lambda key: (-len(places[key]), sum(places[key]), key))

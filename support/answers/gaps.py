"""What people asked that no article answers, by the words that the articles lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from support.models import Answer, AnswerStatus

MOST_ASKED: Final = 200
#: Only the words that weigh most say what a question was about.
WORDS_EACH: Final = 4


@dataclass(frozen=True)
class Gap:
    """Questions that lack the same word, the newest first; "" for those that share none."""

    word: str
    asked: tuple[Answer, ...]


def find_gaps() -> list[Gap]:
    """The gaps among the newest MOST_ASKED unanswered questions, the largest first; each question in one of them."""
    left = list(
        Answer.objects.filter(status=AnswerStatus.REFUSED, refusal="unanswered", ticket__is_complaint=False)
        .select_related("ticket__customer", "message")
        .order_by("-made_at")[:MOST_ASKED]
    )
    gaps: list[Gap] = []
    for word in _rank_words(left):
        if asked := tuple(answer for answer in left if word in answer.lacking[:WORDS_EACH]):
            gaps.append(Gap(word, asked))
            left = [answer for answer in left if answer not in asked]
    if left:
        gaps.append(Gap("", tuple(left)))
    return sorted(gaps, key=lambda gap: -len(gap.asked))


def _rank_words(asked: list[Answer]) -> list[str]:
    """What most questions lack first, of those lacked as often what weighs most in them; the same order in every process."""
    places: dict[str, list[int]] = {}
    for answer in asked:
        for place, word in enumerate(dict.fromkeys(answer.lacking[:WORDS_EACH])):
            places.setdefault(word, []).append(place)
    return sorted(places, key=lambda word: (-len(places[word]), sum(places[word]), word))
